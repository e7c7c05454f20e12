/** A lock writer on the model: caches at their own pace, an inventory that follows them, an agenda, and its calls under way. */

import type { HostPool, NodeNetwork } from '../../../lib/api/kinds.ts';
import { ahead, type Version } from '../../../lib/scheduling/ahead.ts';
import type { StatefulSetFacts } from '../../../lib/scheduling/facts.ts';
import { type Inventory, inventory } from '../../../lib/scheduling/inventory.ts';
import type { NodeFacts } from '../../../lib/scheduling/node.ts';
import { type Agenda, agenda, type Heard } from '../../../lib/scheduling/writer/agenda.ts';
import { slotsOf } from '../../../lib/scheduling/writer/books.ts';
import type { Note } from '../../../lib/scheduling/writer/desk.ts';
import { inventoryPlanner } from '../../../lib/scheduling/writer/inventory-planner.ts';
import type { Planner } from '../../../lib/scheduling/writer/planner.ts';
import { type Reports, reports } from '../../../lib/scheduling/writer/reports.ts';
import type { Outcome, Write } from '../../../lib/scheduling/writer/write.ts';
import type { Change, ModelApi, ModelKind } from './model-api.ts';

export interface Under {
  readonly write: Write;
  /** What the API server did; undefined: it hasn't yet. */
  outcome?: Outcome;
}

export interface ModelWriter {
  readonly inventory: Inventory;
  readonly agenda: Agenda;
  readonly under: Under[];
  readonly notes: Note[];
  /** The watch of a kind tells what is next. @returns whether there was anything */
  deliver(kind: ModelKind): boolean;
  begin(): void;
  nodeIs(node: NodeFacts): void;
  /** The NodeNetwork of a node is this now. */
  networkIs(node: string, network: Parameters<Reports['set']>[1]): void;
}

export interface Site {
  readonly api: ModelApi;
  readonly nodes: Map<string, NodeFacts>;
  readonly pools: readonly HostPool[];
  readonly statefulSets: Map<string, StatefulSetFacts>;
  /** What of the planner goes wrong. */
  readonly wrong?: (planner: Planner) => Planner;
}

const KINDS: readonly ModelKind[] = ['Lock', 'IPLock', 'Pod'];
let terms = 0;

/** @param behind how many of the last changes of each kind its watches haven't told yet */
export function modelWriter({ api, nodes, pools, statefulSets, wrong = (planner) => planner }: Site, behind: number): ModelWriter {
  const all = inventory();
  const read: Record<ModelKind, number> = { Pod: 0, Lock: 0, IPLock: 0 };
  const notes: Note[] = [];
  for (const pool of pools) all.set('HostPool', pool.metadata.name, pool);
  for (const node of nodes.values()) all.set('Node', node.name, node);
  const nowMs = () => api.now * 1000;
  const caches = { Pod: cache('Pod', all), Lock: cache('Lock', all), IPLock: cache('IPLock', all) };
  const own = Object.create(all, {
    set: { value: (kind: ModelKind, key: string, object: Change['object']) => caches[kind].answered(key, object) },
    unset: { value: (kind: ModelKind, key: string) => caches[kind].deleted(key) },
  }) as Inventory;
  const told = reports();
  const deciding = agenda(wrong(inventoryPlanner(own, (key) => statefulSets.get(key), undefined, told)), {
    term: `term-${++terms}`,
    beganMs: nowMs(),
    random: () => 0.5,
    wallClock: () => new Date(nowMs()),
    note: (note) => notes.push(note),
  });

  function tell({ kind, key, object, gone }: Change): void {
    if (gone) caches[kind].gone(key, object);
    else caches[kind].told(key, object);
    deciding.hear({ kind, key, object, gone } as Heard, 'watch', nowMs());
  }

  const writer: ModelWriter = {
    ...{ inventory: all, agenda: deciding, under: [], notes },
    deliver(kind) {
      const change = api.log[kind][read[kind]];
      if (change === undefined) return false;
      read[kind]++;
      tell(change as Change);
      return true;
    },
    begin() {
      const room = { quick: 8, bulk: 8, slow: 2 };
      for (const { write } of writer.under) room[write.lane] = Math.max(0, room[write.lane] - 1);
      for (const write of deciding.next(nowMs(), room)) writer.under.push({ write });
    },
    networkIs(node, network) {
      all.set('NodeNetwork', node, network as NodeNetwork);
      deciding.reported(told.set(node, network), nowMs());
      deciding.freed(nowMs());
    },
    nodeIs(node) {
      all.set('Node', node.name, node);
      deciding.freed(nowMs(), node.name);
    },
  };

  for (const kind of KINDS) {
    // What a cache holds when its list is told: the last word on each object, up to a moment.
    const last = new Map<string, Change>();
    const upTo = Math.max(0, api.log[kind].length - behind);
    for (const change of api.log[kind].slice(0, upTo)) last.set(change.key, change as Change);
    read[kind] = upTo;
    for (const change of last.values()) if (!change.gone) tell(change);
  }
  // Before it works, it reads Locks and pods that aren't bound anew (catch-up.ts).
  const learn = (kind: 'Lock' | 'Pod', key: string, object: Change['object']) => {
    caches[kind].answered(key, object);
    deciding.hear({ kind, key, object } as Heard, 'answer', nowMs());
  };
  for (const [key, object] of api.objects.Lock) learn('Lock', key, object);
  // Where slots have no addresses, all that happened to pods.
  const untold = [...api.objects.Lock.values()].some((lock) => slotsOf(lock).some(({ address }) => address === undefined));
  for (const [key, object] of api.objects.Pod)
    if (untold || object.node === undefined || (deciding.books.pods.get(key) && deciding.books.pods.get(key)?.node === undefined))
      learn('Pod', key, object);
  return writer;
}

/** As the world follows a kind (world.ts): what this process wrote counts before its watch tells it. */
function cache(kind: ModelKind, all: Inventory) {
  const versionOf = (object: Change['object']) => ('uid' in object ? object : object.metadata) as Version;
  const told = new Map<string, Version>();
  let upTo = 0;
  const it = ahead({
    get: (key) => told.get(key),
    get resourceVersion() {
      return upTo === 0 ? undefined : String(upTo);
    },
  });
  const set = (key: string, object: Change['object']) => all.set(kind, key, object as never);
  return {
    told(key: string, object: Change['object']): void {
      const version = versionOf(object);
      told.set(key, version);
      upTo = Math.max(upTo, Number(version.resourceVersion));
      if (it.told(key, version)) set(key, object);
    },
    gone(key: string, object: Change['object']): void {
      told.delete(key);
      if (it.gone(key, versionOf(object).uid)) all.unset(kind, key);
    },
    answered(key: string, object: Change['object']): void {
      if (it.answered(key, versionOf(object))) set(key, object);
    },
    deleted(key: string): void {
      const known = all.objects(kind).get(key) as Change['object'] | undefined;
      if (known !== undefined && it.deleted(key, versionOf(known))) all.unset(kind, key);
    },
  };
}
