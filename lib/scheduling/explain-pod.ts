/**
 * Why a pod waits, asked of the same functions that the lock writer decides by: the facts that its event tells, node by node.
 * Pure.
 */
import { SCHEDULER_NAME } from '../api/scheduling.ts';
import { demandOf } from './demand.ts';
import type { PodFacts } from './facts.ts';
import type { Inventory } from './inventory.ts';
import { limitSentence } from './limit-text.ts';
import { whyNever } from './never.ts';
import { stock } from './stock.ts';
import type { Demand, Limit } from './types.ts';
import { withClaims } from './volumes.ts';
import { whyOf } from './why.ts';
import { type Books, lockOfPod } from './writer/books.ts';
import { refusedByLock, slotFor, stageOf } from './writer/next-for-pod.ts';
import { isRefusal, KEPT_AWAY, type Refusal, sayUnreadable } from './writer/refusal.ts';
import { slotsSeen } from './writer/slots.ts';
import { claimsOf, type VolumeClaims } from './writer/volume-claims.ts';

export interface EventSeen {
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
  /** How often. */
  readonly count: number;
}

/** Whether somebody leads by a Lease. */
export interface Leading {
  readonly leads: boolean;
  /** A sentence for when nobody does. */
  readonly leaderless: string;
}

/** What `gala explain pod -o json` prints, and the stock API answers. */
export interface Explained {
  /** `<namespace>/<name>` */
  readonly pod: string;
  /**
   * `Waits`: behind Gala's gate, for the lock writer. `Pinned`: it has its slot, kube-scheduler hasn't bound it yet. `Bound`: it is on
   * a node. `Unbound`: it waits for another scheduler, or another's gate. `Leaving`, `Done`.
   */
  readonly state: 'Waits' | 'Pinned' | 'Bound' | 'Unbound' | 'Leaving' | 'Done';
  readonly ageMs: number;
  readonly schedulerName: string;
  readonly node?: string;
  readonly slot?: string;
  readonly lock?: string;
  /** By supply; cores, bytes, bits a second. */
  readonly wants: Readonly<Record<string, number>>;
  /** Whether it takes an address where Gala owns them; false where no host has any. */
  readonly address: boolean;
  /** Hosts that were looked at, and how many pods like this one they take. */
  readonly looked?: { readonly hosts: number; readonly fit: number };
  /** By what keeps the hosts from taking it, the most first. */
  readonly rows: readonly {
    readonly nodes: number;
    readonly limit: Limit;
    /** CamelCase, as events and Locks have it. */
    readonly reason: string;
    readonly message: string;
    readonly remedy: string;
  }[];
  /** What is so, in a sentence; with what to do, where there is something. */
  readonly because: string;
  /** CamelCase, as the event has it, where one word says it. */
  readonly reason?: string;
}

export interface Known {
  readonly inventory: Inventory;
  readonly books: Books;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Who gives slots, and who binds. Left out: not known. */
  readonly writer?: Leading;
  readonly binder?: Leading;
  /** The claims that the pod names, and their volumes. */
  readonly claims?: VolumeClaims | ClaimsUnread;
  /** Of the pod, the newest first. */
  readonly events?: readonly EventSeen[];
}

export interface ClaimsUnread {
  /** Why they are not known. */
  readonly unread: string;
}

export function explainPod(pod: PodFacts, known: Known): Explained {
  const { demand, schedulerName, createdMs, node, slot } = pod;
  const lock = lockOfPod(pod);
  const about = {
    pod: pod.key,
    ageMs: known.nowMs - createdMs,
    schedulerName,
    ...(slot && { slot }),
    ...(lock && { lock }),
    wants: Object.fromEntries(demand.requests),
    address: demand.address && ownsAddresses(known.inventory, demand),
  };
  const plain = (state: Explained['state'], because: string) => ({ ...about, state, rows: [], because });
  if (pod.done) return plain('Done', 'it has run to its end and uses nothing any more');
  if (pod.deleting) return plain('Leaving', 'its deletion has begun; it uses what it has until it is gone');
  if (node !== undefined) return { ...plain('Bound', 'it is on its node'), node };
  switch (stageOf(pod)) {
    case 'waits':
      return { ...about, ...waits(pod, lock, known) };
    case 'pinned':
      return { ...about, ...pinned(pod, known) };
    case 'other':
      return { ...about, state: 'Unbound', ...onNodes(demand, known, () => unbound(pod)) };
    default:
      throw new Error('a stage that is not known');
  }
}

type Found = Pick<Explained, 'rows' | 'because' | 'looked' | 'reason' | 'node'>;

function waits(pod: PodFacts, lock: string | undefined, known: Known): Found & { readonly state: 'Waits' } {
  const refusal = pod.unreadable === undefined ? undefined : sayUnreadable(pod);
  if (refusal !== undefined) return { state: 'Waits', rows: [], reason: refusal.reason, because: refusal.message };
  if (lock !== undefined) return { state: 'Waits', ...ofLock(pod, lock, known) };
  const demand = claimed(pod, known);
  if (isRefusal(demand)) return { state: 'Waits', rows: [], reason: demand.reason, because: demand.message };
  // It tolerates the pools' taint: with its gate it got that.
  const never = whyNever(known.inventory, { demand });
  const because = (fit: number) => (fit > 0 ? (keptAway(known) ?? itsTurn('a slot', known)) : never === undefined ? NO_ROOM : NEVER);
  return { state: 'Waits', ...onNodes(demand, known, (fit) => `${because(fit)}${unreadClaims(pod, known)}`) };
}

/** With what its claims say, as far as they are known; or why it waits for one of them. */
function claimed(pod: PodFacts, { claims }: Known): Demand | Refusal {
  if (pod.claims === undefined || claims === undefined || 'unread' in claims) return pod.demand;
  const found = claimsOf(pod, claims);
  return isRefusal(found) ? found : withClaims(pod.demand, found);
}

function unreadClaims(pod: PodFacts, { claims }: Known): string {
  if (pod.claims === undefined || claims === undefined || !('unread' in claims)) return '';
  return `. Its claims were not looked at (${pod.claims.join(', ')}): ${claims.unread}; they may keep it waiting, or tie it to some hosts`;
}

/** Away is in the lock writer's memory alone; the event says where it keeps the pod from. */
function keptAway({ events = [], nowMs }: Known): string | undefined {
  const recent = events.filter(({ at }) => nowMs - Date.parse(at) < AWAY_MS);
  const said = recent.map(({ message }) => KEPT_AWAY.exec(message)?.[0]).find((sentence) => sentence !== undefined);
  return said === undefined ? undefined : `hosts would take it. ${said}`;
}

/** The longest that pods are kept away from a node (away.ts). */
const AWAY_MS = 1_800_000;

const NEVER = 'no host could ever take it, however empty: change its template, or add hosts that have what it asks';
const NO_ROOM = 'no host takes it now; it gets its slot as soon as one does';

function itsTurn(what: string, { writer }: Known): string {
  if (writer !== undefined && !writer.leads) return `there is ${what} for it, and nobody who gives it. ${writer.leaderless}`;
  return `there is ${what} for it: the lock writer gives it in a moment. gala status says whether it works`;
}

/** Whether some host has addresses of Gala's, free or not. */
function ownsAddresses(inventory: Inventory, demand: Demand): boolean {
  const { group } = inventory.addresses(demand);
  return inventory.names.some((name, row) => name !== undefined && group[row] !== -1);
}

/** A pod that names a Lock takes a slot of that Lock, and nothing else. */
function ofLock(pod: PodFacts, key: string, known: Known): Found {
  const { books, inventory } = known;
  const lock = books.locks.get(key);
  const template = lock && (lock.spec.template ?? lock.status?.template);
  const locked = template === undefined ? undefined : demandOf(template, { namespace: pod.namespace }).demand;
  const demand = claimed(pod, known);
  const said =
    refusedByLock(pod, lock, locked) ??
    (isRefusal(demand) ? demand : undefined) ??
    (lock === undefined || isRefusal(demand) ? undefined : slotFor(pod, lock, slotsSeen(key, lock, books), rejects(demand, inventory)));
  if (said === undefined) return { rows: [], because: 'its Lock is not known' };
  if (isRefusal(said)) return { rows: [], reason: said.reason, because: said.message };
  return {
    rows: [],
    node: said.node,
    because: `${itsTurn(`slot ${said.slot} of Lock ${key} on ${said.node}`, known)}${unreadClaims(pod, known)}`,
  };
}

function rejects(demand: Demand, inventory: Inventory): (node: string) => Limit | undefined {
  const { why, limits } = inventory.eligible(demand);
  return (node) => {
    const row = inventory.row(node);
    return row === -1 ? 'noNode' : limits[(why[row] ?? 0) - 1];
  };
}

function pinned({ pinned: node, demand, unschedulable }: PodFacts, { inventory, binder }: Known): Found & { readonly state: 'Pinned' } {
  const limit = node === undefined ? undefined : rejects(demand, inventory)(node);
  const said = unschedulable === undefined || unschedulable === '' ? '' : ` kube-scheduler says: ${unschedulable}`;
  const rows = limit === undefined || node === undefined ? [] : [rowOf(limit, [node], demand, inventory)];
  const where = `it has its slot on ${node ?? 'a node'}`;
  if (binder !== undefined && !binder.leads)
    return { state: 'Pinned', ...(node && { node }), rows, because: `${where}, and nobody binds it there. ${binder.leaderless}` };
  const because = `${where}, and kube-scheduler binds it there; where the node refuses it for 30 s or longer, it is deleted if its controller makes another, else its event tells.${said}`;
  return { state: 'Pinned', ...(node && { node }), rows, because };
}

function unbound({ gatedByOthers, schedulerName, unschedulable }: PodFacts): string {
  if (gatedByOthers) return "it waits behind somebody else's scheduling gate; Gala gives it nothing before that is gone";
  if (schedulerName !== SCHEDULER_NAME) {
    const said = unschedulable === undefined || unschedulable === '' ? '' : `. It says: ${unschedulable}`;
    return `it is for ${schedulerName} to place, not for Gala: pods ask for Gala by schedulerName ${SCHEDULER_NAME}${said}`;
  }
  return 'it has neither gate nor slot: it was made before the policy that gives both. Make it anew';
}

/** What every host says to it. */
function onNodes(demand: Demand, { inventory }: Known, because: (fit: number) => string): Found {
  const found = stock(inventory, { demand, strategy: 'spread' });
  const byLimit = Map.groupBy(found.nodes, ({ limit }) => limit);
  const rows =
    found.count > 0
      ? []
      : found.limits.map(({ limit }) =>
          rowOf(
            limit,
            (byLimit.get(limit) ?? []).map(({ node }) => node),
            demand,
            inventory,
          ),
        );
  return { looked: { hosts: found.nodes.length, fit: found.count }, rows, because: because(found.count) };
}

function rowOf(limit: Limit, nodes: readonly string[], demand: Demand, inventory: Inventory): Explained['rows'][number] {
  const node = (name: string) => inventory.objects('Node').get(name);
  const { reason, remedy } = whyOf(limit);
  return { nodes: nodes.length, limit, reason, message: limitSentence(limit, nodes, { terrain: inventory, demand, node }), remedy };
}
