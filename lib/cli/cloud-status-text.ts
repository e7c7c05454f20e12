/** `gala cloud status` as data and as a page. Pure: what was read in, what it means out. */
import type { HostPool } from '../api/kinds.ts';
import type { RegionStatus } from '../cloud/region-status.ts';
import { ageOf, counted } from './amount.ts';
import { table, terminalWidth } from './table.ts';

/** What `-o json` prints. */
export interface CloudSeen {
  /** When it was read; RFC 3339. */
  readonly at: string;
  readonly pools: readonly PoolSeen[];
  readonly regions: readonly RegionSeen[];
  /** Flags that the program was started with and that keep it from some of its work: `--dry-run`, `--orphans=list`. */
  readonly switches: readonly string[];
  /** What it waits for by itself. */
  readonly waits: readonly string[];
  /** What somebody has to do something about. */
  readonly wrong: readonly string[];
}

export interface PoolSeen {
  readonly name: string;
  readonly region: string;
  readonly instances: { readonly wanted: number; readonly there: number; readonly ready: number };
  /** Undefined: nobody has said it. */
  readonly enis?: { readonly wanted: number; readonly attached: number; readonly attaching: number; readonly creating: number };
}

export interface RegionSeen {
  readonly name: string;
  /** Undefined: it has not looked yet. */
  readonly lookedMsAgo?: number;
  readonly orphans: RegionStatus['orphans'];
  /** Of its own budget, by API. */
  readonly budget: RegionStatus['budget'];
  readonly lastError?: { readonly msAgo: number; readonly message: string };
}

interface Read {
  readonly regions: Readonly<Record<string, RegionStatus | undefined>>;
  readonly pools: Iterable<{
    readonly metadata: { readonly name: string };
    readonly spec: HostPool['spec'];
    readonly status?: HostPool['status'];
  }>;
  readonly switches: readonly string[];
  readonly atMs: number;
}

/** It looks every minute at least: one that has not for so long does not work. */
const SILENT_MS = 300_000;
/** Passes by itself; every other condition that is True is for somebody to act on. */
const PASSING = ['EnisMissing', 'InstancesMissing', 'Draining'];
/** Nodes of ended instances are deleted by the program, unless others bring the instances. */
const passes = (type: string, switches: readonly string[]): boolean =>
  PASSING.includes(type) || (type === 'InstancesGone' && !switches.includes('--instances=leave'));
const NO_ORPHANS: RegionStatus['orphans'] = { become: 'delete', count: 0, oldestSeconds: 0, ids: [] };

export function cloudSeen({ regions, pools, switches, atMs }: Read): CloudSeen {
  const ours = [...pools].filter(({ spec }) => spec.ec2 !== undefined).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const names = [...new Set([...Object.keys(regions), ...ours.map(({ spec }) => spec.ec2!.region)])].sort();
  const seen = names.map((name) => regionSeen(name, regions[name], atMs));
  const conditions = ours.flatMap(({ metadata, status }) =>
    (status?.conditions ?? [])
      .filter(({ status }) => status === 'True')
      .map(({ type, message = '' }) => ({ type, line: `${metadata.name}: ${message === '' ? type : message}` })),
  );
  const dry = switches.includes('--dry-run');
  const silent = dry
    ? [
        'It runs with --dry-run: it changes nothing, and says nothing here. kubectl -n gala-system logs deployment/gala-cloud has the steps.',
      ]
    : seen.flatMap(({ name, lookedMsAgo }) =>
        lookedMsAgo !== undefined && lookedMsAgo < SILENT_MS
          ? []
          : [
              `${name}: ${lookedMsAgo === undefined ? 'it has not looked yet' : `its last look is ${ageOf(lookedMsAgo)} old`}. gala status says whether it runs.`,
            ],
      );
  return {
    at: new Date(atMs).toISOString(),
    pools: ours.map(({ metadata: { name }, spec, status }) => poolSeen(name, spec, status, regions[spec.ec2!.region])),
    regions: seen,
    switches,
    waits: [...conditions.filter(({ type }) => passes(type, switches)).map(({ line }) => line), ...silent],
    wrong: conditions.filter(({ type }) => !passes(type, switches)).map(({ line }) => line),
  };
}

function poolSeen(
  name: string,
  { ec2, replicas }: HostPool['spec'],
  status: HostPool['status'],
  region: RegionStatus | undefined,
): PoolSeen {
  const { min, max } = ec2!.size;
  const enis = region?.pools[name]?.enis;
  return {
    name,
    region: ec2!.region,
    instances: {
      wanted: Math.min(max, Math.max(min, replicas ?? min)),
      there: status?.replicas ?? 0,
      ready: status?.hosts?.ready ?? 0,
    },
    ...(enis === undefined ? {} : { enis }),
  };
}

function regionSeen(name: string, status: RegionStatus | undefined, atMs: number): RegionSeen {
  if (status === undefined) return { name, orphans: NO_ORPHANS, budget: {} };
  const { at, orphans, budget, lastError } = status;
  return {
    ...{ name, orphans, budget, lookedMsAgo: Math.max(0, atMs - Date.parse(at)) },
    ...(lastError === undefined ? {} : { lastError: { msAgo: Math.max(0, atMs - Date.parse(lastError.at)), message: lastError.message } }),
  };
}

/** Where somebody has to act, asking again changes nothing; what is on its way is there a moment later. */
export const exitCodeOf = ({ wrong, waits }: Pick<CloudSeen, 'wrong' | 'waits'>): 0 | 3 | 4 =>
  wrong.length > 0 ? 3 : waits.length > 0 ? 4 : 0;

export function cloudStatusText({ pools, regions, switches, waits, wrong }: CloudSeen): string {
  const width = terminalWidth();
  return [
    table([['POOL', 'REGION', 'INSTANCES', 'READY', 'ENIS', 'ON THEIR WAY'], ...pools.map(poolRow)], { right: [2, 3, 4], width }),
    table([['REGION', 'LOOKED', 'CALLS LEFT', 'ORPHANS', 'LAST ERROR'], ...regions.map(regionRow)], { width }),
    ...(switches.length === 0 ? [] : [`Started with ${switches.join(' ')}.`]),
    ...wrong,
    ...waits,
    ...(wrong.length + waits.length > 0 ? [] : ['All that is wanted is there.']),
  ].join('\n');
}

function poolRow({ name, region, instances, enis }: PoolSeen): string[] {
  const { wanted, there, ready } = instances;
  const coming = enis === undefined ? [] : [[enis.creating, 'to create'] as const, [enis.attaching, 'to attach'] as const];
  const more = coming.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  return [
    ...[name, region, `${there}/${wanted}`, String(ready), enis === undefined ? '?' : `${enis.attached}/${enis.wanted}`],
    more.length === 0 ? '-' : more.join(' · '),
  ];
}

function regionRow({ name, lookedMsAgo, orphans, budget, lastError }: RegionSeen): string[] {
  const spent = Object.entries(budget).flatMap(([api, { left, of }]) => (left >= of ? [] : [`${api} ${left}/${of}`]));
  const calls = Object.keys(budget).length === 0 ? '?' : spent.length === 0 ? 'all' : spent.join(' · ');
  const become = orphans.become === 'list' ? 'kept' : 'deleted after 10 m';
  return [
    ...[name, lookedMsAgo === undefined ? 'not yet' : `${ageOf(lookedMsAgo)} ago`, calls],
    orphans.count === 0 ? 'none' : `${counted(orphans.count, 'ENI')}, oldest ${ageOf(orphans.oldestSeconds * 1000)}: ${become}`,
    lastError === undefined ? 'none' : `${ageOf(lastError.msAgo)} ago: ${lastError.message}`,
  ];
}
