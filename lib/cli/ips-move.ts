/**
 * `gala ips move`: has slots that no pod has on another node, with their addresses. The lock writer alone decides where slots are: a person
 * says so by an annotation, and this waits until it has been done.
 */
import { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import { ANYWHERE, MOVE_ANNOTATION } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { ApiError, unlessMissing } from '../kube/error.ts';
import { kindOf, NODES } from '../kube/kinds.ts';
import { isDrained, nodeFacts } from '../scheduling/node.ts';
import { placeOf } from './address-place.ts';
import { counted, secondsOf } from './amount.ts';
import { type ClusterOptions, inCluster, listed } from './cluster.ts';
import { isAddress } from './ip-text.ts';
import { askFor, type Wish } from './ips-asking.ts';
import { type Freeable, freeableOf } from './ips-freeing.ts';
import { type MoveAnswer, moveRow, moveText, stayRow, stays } from './ips-moving.ts';
import { agreed, named } from './ips-named.ts';
import { writerOf } from './leader.ts';
import { BadInput, type ExitCode, type Format, NotNow, print, Refused } from './output.ts';

export interface MoveOptions extends ClusterOptions {
  readonly from?: string;
  readonly to?: string;
  readonly yes?: true;
  readonly timeout: string;
  readonly dryRun?: true;
  readonly leaseNamespace: string;
  readonly output: Format;
}

export async function move(addresses: readonly string[], options: MoveOptions): Promise<ExitCode> {
  const { from, to, dryRun = false, yes = false } = options;
  const timeoutSeconds = secondsOf(options.timeout);
  const problems = problemsIn(addresses, options, timeoutSeconds);
  if (problems.length > 0) throw new BadInput(problems.join('\n'));
  return inCluster({ ...options, command: 'ips move' }, async ({ api }): Promise<ExitCode> => {
    if (to !== undefined) await mayTake(api, to);
    const found = from === undefined ? await named(api, addresses) : await on(api, from);
    const judged = await judge(api, found, to);
    const stay = judged.filter(({ because }) => because !== undefined);
    // Named one by one they are all or none: what is refused may be why the others were named.
    if (from === undefined && stay.length > 0)
      throw new Refused([...stay.map(({ because }) => because), ...(stay.length === found.length ? [] : [LEAVE_OUT])].join('\n'));
    const going = judged.flatMap(({ one, because }) => (because === undefined ? [one] : []));
    const count = going.length;
    const question = `Move ${count} addresses${from === undefined ? '' : ` away from ${from}`}?`;
    if (count > 0) await agreed({ command: 'gala ips move', count, question, done: 'moved', does: 'moves them', yes: yes || dryRun });
    const { done, taken, waiting } = await askFor(api, going, wish(to), { timeoutMs: (timeoutSeconds ?? 0) * 1000, dryRun });
    const answer: MoveAnswer = {
      dryRun,
      moved: done.map(({ one, there }) => moveRow(one, there?.node ?? to)),
      stay: stay.map(({ one, because }) => stayRow(one, because as string)),
      taken: taken.map((one) => moveRow(one)),
      waiting: waiting.map((one) => moveRow(one, to)),
    };
    await print(options.output, answer, () => (found.length === 0 ? `No address is on ${from}.` : moveText(answer)));
    if (waiting.length > 0) throw new NotNow(await notYet(api, waiting.length, options));
    return taken.length > 0 ? 3 : 0;
  });
}

const LEAVE_OUT = 'Nothing is moved. Leave these out to move the others.';

const wish = (to = ANYWHERE): Wish => ({
  annotations: { [MOVE_ANNOTATION]: to },
  // Where no pod has had it yet it is made anew there: for a moment there is none.
  stateOf: (there, { node, uid }) =>
    there === undefined ? 'waiting' : there.node !== node ? 'done' : there.podUID !== undefined || there.uid !== uid ? 'taken' : 'waiting',
  gone: 'taken',
  word: 'moved',
});

function problemsIn(addresses: readonly string[], { from, to, timeout }: MoveOptions, timeoutSeconds: number | undefined): string[] {
  const example = 'For example gala ips move 10.110.2.37, or gala ips move --from bj-a-r12-03.';
  return [
    ...(addresses.length === 0 && from === undefined ? [`gala ips move: which addresses? ${example}`] : []),
    ...(addresses.length > 0 && from !== undefined
      ? ['--from: addresses that are named lie where they lie. Leave it out, or the addresses.']
      : []),
    ...(from !== undefined && from === to
      ? [`--to is ${to}, and so is --from: they are there. Name another node, or leave --to out.`]
      : []),
    ...addresses.filter((one) => !isAddress(one)).map((one) => `${one}: it is no IPv4 address. ${example}`),
    ...(timeoutSeconds === undefined ? [`--timeout is '${timeout}'; it is a duration. For example 30s or 2m.`] : []),
  ];
}

/** @throws where no slot could go there; who may not read Nodes is told by the lock writer */
async function mayTake(api: Api, name: string): Promise<void> {
  const node = await unlessMissing(api.get(NODES, { name })).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 403) return 'unknown' as const;
    throw error;
  });
  if (node === 'unknown') return;
  if (node === undefined) throw new BadInput(`--to ${name}: there is no Node of that name. kubectl get nodes lists them.`);
  const facts = nodeFacts(node);
  if (isDrained(facts, []))
    throw new Refused(
      `--to ${name}: it is cordoned, or its machine is off, and takes no slots. kubectl uncordon ${name}, or name another node.`,
    );
  if (!facts.ready)
    throw new Refused(`--to ${name}: it is not Ready, and takes no slots. kubectl describe node ${name} says why; or name another node.`);
}

async function on(api: Api, node: string): Promise<Freeable[]> {
  return (await listed(api.list(kindOf(IPLock), { fieldSelector: `spec.node=${node}` }))).map(freeableOf);
}

async function judge(api: Api, found: readonly Freeable[], to: string | undefined) {
  const [pools, networks] = await Promise.all([listed(api.list(kindOf(HostPool))), listed(api.list(kindOf(NodeNetwork)))]);
  return found.map((one) => ({ one, because: stays(one, placeOf(one.address, pools, networks), to) }));
}

async function notYet(api: Api, count: number, { timeout, leaseNamespace }: MoveOptions): Promise<string> {
  const writer = await writerOf(api, leaseNamespace);
  return (
    `${counted(count, 'address is', 'addresses are')} not on another node after ${timeout}. ${writer} ` +
    `kubectl describe iplock <address> says what other nodes lack (NotMoved). It stays asked for; to take that back: kubectl annotate iplock <address> ${MOVE_ANNOTATION}-`
  );
}
