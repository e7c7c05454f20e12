/**
 * `gala ips free`: lets Held and Quarantined addresses go before their time. The lock writer alone deletes IPLocks: a person says so by
 * an annotation, and this waits until it has been done.
 */
import { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import { FREE_ANNOTATION } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { kindOf } from '../kube/kinds.ts';
import { eachPage } from '../kube/verbs.ts';
import { placeOf } from './address-place.ts';
import { counted, secondsOf } from './amount.ts';
import { type ClusterOptions, inCluster, listed, unlessNoAddresses } from './cluster.ts';
import { isAddress } from './ip-text.ts';
import { askFor, each, type Wish } from './ips-asking.ts';
import {
  type FreeAnswer,
  type Freeable,
  freeableOf,
  freeRow,
  freeText,
  losesText,
  mayBeFreed,
  refusal,
  warningsOf,
} from './ips-freeing.ts';
import { agreed, named } from './ips-named.ts';
import { writerOf } from './leader.ts';
import { BadInput, type ExitCode, type Format, NotNow, print, Refused, say } from './output.ts';

export interface FreeOptions extends ClusterOptions {
  readonly held?: string | true;
  readonly quarantined?: true;
  readonly pool?: readonly string[];
  readonly yes?: true;
  readonly timeout: string;
  readonly dryRun?: true;
  readonly leaseNamespace: string;
  readonly output: Format;
}

const IPLOCKS = kindOf(IPLock);

export async function free(typed: readonly string[], options: FreeOptions): Promise<ExitCode> {
  // What follows --held is an owner; an address there is meant as one.
  const { held, quarantined } = options;
  const names = [...typed, ...(typeof held === 'string' && isAddress(held) ? [held] : [])];
  const meant: Meant = { held: typeof held === 'string' && isAddress(held) ? true : held, quarantined: quarantined ?? false };
  const timeoutSeconds = secondsOf(options.timeout);
  const problems = [
    ...problemsIn(names, meant, options),
    ...(timeoutSeconds === undefined ? [`--timeout is '${options.timeout}'; it is a duration. For example 30s or 2m.`] : []),
  ];
  if (problems.length > 0) throw new BadInput(problems.join('\n'));
  return inCluster({ ...options, command: 'ips free' }, async ({ api, namespace }): Promise<ExitCode> => {
    const isMeant = meaning(meant, namespace);
    const found = names.length > 0 ? await named(api, names) : await selected(api, isMeant, options.pool);
    // Named one by one they are all or none: what is refused may be why the others were named.
    const refused = found.filter((one) => !mayBeFreed(one) || !isMeant(one));
    if (refused.length > 0)
      throw new Refused([...refused.map(refusal), ...(refused.length === found.length ? [] : [LEAVE_OUT])].join('\n'));
    const { dryRun = false, yes = false } = options;
    if (found.length > 0) {
      say(losesText(found, Date.now()));
      for (const warning of warningsOf(found, await slotsThatGo(api, found))) say(warning);
      const count = found.length;
      await agreed({
        command: 'gala ips free',
        count,
        question: `Free ${count} addresses?`,
        done: 'freed',
        does: 'frees them',
        yes: yes || dryRun,
      });
    }
    const { done, taken, waiting } = await askFor(api, found, LET_GO, { timeoutMs: (timeoutSeconds ?? 0) * 1000, dryRun });
    const freed = done.map(({ one }) => freeRow(one));
    const answer: FreeAnswer = { dryRun, freed, taken: taken.map(freeRow), waiting: waiting.map(freeRow) };
    await print(options.output, answer, () => (found.length === 0 ? nothingText(meant, namespace) : freeText(answer)));
    if (waiting.length > 0) throw new NotNow(await notYet(api, waiting.length, options));
    return taken.length > 0 ? 3 : 0;
  });
}

const LET_GO: Wish = {
  annotations: { [FREE_ANNOTATION]: 'true' },
  stateOf: (there, { uid }) => (there?.uid !== uid ? 'done' : mayBeFreed(there) ? 'waiting' : 'taken'),
  gone: 'done',
  word: 'free',
};

const LEAVE_OUT = 'Nothing is freed. Leave these out to free the others.';

/** Which states were asked for; of Held ones perhaps an owner's. */
interface Meant {
  readonly held: string | true | undefined;
  readonly quarantined: boolean;
}

function problemsIn(names: readonly string[], { held, quarantined }: Meant, { pool }: FreeOptions): string[] {
  const example = 'For example gala ips free 10.110.2.37, or gala ips free --held feed/feed-old.';
  const byState = held !== undefined || quarantined;
  return [
    ...(names.length === 0 && !byState ? [`gala ips free: which addresses? ${example}`] : []),
    ...(pool !== undefined && names.length > 0
      ? ['--pool: addresses that are named lie where they lie. Leave it out, or the addresses.']
      : []),
    ...(pool !== undefined && names.length === 0 && !byState ? ['--pool: which of its addresses? Add --held or --quarantined.'] : []),
    ...names.filter((one) => !isAddress(one)).map((one) => `${one}: it is no IPv4 address. ${example}`),
  ];
}

/** Whether an address is one of those that were asked for; where no state was, each is. */
function meaning({ held, quarantined }: Meant, here: string): (one: Freeable) => boolean {
  const owner = ownerOf(held, here);
  return ({ state, owner: of }) => {
    if (held === undefined && !quarantined) return true;
    return state === 'Held' ? held !== undefined && (owner === undefined || of === owner) : state === 'Quarantined' && quarantined;
  };
}

const ownerOf = (held: Meant['held'], here: string): string | undefined =>
  typeof held !== 'string' ? undefined : held.includes('/') ? held : `${here}/${held}`;

async function selected(api: Api, isMeant: (one: Freeable) => boolean, pools: readonly string[] | undefined): Promise<Freeable[]> {
  const found: Freeable[] = [];
  await eachPage(
    api,
    IPLOCKS,
    {},
    (page) => {
      for (const ipLock of page) {
        const one = freeableOf(ipLock);
        if (mayBeFreed(one) && isMeant(one)) found.push(one);
      }
    },
    () => found.splice(0),
  ).catch(unlessNoAddresses);
  return pools === undefined ? found : inPools(api, found, pools);
}

async function inPools(api: Api, found: readonly Freeable[], wanted: readonly string[]): Promise<Freeable[]> {
  const [pools, networks] = await Promise.all([listed(api.list(kindOf(HostPool))), listed(api.list(kindOf(NodeNetwork)))]);
  const unknown = wanted.filter((name) => !pools.some(({ metadata }) => metadata.name === name));
  if (unknown.length > 0)
    throw new BadInput(
      `--pool ${unknown.join(', ')}: there is no such pool; there are ${pools.map(({ metadata }) => metadata.name).join(', ') || 'none'}. gala ips --by pool counts them.`,
    );
  return found.filter(({ address }) => {
    const pool = placeOf(address, pools, networks)?.pool;
    return pool !== undefined && wanted.includes(pool);
  });
}

/** By Lock: how many of its slots have one of these, and go with it. One that is gone, or over, has none; one that we may not see is not told. */
async function slotsThatGo(api: Api, found: readonly Freeable[]): Promise<ReadonlyMap<string, number>> {
  const addresses = new Set(found.map(({ address }) => address));
  const keys = [...new Set(found.flatMap(({ state, lock }) => (state === 'Held' && lock !== undefined ? [lock] : [])))];
  const counts = await each(keys, async (key) => {
    const [namespace, name] = key.split('/') as [string, string];
    const lock = await api.get(kindOf(Lock), { namespace, name }).catch(() => undefined);
    const slots = lock?.status?.phase === 'Ready' ? (lock.status.slots ?? []) : [];
    return [key, slots.filter(({ address }) => address !== undefined && addresses.has(address)).length] as const;
  });
  return new Map(counts.filter(([, slots]) => slots > 0));
}

async function notYet(api: Api, count: number, { timeout, leaseNamespace }: FreeOptions): Promise<string> {
  const writer = await writerOf(api, leaseNamespace);
  return (
    `${counted(count, 'address is', 'addresses are')} not free after ${timeout}. ${writer} ` +
    `It stays asked for, and is done when the lock writer looks; to take that back: kubectl annotate iplock <address> ${FREE_ANNOTATION}-`
  );
}

function nothingText({ held, quarantined }: Meant, here: string): string {
  const owner = ownerOf(held, here);
  const states = [
    ...(held === undefined ? [] : [`Held${owner === undefined ? '' : ` for ${owner}`}`]),
    ...(quarantined ? ['Quarantined'] : []),
  ];
  return `No address is ${states.join(' or ')}. gala ips list --held says for whom there are any.`;
}
