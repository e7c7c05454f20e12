/**
 * What the agent knows of its node from the API server: its IPLocks, its NodeNetwork and pools, its pods, by watches that ask for no
 * more than this node's; and the two things that it writes of an IPLock.
 */
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { HostPool, IPLock, NodeNetwork } from '../../api/kinds.ts';
import type { Manifest } from '../../api/manifest.ts';
import { REBUILD_ANNOTATION } from '../../api/network.ts';
import { EGRESS_ANNOTATION, INGRESS_ANNOTATION } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import { unlessMissing } from '../../kube/error.ts';
import { kindOf, NODES, PODS, type Stored } from '../../kube/kinds.ts';
import type { Log } from '../../kube/log.ts';
import { type Reflector, reflect } from '../../kube/reflector.ts';
import { hostOf } from '../host.ts';
import { versions } from './versions.ts';

export const HOST_POOLS = kindOf(HostPool);
export const NODE_NETWORKS = kindOf(NodeNetwork);
export const IP_LOCKS = kindOf(IPLock);

export type Lock = Stored<IPLock>;

/** What of a pod is asked. */
export interface PodView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Those of bandwidth. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Succeeded or Failed: no sandbox of it is begun again. */
  readonly finished?: true;
}

export interface NodeFacts {
  readonly pool?: string;
  readonly rack?: string;
  /** InternalIPs: what probes come from. */
  readonly ip?: string;
  readonly ipv6?: string;
  /** Which machine it is, as its kubelet says. */
  readonly machineID?: string;
  readonly providerID?: string;
}

export interface NodeView {
  readonly node: string;
  /** Whether everything was read once. */
  hasSynced(): boolean;
  /** What was not. */
  unread(): string[];
  facts(): NodeFacts | undefined;
  network(): NodeNetwork['spec'] | undefined;
  /** What is said of it now, the generation of its spec, and which rebuild is asked for (`gala ips rebuild`). */
  status(): { readonly status?: NodeNetwork['status']; readonly generation?: number; readonly rebuild?: string } | undefined;
  writeStatus(status: NonNullable<NodeNetwork['status']>): Promise<void>;
  pool(name: string): HostPool['spec'] | undefined;
  /** The host's end of the switch's trunk port; undefined: EC2, or not known yet. */
  trunk(): string | undefined;
  locks(): Iterable<Lock>;
  /** The IPLock of an address, if it is of this node. */
  lockAt(ip: string): Lock | undefined;
  lockOf(podUID: string): Lock | undefined;
  /** Whether no write of this node that is on its way can change it as it is (versions.ts). */
  isQuiet(lock: Lock): boolean;
  /** The IPLock of a pod as the API server has it now, on whatever node. */
  findLock(podUID: string): Promise<Lock | undefined>;
  /** The IPLock of an address as the API server has it now. */
  readLock(ip: string): Promise<Lock | undefined>;
  pod(uid: string): PodView | undefined;
  /** Writes it if it is still this version; a Conflict otherwise. */
  patchLock(lock: Lock, patch: { readonly spec?: Partial<IPLock['spec']>; readonly status?: IPLock['status'] }): Promise<Lock>;
  /** Told of the UIDs of pods that are gone, or finished. */
  onPodEnd(tell: (uid: string) => void): void;
  /** Told of every change; @returns stops listening */
  onChange(tell: () => void): () => void;
  /** Told of the UIDs of pods whose annotations have changed. */
  onPodChange(tell: (uid: string) => void): void;
  readonly reflectors: readonly Reflector<unknown>[];
  readonly stopped: Promise<void>;
}

/** An API server that is away keeps a pod start no longer than this: it is tried again. */
const CALL_MS = 5_000;

/** Begins at once; ends with `signal`. */
export function viewNode(
  api: Api,
  { node, signal, log }: { readonly node: string; readonly signal: AbortSignal; readonly log: Log },
): NodeView {
  const common = { signal, log };
  const ofNode = { ...common, fieldSelector: `spec.node=${node}` };
  const named = { ...common, fieldSelector: `metadata.name=${node}` };
  const locks = reflect(api, IP_LOCKS, ofNode);
  const nodes = reflect(api, NODES, { ...named, keep: factsOf });
  const networks = reflect(api, NODE_NETWORKS, named);
  // All of them, a few: which one is the node's may change, and a pool's status is written seldom (pool-status-writer.ts).
  const pools = reflect(api, HOST_POOLS, { ...common, keep: ({ spec }) => spec });
  const pods = reflect(api, PODS, { ...common, fieldSelector: `spec.nodeName=${node}`, keep: podOf });
  const all: readonly Reflector<unknown>[] = [locks, nodes, networks, pools, pods];
  const known = versions();

  const byPod = new Map<string, string>();
  const podByUid = new Map<string, PodView>();
  // One that is Quarantined goes on naming its pod, which has another.
  const note = ({ metadata, spec: { podUID, phase } }: Lock) =>
    podUID !== undefined && (phase !== 'Quarantined' || !byPod.has(podUID)) && byPod.set(podUID, metadata.name);
  const forget = ({ metadata, spec }: Lock) =>
    spec.podUID !== undefined && byPod.get(spec.podUID) === metadata.name && byPod.delete(spec.podUID);
  locks.on({
    added: note,
    updated: (old, lock) => {
      forget(old);
      note(lock);
    },
    deleted: forget,
    synced: () => known.began(locks.values()),
  });
  pods.on({
    added: (pod) => podByUid.set(pod.uid, pod),
    updated: (old, pod) => {
      podByUid.delete(old.uid);
      podByUid.set(pod.uid, pod);
    },
    deleted: (pod) => podByUid.delete(pod.uid),
  });

  return {
    node,
    hasSynced: () => all.every((one) => one.hasSynced()),
    unread: () => all.filter((one) => !one.hasSynced()).map(({ kind }) => kind.plural),
    facts: () => nodes.get(node),
    network: () => networks.get(node)?.spec,
    status: () => {
      const found = networks.get(node);
      const rebuild = found?.metadata.annotations?.[REBUILD_ANNOTATION];
      return found && { status: found.status, generation: found.metadata.generation, ...(rebuild === undefined ? {} : { rebuild }) };
    },
    async writeStatus(status) {
      await api.patch(NODE_NETWORKS, { name: node }, { status }, { subresource: 'status', timeoutMs: CALL_MS });
    },
    pool: (name) => pools.get(name),
    trunk: () => {
      const network = networks.get(node)?.spec;
      return network?.trunk ?? (network === undefined ? undefined : pools.get(network.pool)?.intranet?.trunk);
    },
    locks: () => locks.values(),
    lockAt: (ip) => locks.get(ip),
    lockOf: (uid) => {
      const name = byPod.get(uid);
      return name === undefined ? undefined : locks.get(name);
    },
    pod: (uid) => podByUid.get(uid),
    isQuiet: known.isQuiet,
    async findLock(uid) {
      const { items } = await api.list(IP_LOCKS, { fieldSelector: `spec.podUID=${uid}`, timeoutMs: CALL_MS });
      return items.find(({ spec }) => spec.phase !== 'Quarantined') ?? items[0];
    },
    readLock: (name) => unlessMissing(api.get(IP_LOCKS, { name }, { timeoutMs: CALL_MS })),
    async patchLock(lock, patch) {
      known.writing(lock);
      const { name, uid, resourceVersion } = lock.metadata;
      return await api.patch(IP_LOCKS, { name }, { metadata: { uid, resourceVersion }, ...patch }, { timeoutMs: CALL_MS });
    },
    onChange(tell) {
      const stops = all.map((one) => one.on({ added: tell, updated: tell, deleted: tell }));
      return () => {
        for (const stop of stops) stop();
      };
    },
    onPodChange: (tell) =>
      void pods.on({
        updated: (old, pod) => {
          if (JSON.stringify(old.annotations) !== JSON.stringify(pod.annotations)) tell(pod.uid);
        },
      }),
    onPodEnd: (tell) =>
      void pods.on({
        updated: (old, pod) => pod.finished && !old.finished && tell(pod.uid),
        deleted: (pod) => tell(pod.uid),
      }),
    reflectors: all,
    stopped: Promise.all(all.map(({ stopped }) => stopped)).then(() => {}),
  };
}

function factsOf(node: Stored<Manifest<V1Node>>): NodeFacts {
  const { pool, rack, machineID, providerID } = hostOf(node);
  const addresses = (node.status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
  const [ip, ipv6] = [addresses.find((one) => !one.includes(':')), addresses.find((one) => one.includes(':'))];
  return { pool, rack, ip, ipv6, machineID, providerID };
}

function podOf({ metadata, status }: Stored<Manifest<V1Pod>>): PodView {
  const { uid, namespace = '', name, annotations = {} } = metadata;
  const some = [EGRESS_ANNOTATION, INGRESS_ANNOTATION].flatMap((key) => (annotations[key] === undefined ? [] : [[key, annotations[key]]]));
  const finished = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return { uid, namespace, name, annotations: Object.fromEntries(some), ...(finished && { finished }) };
}
