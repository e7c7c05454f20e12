/** Stock as `gala stock` shows it: what `-o json` prints, and the same for people. Pure. */
import type { Never } from '../scheduling/never.ts';
import type { TightCap } from '../scheduling/tight-caps.ts';
import type { Ask, Limit, PoolFit, Stock } from '../scheduling/types.ts';
import { ageOf, amountOf, counted, supplyName } from './amount.ts';
import { type More, moreText } from './more.ts';
import { type NotThere, notThereLimit, notThereNotes } from './not-there.ts';
import { questionText } from './question.ts';
import { table, terminalWidth } from './table.ts';

/** Where the facts were taken from. */
export interface Source {
  readonly from: 'definition' | 'snapshot' | 'cluster';
  /** Name of the cluster, path of the file, URL of the API server. */
  readonly name: string;
  /** A cluster: who counted. */
  readonly by?: 'stock API' | 'library';
  readonly ageSeconds?: number;
  /** Left out: nothing measures live use. */
  readonly samplesAgeSeconds?: number;
}

/** What `-o json` prints. */
export interface StockAnswer extends Omit<Stock, 'nodes'> {
  readonly pods: {
    /** A bare template has none. */
    readonly name?: string;
    readonly namespace: string;
    readonly revision?: string;
    /** By supply: cores, bytes, bits a second. */
    readonly wants: Readonly<Record<string, number>>;
    readonly address: boolean;
  };
  readonly question: Pick<Ask, 'strategy' | 'maxPer' | 'near' | 'pools'>;
  readonly source: Source;
  readonly nodes?: Stock['nodes'];
  /** Where the count would lie; these add up to it. Not told by the stock API. */
  readonly racks?: readonly { readonly pool: string; readonly rack?: string; readonly fit: number }[];
  /** What each supply by itself would allow, the least first; not told by the stock API. */
  readonly alone?: readonly { readonly limit: Limit; readonly count: number }[];
  /** Asked for, and not counted: no node says how much of it there is. */
  readonly uncounted?: readonly string[];
  /** Why no node could ever take such a pod, where that is so. */
  readonly never?: readonly Never[];
  /** Percentages of `--max-per` that are less than all on the places that there are. */
  readonly tightCaps?: readonly TightCap[];
  /** With `--count`: how many of these there are. */
  readonly want?: { readonly count: number; readonly found: number };
  /** Of a definition: pools whose machine it does not describe; CPU and memory are not limited there. */
  readonly undescribed?: readonly string[];
  /** Of a definition: the count when all instances of its EC2 pools are launched. */
  readonly launching?: { readonly instances: number; readonly count: number };
  /** Of a cluster or snapshot: what its HostPools declare beyond the hosts that there are. */
  readonly notThere?: readonly NotThere[];
  /** What would make more of it, and how. */
  readonly more: readonly More[];
}

export function stockText(answer: StockAnswer): string {
  return answer.source.from === 'definition' ? shortText(answer) : longText(answer);
}

/** `768 fit (384 per rack). limited by addresses; cpu alone would allow 960` */
function shortText(answer: StockAnswer): string {
  const { count, limit } = answer;
  const places = placesOf(answer);
  const second = (answer.alone ?? []).find((other) => other.limit !== limit && other.count >= count);
  const otherwise = second === undefined ? '' : `; ${supplyName(second.limit)} alone would allow ${second.count}`;
  const why = count === 0 ? whyNothing(answer) : `. limited by ${limitName(limit)}${otherwise}`;
  return [`${count} fit${places === '' ? '' : ` (${places})`}${why}`, ...notes(answer)].join('\n');
}

/** Most racks that are told one by one. */
const FEW_RACKS = 6;

function placesOf({ racks = [] }: StockAnswer): string {
  const byPool = [...Map.groupBy(racks, ({ pool }) => pool)];
  if (byPool.length > 1)
    return byPool.map(([pool, of]) => `${pool || 'of no pool'} ${of.reduce((sum, { fit }) => sum + fit, 0)}`).join(', ');
  const fits = racks.map(({ fit }) => fit);
  if (fits.length < 2) return '';
  const [least, most] = [Math.min(...fits), Math.max(...fits)];
  if (least === most) return `${most} per rack`;
  return racks.length > FEW_RACKS
    ? `${least} to ${most} per rack`
    : racks.map(({ rack, fit }) => `${rack ?? 'of no rack'} ${fit}`).join(', ');
}

const whyNothing = ({ limits }: StockAnswer): string =>
  limits.length === 0
    ? ': there is no host to count on'
    : `. limited by ${limits.map(({ limit, nodes }) => `${limitName(limit)} (${counted(nodes, 'host')})`).join(', ')}`;

function longText(answer: StockAnswer): string {
  const { source, pods, question, count, pools } = answer;
  const name = [pods.name ?? 'pods', ...(pods.revision === undefined ? [] : [`rev ${pods.revision}`])].join(' ');
  const wants = [...wantsText(answer), questionText(question)].join(' · ');
  const launched = (answer.notThere ?? []).reduce((sum, { fit = 0 }) => sum + fit, 0);
  return [
    agesText(source),
    `${name}   ${wants}`,
    table([['POOL', 'HOSTS', 'FIT NOW', 'LOCKED BY OTHERS', 'LIMITED BY (hosts)'], ...pools.map((fit) => poolRow(fit, answer))], {
      width: terminalWidth(),
    }),
    [`${count} now${launched === 0 ? '' : `, ${count + launched} with EC2`}.`, ...moreText(answer.more)].join('  '),
    ...notes(answer),
  ].join('\n');
}

/** `snapshot 0.4 s old · live metrics 11 s old` */
function agesText({ from, name, ageSeconds, samplesAgeSeconds }: Source): string {
  const what = from === 'snapshot' ? `snapshot ${name}` : 'snapshot';
  const age = ageSeconds === undefined ? what : `${what} ${ageOf(ageSeconds * 1000)} old`;
  return `${age} · ${samplesAgeSeconds === undefined ? 'no live metrics' : `live metrics ${ageOf(samplesAgeSeconds * 1000)} old`}`;
}

/** `cpu 2`, `memory 4Gi`, `log 20Gi`: what the nodes give first, the network last. */
export function wantsText({ pods: { wants } }: Pick<StockAnswer, 'pods'>): string[] {
  const rank = (supply: string) => ['cpu', 'memory'].indexOf(supply) + 1 || (NETWORK.includes(supply) ? 9 : 5);
  return Object.entries(wants)
    .filter(([supply]) => supply !== 'pods')
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([supply, amount]) => `${supplyName(supply)} ${amountOf(supply, amount)}`);
}
const NETWORK = ['egress', 'ingress'];

function poolRow({ pool, hosts, fit, lockedByOthers, limits }: PoolFit, { notThere = [] }: StockAnswer): string[] {
  const absent = notThere.filter((one) => one.pool === pool);
  const [{ instances = 0, fit: more } = {}] = absent;
  return [
    pool === '' ? 'no pool' : pool,
    instances === 0 ? String(hosts) : `${hosts}/${hosts + instances}`,
    more === undefined ? String(fit) : `${fit === 0 ? '' : `${fit} `}+${more}`,
    String(lockedByOthers),
    [...limits.map(({ limit, nodes }) => `${limitName(limit)} ${nodes}`), ...absent.map(notThereLimit)].join(' · '),
  ];
}

/** What the number does not say. */
function notes({ uncounted = [], never, want, tightCaps = [], undescribed = [], launching, notThere = [] }: StockAnswer): string[] {
  return [
    ...notThereNotes(notThere),
    ...(launching === undefined ? [] : [`${launching.count} with ${counted(launching.instances, 'more instance')} of EC2 launched.`]),
    ...(want === undefined ? [] : [want.found >= want.count ? `${want.count} are there.` : `${want.found} of ${want.count} are there.`]),
    ...tightCaps.map(tightText),
    ...(never === undefined ? [] : [`No host could ever take such a pod, however empty: ${never.map(neverText).join(', ')}.`]),
    ...(undescribed.length === 0 ? [] : [`Not limited on ${undescribed.join(', ')}, whose machine is not described: cpu, memory.`]),
    ...(uncounted.length === 0 ? [] : [`Not counted, for no host says how much it has: ${uncounted.map(supplyName).join(', ')}.`]),
  ];
}

function tightText({ level, cap, places, most, enough }: TightCap): string {
  return `${level}=${cap} on ${counted(places, level)} is less than all: never more than ${most} can lie so, whatever is free. ${level}=${enough} or more does, or more ${level}s.`;
}

function neverText({ limit, nodes, asks, most }: Never): string {
  const amounts = asks === undefined ? '' : ` (asks ${amountOf(limit, asks)}, the largest has ${amountOf(limit, most ?? 0)})`;
  return `${limitName(limit)} on ${counted(nodes, 'host')}${amounts}`;
}

/** A limit in words; most are words already. */
export const limitName = (limit: Limit): string => WORDS[limit] ?? supplyName(limit);
const WORDS: Readonly<Record<string, string>> = {
  macsPerPort: 'MAC addresses a port',
  notReady: 'not Ready',
  nodeSelector: 'node selector',
  nodeAffinity: 'node affinity',
  antiAffinity: 'anti-affinity',
  hostPorts: 'host ports',
  noSample: 'no fresh sample',
  noNodes: 'no hosts',
  'maxPer.node': 'cap a node',
  'maxPer.rack': 'cap a rack',
  'maxPer.zone': 'cap a zone',
  'maxPer.datacenter': 'cap a datacenter',
};
