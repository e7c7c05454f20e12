/** What a saved snapshot is made of: facts, and nothing that is no fact. Strict, so that a file from elsewhere is told from one of ours. */
import * as z from 'zod';
import { HostPool, IPLock, Lock, NodeNetwork } from '../api/kinds.ts';

/** Grows when an older gala could not read what a newer one has saved. */
export const SNAPSHOT_VERSION = 1;

/** Twice what Kubernetes is tested to, and room for what has no such limit. */
const MOST_NODES = 10_000;
const MOST_OBJECTS = 500_000;

const name = z.string().max(320);
const labels = z.record(z.string().max(320), z.string().max(63));
const amount = z.number().nonnegative();
const requirement = z.strictObject({
  key: z.string().max(320),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: z.array(z.string()).max(1000),
});
const selector = z.array(requirement).max(2000);
const podTerm = z.strictObject({
  topologyKey: name,
  selector,
  namespaces: z.array(name).max(1000),
  namespaceSelector: selector.optional(),
});

const demand = z.strictObject({
  namespace: name,
  labels,
  owner: z.string().max(320).optional(),
  requests: z.record(name, z.number().positive()),
  address: z.boolean(),
  nodeSelector: labels,
  nodeTerms: z.array(z.strictObject({ matchExpressions: selector, matchFields: selector })).max(10_000),
  tolerations: z
    .array(
      z.strictObject({
        key: name.optional(),
        operator: z.enum(['Exists', 'Equal', 'Lt', 'Gt']).optional(),
        value: z.string().optional(),
        effect: z.string().optional(),
      }),
    )
    .max(2000),
  spread: z
    .array(
      z.strictObject({
        maxSkew: z.int().positive(),
        topologyKey: name,
        selector,
        minDomains: z.int().positive().optional(),
        nodeAffinityPolicy: z.enum(['Honor', 'Ignore']),
        nodeTaintsPolicy: z.enum(['Honor', 'Ignore']),
      }),
    )
    .max(1000),
  affinity: z.array(podTerm).max(1000),
  antiAffinity: z.array(podTerm).max(1000),
  hostPorts: z.array(z.string().max(80)).max(2000),
});

/** A demand by its number: pods of one template share it here too. */
const demandNumber = z.int().nonnegative();

const node = z.strictObject({
  name,
  uid: z.string(),
  labels,
  taints: z.array(z.strictObject({ key: name, value: z.string(), effect: z.string() })).max(1000),
  unschedulable: z.boolean(),
  ready: z.boolean(),
  allocatable: z.record(name, amount),
  machineID: z.string().optional(),
  providerID: z.string().optional(),
  internalIP: z.string().optional(),
});

const pod = z.strictObject({
  namespace: name,
  name,
  uid: z.string(),
  resourceVersion: z.string(),
  demand: demandNumber,
  unreadable: z.string().optional(),
  schedulerName: name,
  gated: z.boolean(),
  gatedByOthers: z.boolean(),
  node: name.optional(),
  pinned: name.optional(),
  lock: name.optional(),
  slot: z.string().optional(),
  done: z.boolean(),
  deleting: z.boolean(),
  priority: z.int().optional(),
  unschedulable: z.string().optional(),
  controller: z.strictObject({ group: z.string(), kind: z.string(), name, uid: z.string() }).optional(),
  remade: z.boolean().optional(),
  createdMs: z.number(),
  startedMs: z.number().optional(),
  claims: z.array(name).max(1000).optional(),
});

const metadata = z.strictObject({
  name,
  namespace: name.optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  /** Of IPLocks: when it was last written, by whomever. */
  managedFields: z
    .array(z.strictObject({ time: z.string() }))
    .max(1)
    .optional(),
});

/** Objects of Gala's own kinds, by their own schemas. */
function object<S extends z.ZodType, T extends z.ZodType | undefined>(resource: {
  readonly kind: string;
  readonly spec: S;
  readonly status?: T;
}) {
  const status = (resource.status ?? z.undefined()).optional();
  return z.strictObject({ apiVersion: z.string(), kind: z.literal(resource.kind), metadata, spec: resource.spec, status });
}

const sample = z.strictObject({
  egress: amount.optional(),
  ingress: amount.optional(),
  ephemeralStorage: amount.optional(),
  cpu: amount.optional(),
  memory: amount.optional(),
  atMs: z.number(),
});

const objects = <T extends z.ZodType>(of: T) => z.array(of).max(MOST_OBJECTS);

export const snapshotSchema = z.strictObject({
  gala: z.literal('snapshot'),
  version: z.literal(SNAPSHOT_VERSION),
  /** URL of the API server, for people. */
  cluster: z.string().max(1000).optional(),
  readAtMs: z.number(),
  nowMs: z.number(),
  unread: z.array(z.strictObject({ kind: z.string(), because: z.enum(['missing', 'forbidden']) })).max(100),
  demands: objects(demand),
  nodes: z.array(node).max(MOST_NODES),
  pods: objects(pod),
  hostPools: objects(object(HostPool)),
  nodeNetworks: objects(object(NodeNetwork)),
  locks: objects(object(Lock)),
  ipLocks: objects(object(IPLock)),
  namespaces: objects(z.strictObject({ name, labels })),
  storageCapacities: objects(
    z.strictObject({ key: name, storageClassName: name, nodeTopology: selector, capacity: amount, maximumVolumeSize: amount.optional() }),
  ),
  statefulSets: objects(z.strictObject({ key: name, uid: z.string(), replicas: z.int(), firstOrdinal: z.int() })),
  samples: z.array(z.strictObject({ node: name, ...sample.shape })).max(MOST_NODES),
  promises: objects(z.strictObject({ key: name, node: name, demand: demandNumber, address: z.string().optional() })),
});

export type SnapshotDocument = z.output<typeof snapshotSchema>;
