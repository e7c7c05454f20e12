/** `gala lock`: asks the API server for a Lock, and waits until the lock writer has answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, Option } from 'commander';
import { Lock } from '../api/kinds.ts';
import { MAX_SLOTS, WAYS_ON_DRAIN } from '../api/lock.ts';
import type { Api } from '../kube/client.ts';
import { isAlreadyExists, isNotFound, unlessMissing } from '../kube/error.ts';
import { type Id, kindOf, NODES, type Stored } from '../kube/kinds.ts';
import { otherFields } from '../scheduling/same-question.ts';
import { ageOf, secondsOf } from './amount.ts';
import { type ClusterOptions, clusterOptions, inCluster, isNoSuchKind, leaseOptions, namespaceOf, unlessOff } from './cluster.ts';
import { writerOf } from './leader.ts';
import { type Asked, type LockOptions, lockFrom } from './lock-object.ts';
import { probed } from './lock-probed.ts';
import { type LockSeen, lockSeen, lockText, noSuchLock } from './lock-text.ts';
import type { Declare } from './main.ts';
import { assertNamespace } from './namespace.ts';
import { BadInput, type ExitCode, type Format, NotNow, outputOption, print, Refused, say } from './output.ts';
import { type Pods, readPodFile } from './pod-file.ts';
import { podsNamed } from './pods-from.ts';
import { questionOptions } from './question.ts';
import { demanded } from './stock-answer.ts';
import type { StockAnswer } from './stock-text.ts';

const LOCKS = kindOf(Lock);

interface Options extends LockOptions, ClusterOptions {
  readonly file?: string;
  readonly renew?: boolean;
  readonly wait: 'ready' | 'probed' | 'none';
  readonly timeout: string;
  readonly dryRun?: boolean;
  readonly leaseNamespace: string;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command
    .usage('[options] -f <file> <count> | <deployment> <count> | --renew <name>')
    .argument('[what...]', 'how many slots, after whose they are where no file says it; with --renew the name of a Lock')
    .option('-f, --file <file>', 'the pods to come: a Deployment, StatefulSet, Job, Pod, PodTemplate or bare template; - is standard input')
    .option('--name <name>', "the Lock's name and idempotency key; else the owner's and a hash of the question")
    .option('--owner <name>', "who the slots are for, the same over all releases; else the name of the pods' object")
    .option('--ttl <duration>', 'how long an unused slot waits for its pod after the last renewal; else 5m')
    .option('--hold <duration>', "how long an address waits for its owner's next pod, 0 for ever; else 10m")
    .addOption(
      new Option(
        '--on-drain <way>',
        "of slots without a pod when their node is drained; else move, and replace where it is an ENI's",
      ).choices(WAYS_ON_DRAIN),
    )
    .option('--allow-partial', 'fewer slots are welcome; otherwise it is all or nothing')
    .option('--renew', 'an unused slot waits its TTL anew')
    .addOption(
      new Option('--wait <for>', 'what to wait for: ready, probed (and its addresses looked for on the wire), none')
        .argParser(waitFor)
        .default('ready'),
    )
    .option('--timeout <duration>', 'how long to wait', '60s')
    .option('--dry-run', 'let the API server check it, and store nothing');
  leaseOptions(clusterOptions(questionOptions(command)))
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (what, options) => end(await lock(what, options)));
};

function waitFor(text: string): Options['wait'] {
  if (text === 'ready' || text === 'probed' || text === 'none') return text;
  const allowed = 'It is ready, probed or none';
  throw new InvalidArgumentError(secondsOf(text) === undefined ? `${allowed}.` : `${allowed}; how long to wait is --timeout ${text}.`);
}

const HELP = `
Examples:
  gala lock -f examples/feed.yaml 200 --max-per rack=30%
  gala lock feed-api 200 --name feed-api-1188 --ttl 15m      the pods of a Deployment that is there
  gala lock --renew feed-api-1188 -n feed

Exit code 3: not so many fit, the reasons are told. 4: no answer in time, or with --wait probed a gateway that is silent; the Lock stays.`;

async function lock(what: readonly string[], options: Options): Promise<ExitCode> {
  const timeoutSeconds = secondsOf(options.timeout);
  if (timeoutSeconds === undefined) throw new BadInput(`--timeout is '${options.timeout}'; it is a duration. For example 60s or 5m.`);
  return inCluster({ ...options, command: options.renew ? 'lock --renew' : 'lock' }, async ({ api, namespace }): Promise<ExitCode> => {
    if (options.renew) return renew(api, { namespace, name: only(what) }, options);
    const { asked, pods } = await questionFrom(api, what, namespace, options);
    const made = await ask(api, asked, options.dryRun ?? false);
    if (options.dryRun || options.wait === 'none') return answer(api, made, options);
    say(`${asked.namespace}/${asked.name}: asked for ${asked.spec.count} slots`);
    const until = performance.now() + timeoutSeconds * 1000;
    const ready = await settled(api, made, timeoutSeconds * 1000, options);
    const lock = options.wait === 'probed' ? await probed(ready, () => unlessMissing(api.get(LOCKS, idOf(ready))), until) : ready;
    if (lock.status?.phase !== 'Failed') return answer(api, lock, options);
    // Only where it is needed: counting reads more than asking for a Lock does.
    const { stockFor } = await import('./lock-stock.ts');
    return answer(api, lock, options, await stockFor(api, asked, pods, options));
  });
}

function only(what: readonly string[]): string {
  if (what.length !== 1)
    throw new BadInput(`--renew takes the name of one Lock; got ${what.length === 0 ? 'none' : what.join(' ')}. gala locks -A lists them.`);
  return what[0] as string;
}

interface Question {
  readonly asked: Asked;
  readonly pods: Pods;
}

async function questionFrom(api: Api, what: readonly string[], here: string, options: Options): Promise<Question> {
  const { count, named } = countIn(what, options.file);
  const file = options.file === undefined ? undefined : readPodFile(options.file);
  const namespace = namespaceOf(options, file, here);
  // What can't be counted would only make a Lock that fails.
  if (file !== undefined) demanded(file, namespace);
  const { kind, pods } = file === undefined ? await podsNamed(api, namespace, named) : { kind: undefined, pods: file };
  const whose = kind === undefined ? { pods } : { podFrom: { kind, name: pods.name } as never };
  const asked = lockFrom(whose, count, namespace, options);
  if ('problems' in asked) throw new BadInput(asked.problems.join('\n'));
  return { asked, pods };
}

/** How many, and whose where no file says it. @throws {BadInput} when one of the two is missing, or there is more */
function countIn(what: readonly string[], file: string | undefined): { readonly count: string; readonly named: string } {
  const [count, ...more] = [...what].reverse();
  const [named = ''] = more;
  if (count !== undefined && more.length === (file === undefined ? 1 : 0)) return { count, named };
  const howMany = (whose: string) => `how many slots${whose}? It is 1 to ${MAX_SLOTS}. For example gala lock`;
  if (file !== undefined && count === undefined) throw new BadInput(`gala lock: ${howMany('')} -f ${file} 200.`);
  if (file !== undefined)
    throw new BadInput(
      `gala lock: got ${what.join(' ')} beside -f ${file}; the file says whose pods, so only the count is left. Leave ${what.slice(0, -1).join(' ')} out.`,
    );
  if (count !== undefined && more.length === 0 && Number.isNaN(Number(count)))
    throw new BadInput(`gala lock: ${howMany(` for ${count}`)} ${count} 200.`);
  throw new BadInput(
    `gala lock: got ${count === undefined ? 'nothing' : what.join(' ')}; it takes whose pods and how many, 1 to ${MAX_SLOTS}. For example gala lock feed-api 200, or gala lock -f feed.yaml 200.`,
  );
}

/** @returns the Lock as the API server has it now */
async function ask(api: Api, asked: Asked, dryRun: boolean): Promise<Stored<Lock>> {
  const { namespace, name, spec, named } = asked;
  for (let tries = 1; ; tries++) {
    try {
      return await api.create(LOCKS, { metadata: { namespace, name }, spec } as never, { dryRun });
    } catch (error) {
      if (isNotFound(error) && !isNoSuchKind(error)) await assertNamespace(api, namespace);
      if (!isAlreadyExists(error)) unlessOff(error);
    }
    const there = await unlessMissing(api.get(LOCKS, { namespace, name }));
    if (there === undefined && tries < 3) continue;
    if (there === undefined) throw new NotNow(`${namespace}/${name}: somebody makes and deletes it all the time. Choose another --name.`);
    // Whoever names a Lock wants the answer that this name got; a question asked anew wants a new one.
    const over = there.status?.phase === 'Failed' || there.status?.phase === 'Expired';
    if (named === 'by the question' && over && tries < 3 && !dryRun) {
      say(`${namespace}/${name}: is ${there.status?.phase}; asking anew`);
      await unlessMissing(api.delete(LOCKS, { namespace, name }, { preconditions: { uid: there.metadata.uid } }));
      continue;
    }
    const other = otherFields(spec, there.spec);
    if (other.length === 0) return there;
    throw new Refused(
      `${namespace}/${name}: ${other.map(({ what, allowed }) => `${what}; ${allowed}`).join('. ')}. ` +
        'A name is an idempotency key: choose another --name, or take the old one back: ' +
        `gala unlock ${name} -n ${namespace}.`,
    );
  }
}

/** Waits until the lock writer has answered. @throws {NotNow} when it does not in time; the Lock stays */
async function settled(api: Api, lock: Stored<Lock>, timeoutMs: number, options: Options): Promise<Stored<Lock>> {
  const id = idOf(lock);
  const until = performance.now() + timeoutMs;
  let seen = lock;
  for (let waitMs = 50; ; waitMs = Math.min(1000, waitMs * 1.5)) {
    const phase = seen.status?.phase;
    if (phase === 'Ready' || phase === 'Failed' || phase === 'Expired') return seen;
    if (performance.now() >= until) break;
    await sleep(Math.min(waitMs, Math.max(1, until - performance.now())));
    const now = await unlessMissing(api.get(LOCKS, id));
    if (now === undefined)
      throw new Refused(`${id.namespace}/${id.name}: it was deleted while it was waited for. Ask again if it was not you.`);
    if (now.status?.phase !== phase) say(`${id.namespace}/${id.name}: ${now.status?.phase ?? 'asked for'}`);
    seen = now;
  }
  const writer = await writerOf(api, options.leaseNamespace);
  throw new NotNow(
    `${id.namespace}/${id.name}: ${seen.status?.phase === undefined ? 'nobody has looked at it' : `it is ${seen.status.phase}`} after ${ageOf(timeoutMs)}. ` +
      `${writer} It stays asked for: gala locks -n ${id.namespace} shows it, gala unlock ${id.name} -n ${id.namespace} takes it back.`,
  );
}

const idOf = ({ metadata }: Stored<Lock>) => ({ namespace: metadata.namespace as string, name: metadata.name });

async function renew(api: Api, id: Required<Id>, options: Options): Promise<ExitCode> {
  const there = await unlessMissing(api.get(LOCKS, id).catch(unlessOff));
  if (there === undefined) {
    await assertNamespace(api, id.namespace);
    throw new BadInput(noSuchLock(id));
  }
  const phase = there.status?.phase;
  if (phase === 'Failed' || phase === 'Expired')
    throw new Refused(
      `${id.namespace}/${id.name}: it is ${phase} and holds nothing; only what holds is renewed. Ask anew under another --name.`,
    );
  // The writer counts from when it sees the field change; the time itself is for people.
  const renewed = await api.patch(LOCKS, id, { spec: { renewedAt: new Date().toISOString() } }, { dryRun: options.dryRun });
  return answer(api, renewed, options);
}

/** @param stock what there is, where the Lock got nothing; or what was wrong with the question */
async function answer(api: Api, lock: Stored<Lock>, options: Options, stock?: StockAnswer | string): Promise<ExitCode> {
  const seen = lockSeen(lock, await racksOf(api, lock));
  const dryRun = options.dryRun ?? false;
  await print(options.output, { ...seen, ...(typeof stock === 'object' ? { stock } : {}) }, () => lockText(seen, { dryRun, stock }));
  return exitCodeOf(seen);
}

const exitCodeOf = ({ phase }: LockSeen): ExitCode => (phase === 'Failed' || phase === 'Expired' ? 3 : 0);

/** By node; without the right to look at nodes the answer says no racks. */
async function racksOf(api: Api, lock: Stored<Lock>): Promise<ReadonlyMap<string, string>> {
  if ((lock.status?.slots ?? []).length === 0) return new Map();
  const { items } = await api.list(NODES, { labelSelector: RACK }).catch(() => ({ items: [] }));
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.labels?.[RACK] ?? '']));
}
const RACK = 'gala.internal/rack';
