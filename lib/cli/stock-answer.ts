/** What `gala stock` answers, counted by the library. Pure. */
import { didYouMean } from '../api/issue.ts';
import type { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import { sentence } from '../api/problem.ts';
import { demandOf } from '../scheduling/demand.ts';
import { whyNever } from '../scheduling/never.ts';
import { place } from '../scheduling/place.ts';
import { racksOf } from '../scheduling/racks.ts';
import { stock } from '../scheduling/stock.ts';
import { tightCaps, tooTightProblems } from '../scheduling/tight-caps.ts';
import type { Ask, Demand, Limit, Terrain } from '../scheduling/types.ts';
import { moreOf } from './more.ts';
import { notThere, withLaunches } from './not-there.ts';
import { BadInput } from './output.ts';
import type { Pods } from './pod-file.ts';
import type { Question } from './question.ts';
import type { StockAnswer } from './stock-text.ts';

interface Named<T> {
  readonly metadata: { readonly name: string };
  readonly spec: T;
}

export interface Facts {
  readonly terrain: Terrain;
  readonly hostPools: Iterable<Named<HostPool['spec']>>;
  readonly nodeNetworks: Iterable<Named<NodeNetwork['spec']>>;
  readonly ipLocks: Iterable<Named<IPLock['spec']>>;
}

/** Everything of the question but whose pods. */
export interface How extends Question {
  readonly pools?: readonly string[];
  /** A number of slots that is wanted. */
  readonly count?: number;
}

/** A question about pods from a file. */
export interface AskedOf {
  readonly pods: Pods;
  readonly namespace: string;
  readonly how: How;
  /** Of places some are thought away: what these few can't hold is an answer, and no wrong question. */
  readonly supposed?: boolean;
}

export type Counted = Omit<StockAnswer, 'pods' | 'question' | 'source'>;

/** @throws {BadInput} with all of the question that can't be */
export function answerFrom(facts: Facts, source: StockAnswer['source'], { pods, namespace, how, supposed }: AskedOf): StockAnswer {
  const demand = demanded(pods, namespace);
  const { count, ...question } = how;
  const { poolNames } = facts.terrain;
  const places = facts.terrain.level('datacenter').names;
  const wrong = [
    ...(how.pools ?? []).flatMap((pool) => unknown('--pool', pool, 'pool', poolNames)),
    ...(how.near === undefined ? [] : unknown('--near', how.near, 'datacenter', places)),
  ];
  if (wrong.length > 0) throw new BadInput(wrong.join('\n'));
  const ask = { demand, ...question };
  const tight = tightCaps(facts.terrain, ask);
  const tooTight = count === undefined || supposed ? [] : tooTightProblems(tight, count, (level) => `--max-per ${level}`);
  if (tooTight.length > 0) throw new BadInput(tooTight.map(sentence).join('\n'));
  return { ...about(pods, demand, how, source), ...stockAnswer(facts, ask, count), ...(tight.length === 0 ? {} : { tightCaps: tight }) };
}

function unknown(option: string, name: string, noun: string, known: readonly string[]): string[] {
  if (known.includes(name)) return [];
  const there = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`;
  return [`${option} ${name}: no such ${noun}; ${there}. ${didYouMean(name, known, 'Leave it out, or name one of these.')}`];
}

/** The same of a cluster, as it is or was: with what its HostPools declare beyond the hosts that there are. */
export async function answerWithAbsent(facts: Facts, source: StockAnswer['source'], asked: AskedOf): Promise<StockAnswer> {
  const answer = answerFrom(facts, source, asked);
  const absent = await withLaunches(notThere(answer.pools, facts.hostPools), facts.hostPools, demanded(asked.pods, asked.namespace));
  return absent.length === 0 ? answer : { ...answer, notThere: absent };
}

/** What stands at the head of every answer. */
export function about({ name, revision }: Pods, demand: Demand, { count: _, ...question }: How, source: StockAnswer['source']) {
  const { namespace, address } = demand;
  const wants = Object.fromEntries(demand.requests);
  return { pods: { ...(name && { name }), namespace, ...(revision && { revision }), wants, address }, question, source };
}

/** @throws {BadInput} with all that can't be counted */
export function demanded({ template, name, where, path }: Pods, namespace: string): Demand {
  const { demand, problems } = demandOf(template, { namespace, path, ...(name === undefined ? {} : { owner: `${namespace}/${name}` }) });
  if (demand === undefined)
    throw new BadInput(problems.map((problem) => `${where === undefined ? '' : `${where}: `}${sentence(problem)}`).join('\n'));
  return demand;
}

/** @param want a number of slots that is wanted: how many of them there are */
export function stockAnswer({ terrain, hostPools, nodeNetworks, ipLocks }: Facts, ask: Ask, want?: number): Counted {
  const found = stock(terrain, ask);
  const { demand } = ask;
  const uncounted = [...demand.requests.keys()].filter((name) => nobodySays(name, terrain));
  const never = found.count === 0 ? whyNever(terrain, ask) : undefined;
  const more = moreOf({ namespace: demand.namespace, owner: demand.owner, pools: found.pools }, ipLocks, hostPools, nodeNetworks);
  return {
    ...found,
    racks: racksOf(terrain, ask, found.count),
    alone: aloneOf(terrain, ask, uncounted),
    uncounted,
    ...(never === undefined ? {} : { never }),
    more,
    ...(want === undefined ? {} : { want: wanted(terrain, ask, want) }),
  };
}

function wanted(terrain: Terrain, ask: Ask, want: number): NonNullable<StockAnswer['want']> {
  const placed = place(terrain, ask, want);
  return 'slots' in placed ? { count: want, found: want } : { count: want, found: placed.found };
}

/** Whether not one node says how much of a supply it has: then nothing limits it here, and that is said. */
function nobodySays(name: string, terrain: Terrain): boolean {
  const capacity = terrain.supply(name)?.capacity;
  let hosts = 0;
  for (let row = 0; row < terrain.rows; row++) {
    if (terrain.names[row] === undefined) continue;
    if (!Number.isNaN(capacity?.[row] ?? 0)) return false;
    hosts++;
  }
  return hosts > 0;
}

/** What each supply would allow if the pods asked for nothing else, the least first. */
function aloneOf(terrain: Terrain, { demand, strategy, pools }: Ask, uncounted: readonly string[]): NonNullable<StockAnswer['alone']> {
  const asking = (change: Partial<Demand>) => stock(terrain, { strategy, pools, demand: { ...demand, ...NOTHING, ...change } }).count;
  const counted = [...demand.requests].filter(([name]) => !uncounted.includes(name));
  const supplies = counted.map(([name, amount]): { limit: Limit; count: number } => ({
    limit: name,
    count: asking({ requests: new Map([[name, amount]]) }),
  }));
  const addresses = demand.address ? [{ limit: 'addresses', count: asking({ address: true }) }] : [];
  // A node that does not say bounds nothing: then there is no number to tell.
  return [...supplies, ...addresses].filter(({ count }) => count < UNBOUNDED).sort((a, b) => a.count - b.count);
}
const NOTHING = { requests: new Map<string, number>(), address: false, spread: [], affinity: [], antiAffinity: [], hostPorts: [] } as const;
/** What a node takes that nothing bounds (placing/ground.ts: PLENTY). */
const UNBOUNDED = 1_000_000;
