/** `gala status` as data and as a page. Pure: what was read in, what it means out. */
import { ageOf, counted } from './amount.ts';
import { type Leader, leaderless } from './leader.ts';
import { amissRows, type PoolAmiss } from './pools-amiss.ts';
import { table, terminalWidth } from './table.ts';

export interface ProgramSeen {
  /** `gala-scheduler` */
  readonly name: string;
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly wanted: number;
  readonly ready: number;
  /** Restarts of its containers, all together. */
  readonly restarts: number;
  readonly lastError?: { readonly at: string; readonly message: string };
}

export interface KindSeen {
  /** `locks.gala.internal` */
  readonly name: string;
  /** Its CRD is there, and served. */
  readonly there: boolean;
  /** Undefined: not there, or not for us to see. */
  readonly objects?: number;
  /** By phase, where it has phases. */
  readonly phases?: Readonly<Record<string, number>>;
}

/** What `-o json` prints. */
export interface Status {
  readonly server: string;
  readonly kubernetes?: string;
  /** When it was read; RFC 3339. */
  readonly at: string;
  readonly programs: readonly ProgramSeen[];
  readonly leaders: readonly Leader[];
  readonly kinds: readonly KindSeen[];
  /** What is amiss with pools, by what `gala controller` wrote. */
  readonly pools: readonly PoolAmiss[];
  readonly nodes?: number;
  /** Pods of `gala-scheduler` that wait behind the gate. */
  readonly podsWaiting?: number;
  /** What could not be looked at, each with what would permit it. */
  readonly unseen: readonly string[];
  /** What does not work, in sentences; empty: all is well. */
  readonly wrong: readonly string[];
}

/** What of it does not work. A cluster without Gala's programs has nothing that could fail. */
export function wrongWith({ programs, leaders, kinds }: Pick<Status, 'programs' | 'leaders' | 'kinds'>): string[] {
  return [
    ...programs.flatMap(({ kind, name, ready, wanted }) =>
      ready >= wanted
        ? []
        : [`${kind} ${name}: ${ready} of ${wanted} ready. kubectl -n gala-system describe ${kind.toLowerCase()} ${name} says why.`],
    ),
    ...leaders.flatMap((leader) => (leader.leads ? [] : [leaderless(leader)])),
    ...(programs.length === 0
      ? []
      : kinds.filter(({ there }) => !there).map(({ name }) => `${name}: there is no such kind; what needs it is off. Apply 10-crds.yaml.`)),
  ];
}

/**
 * Where a host lies wrong somebody has to act, and asking again changes nothing; who could not look can't say that all is well.
 * Both are ordinary noes.
 */
export const exitCodeOf = ({ wrong, unseen, pools }: Pick<Status, 'wrong' | 'unseen' | 'pools'>): 0 | 3 | 4 =>
  wrong.length > 0 ? 4 : unseen.length + pools.length > 0 ? 3 : 0;

export function statusText(status: Status): string {
  const { server, kubernetes, at, programs, leaders, kinds, pools, nodes, podsWaiting, unseen, wrong } = status;
  const width = terminalWidth();
  const nowMs = Date.parse(at);
  const counts = [
    ...(nodes === undefined ? [] : [counted(nodes, 'node')]),
    ...(podsWaiting === undefined ? [] : [`${counted(podsWaiting, 'pod')} behind the gate`]),
  ];
  const parts = [
    [server, ...(kubernetes === undefined ? [] : [`Kubernetes ${kubernetes}`]), `read at ${at.slice(11, 19)} UTC`].join(' · '),
    programs.length === 0
      ? unseen.length === 0
        ? '  No programs of Gala: stock can be asked for, locks cannot.'
        : '  No programs of Gala that could be seen.'
      : table([['PROGRAM', 'READY', 'RESTARTS', 'LAST ERROR'], ...programs.map((program) => programRow(program, nowMs))], {
          right: [2],
          width,
        }),
    ...(leaders.length === 0 ? [] : [table([['LEASE', 'LEADS', 'RENEWED'], ...leaders.map(leaderRow)], { width })]),
    table([['KIND', 'OBJECTS', 'BY PHASE'], ...kinds.map(kindRow)], { right: [1], width }),
    ...(pools.length === 0 ? [] : [table(amissRows(pools, nowMs), { width })]),
    ...(counts.length === 0 ? [] : [`  ${counts.join(' · ')}`]),
    ...unseen.map((line) => `Not seen: ${line}`),
    ...wrong,
    ...(wrong.length > 0 ? [] : [endOf(status)]),
  ];
  return parts.join('\n');
}

function endOf({ pools, unseen }: Status): string {
  const seen = unseen.length > 0 ? 'What could be seen' : 'All';
  if (pools.length === 0) return `${seen} is well.`;
  return `${seen} that is installed works; ${counted(pools.length, 'thing')} about pools ${pools.length === 1 ? 'is' : 'are'} amiss.`;
}

function programRow({ name, wanted, ready, restarts, lastError }: ProgramSeen, nowMs: number): string[] {
  const error = lastError === undefined ? 'none' : `${ageOf(nowMs - Date.parse(lastError.at))} ago: ${lastError.message}`;
  return [name, `${ready}/${wanted}`, String(restarts), error];
}

function leaderRow({ lease, holder, renewedMsAgo, leads }: Leader): string[] {
  const renewed = renewedMsAgo === undefined ? '-' : `${ageOf(renewedMsAgo)} ago`;
  return [lease, leads ? (holder ?? '-') : 'nobody', leads || holder === undefined ? renewed : `${renewed}, by ${holder}`];
}

function kindRow({ name, there, objects, phases = {} }: KindSeen): string[] {
  if (!there) return [name, '-', 'not installed: off'];
  const by = Object.entries(phases).map(([phase, count]) => `${phase} ${count}`);
  return [name, objects === undefined ? '?' : String(objects), by.join(' · ')];
}
