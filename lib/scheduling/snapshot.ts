/**
 * Snapshot: an inventory as one JSON document, saved and read back to the same inventory. Facts only: of pod templates what a demand
 * is made of, of annotations Gala's own; no image, command or environment, so that no secret is in it. Pure.
 */

import { problemsOf } from '../api/issue.ts';
import type { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';
import { GROUP } from '../api/resource.ts';
import type { PodFacts, StatefulSetFacts } from './facts.ts';
import { type Held, type Inventory, type InventoryOptions, inventory } from './inventory.ts';
import type { ReadWorld } from './read-world.ts';
import { SNAPSHOT_VERSION, type SnapshotDocument, snapshotSchema } from './snapshot-schema.ts';
import { bareTemplate } from './template.ts';
import type { Demand } from './types.ts';

/** V8's longest text is 512 MiB; 50,000 pods are some 20. */
const MOST_CHARACTERS = 256 * 2 ** 20;

export interface Snapshot {
  readonly inventory: Inventory;
  readonly statefulSets: readonly StatefulSetFacts[];
  readonly unread: ReadWorld['unread'];
  /** Unix milliseconds. */
  readonly readAtMs: number;
  /** URL of the API server it was read from. */
  readonly cluster?: string;
}

/** The same inventory gives the same text, whatever order its objects came in. */
export function saveSnapshot({ inventory: all, statefulSets, unread, readAtMs, cluster }: Snapshot): string {
  const demands: Demand[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (demand: Demand): number => {
    const text = JSON.stringify(demandDocument(demand));
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, demands.length);
    return demands.push(demand) - 1;
  };
  const objects = <K extends keyof Held>(kind: K) => byKey(all.objects(kind));
  const pods = objects('Pod').map(([, { key: _, demand, ...pod }]) => ({ ...pod, demand: numberOf(demand) }));
  const promises = byKey(new Map(all.promises())).map(([key, { demand, ...promise }]) => ({ key, ...promise, demand: numberOf(demand) }));
  const document = {
    gala: 'snapshot',
    version: SNAPSHOT_VERSION,
    cluster,
    readAtMs,
    nowMs: all.nowMs,
    unread,
    demands: demands.map(demandDocument),
    nodes: objects('Node').map(([, node]) => node),
    pods,
    hostPools: objects('HostPool').map(([, it]) => bareObject(it)),
    nodeNetworks: objects('NodeNetwork').map(([, it]) => bareObject(it)),
    locks: objects('Lock').map(([, it]) => bareLock(it)),
    ipLocks: objects('IPLock').map(([, it]) => bareIPLock(it)),
    namespaces: objects('Namespace').map(([name, labels]) => ({ name, labels })),
    storageCapacities: objects('CSIStorageCapacity').map(([key, facts]) => ({ key, ...facts })),
    statefulSets: byKey(new Map(statefulSets.map((it) => [it.key, it]))).map(([, it]) => it),
    samples: byKey(new Map(all.samples())).map(([node, sample]) => ({ node, ...sample })),
    promises,
  };
  return `${JSON.stringify(inOrder(document))}\n`;
}

export type SnapshotRead =
  | { readonly snapshot: Snapshot; readonly problems: readonly [] }
  | { readonly snapshot?: undefined; readonly problems: readonly Problem[] };

/** Problems that are told of a file: it is wrong altogether when there are more. */
const MOST_PROBLEMS = 20;

/** @param options how the inventory is to judge samples */
export function readSnapshot(text: string, options: InventoryOptions = {}): SnapshotRead {
  if (text.length > MOST_CHARACTERS) return refused(`it has ${text.length} characters`, `at most ${MOST_CHARACTERS}`);
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    return refused(`it is no JSON: ${(error as Error).message}`, 'what `gala snapshot` has saved');
  }
  const { gala, version } = (typeof input === 'object' && input !== null ? input : {}) as Partial<SnapshotDocument>;
  if (gala !== 'snapshot') return refused('it is no snapshot of gala', 'what `gala snapshot` has saved');
  if (version !== SNAPSHOT_VERSION)
    return refused(`it is of version ${version}`, `this gala reads version ${SNAPSHOT_VERSION}`, 'Use the gala that saved it.');
  const { success, data, error } = snapshotSchema.safeParse(input);
  if (!success) return { problems: error.issues.slice(0, MOST_PROBLEMS).flatMap((issue) => problemsOf(issue, snapshotSchema, input)) };
  const lost = [...data.pods, ...data.promises].find(({ demand }) => demand >= data.demands.length);
  if (lost !== undefined)
    return refused(`it has ${data.demands.length} demands, and names number ${lost.demand}`, 'a number of one of them');
  return { snapshot: rebuilt(data, options), problems: [] };
}

function refused(what: string, allowed: string, remedy = 'Save it anew: gala snapshot > file.'): SnapshotRead {
  return { problems: [{ path: '', what, allowed, remedy, severity: 'error' }] };
}

function rebuilt(document: SnapshotDocument, options: InventoryOptions): Snapshot {
  const all = inventory(options);
  const demands = document.demands.map((demand): Demand => ({ ...demand, requests: new Map(Object.entries(demand.requests)) }));
  all.tick(document.nowMs);
  for (const pool of document.hostPools) all.set('HostPool', pool.metadata.name, pool as HostPool);
  for (const node of document.nodes) all.set('Node', node.name, node);
  for (const network of document.nodeNetworks) all.set('NodeNetwork', network.metadata.name, network as NodeNetwork);
  for (const { name, labels } of document.namespaces) all.set('Namespace', name, labels);
  for (const { key, ...facts } of document.storageCapacities) all.set('CSIStorageCapacity', key, facts);
  for (const ipLock of document.ipLocks) all.set('IPLock', ipLock.metadata.name, ipLock as IPLock);
  for (const lock of document.locks) all.set('Lock', `${lock.metadata.namespace}/${lock.metadata.name}`, lock as Lock);
  for (const { demand, ...pod } of document.pods) {
    const key = `${pod.namespace}/${pod.name}`;
    all.set('Pod', key, { key, ...pod, demand: demands[demand]! } satisfies PodFacts);
  }
  for (const { key, demand, ...promise } of document.promises) all.promise(key, { ...promise, demand: demands[demand]! });
  for (const { node, ...sample } of document.samples) all.sample(node, sample);
  const { statefulSets, unread, readAtMs, cluster } = document;
  return { inventory: all, statefulSets, unread, readAtMs, cluster };
}

function byKey<T>(all: ReadonlyMap<string, T>): [string, T][] {
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1));
}

function demandDocument({ requests, ...demand }: Demand) {
  return inOrder({ ...demand, requests: Object.fromEntries(requests) });
}

/** Gala's annotations say whose pod an address is; any other may hold anything. */
const OWN_ANNOTATION = `${GROUP}/`;
const METADATA = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp'] as const;

function bareObject<T extends { readonly metadata: object; readonly spec: unknown; readonly status?: unknown }>(object: T) {
  const { apiVersion, kind, metadata, spec, status } = object as T & { apiVersion: string; kind: string };
  const from = metadata as Readonly<Record<string, unknown>>;
  const own = Object.entries((from.annotations ?? {}) as Record<string, string>).filter(([key]) => key.startsWith(OWN_ANNOTATION));
  const kept = Object.fromEntries(METADATA.map((field) => [field, from[field] ?? undefined]));
  return { apiVersion, kind, metadata: { ...kept, ...(own.length === 0 ? {} : { annotations: Object.fromEntries(own) }) }, spec, status };
}

/** When it was last written is what the age of a Held address is counted from. */
function bareIPLock(ipLock: IPLock) {
  const bare = bareObject(ipLock);
  const { managedFields = [] } = (ipLock as { metadata: { managedFields?: readonly { readonly time?: string | Date }[] } }).metadata;
  const times = managedFields.flatMap(({ time }) => (time === undefined ? [] : [new Date(time).toISOString()]));
  const last = times.sort().at(-1);
  return { ...bare, metadata: { ...bare.metadata, ...(last === undefined ? {} : { managedFields: [{ time: last }] }) } };
}

function bareLock(lock: Lock) {
  const { spec, status } = lock;
  const bare = (template: unknown) => (template === undefined ? undefined : bareTemplate(template));
  return {
    ...bareObject(lock),
    spec: { ...spec, template: bare(spec.template) },
    status: status && { ...status, template: bare(status.template) },
  };
}

/** Keys in the order of their names, so that equal values are equal texts. */
function inOrder<T>(value: T): T {
  if (Array.isArray(value)) return value.map(inOrder) as T;
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, inOrder((value as Record<string, unknown>)[key])])) as T;
}
