/**
 * The witness: watches what the lock writers under test write, by a connection of its own that nobody disturbs, and knows what must
 * never be, at any moment. It remembers the first time that it was.
 */
import { IPLock, Lock } from '../../lib/api/kinds.ts';
import { LOCK_ANNOTATION, LOOSE, SLOT_ANNOTATION } from '../../lib/api/scheduling.ts';
import type { Api } from '../../lib/kube/client.ts';
import { kindOf, PODS, type Stored } from '../../lib/kube/kinds.ts';
import { type Reflector, reflect } from '../../lib/kube/reflector.ts';

export interface PodSeen {
  readonly name: string;
  readonly uid: string;
  readonly lock?: string;
  readonly slot?: string;
  /** The node that it is pinned to. */
  readonly node?: string;
}

export interface Witness {
  readonly locks: Reflector<Stored<Lock>>;
  readonly ipLocks: Reflector<Stored<IPLock>>;
  readonly pods: Reflector<PodSeen>;
  /** What was seen that must not be. */
  readonly violations: string[];
  /** Of the API server itself: what is wrong with the slots of these pods, which have theirs. */
  wrongWith(names: readonly string[]): Promise<string[]>;
}

const IPLOCKS = kindOf(IPLock);
const LOCKS = kindOf(Lock);

export async function witness(api: Api, signal: AbortSignal): Promise<Witness> {
  const violations: string[] = [];
  const locks = reflect(api, LOCKS, { signal, missing: 'empty' });
  const ipLocks = reflect(api, IPLOCKS, { signal, missing: 'empty' });
  const pods = reflect(api, PODS, { signal, keep: podSeen });
  await Promise.all([locks.synced, ipLocks.synced, pods.synced]);

  locks.on({
    added: (lock) => lookAt(lock),
    updated: (_, lock) => lookAt(lock),
  });
  /** An address is promised to the slot of one Ready Lock at a time. */
  function lookAt(changed: Stored<Lock>): void {
    if (changed.status?.phase !== 'Ready') return;
    const mine = new Set(changed.status.slots?.flatMap(({ address }) => address ?? []));
    if (mine.size !== (changed.status.slots?.length ?? 0)) violations.push(`${changed.metadata.name} lists an address twice`);
    for (const other of locks.values()) {
      if (other.metadata.uid === changed.metadata.uid || other.status?.phase !== 'Ready') continue;
      for (const { address, slot } of other.status.slots ?? [])
        if (address !== undefined && mine.has(address))
          violations.push(`${address} is promised twice: ${other.metadata.name}#${slot} and ${changed.metadata.name}`);
    }
  }

  pods.on({ added: bears, updated: (_, pod) => bears(pod) });
  /** A slot has one pod at a time. */
  function bears(changed: PodSeen): void {
    if (changed.slot === undefined || changed.slot === LOOSE) return;
    for (const other of pods.values())
      if (other.uid !== changed.uid && other.lock === changed.lock && other.slot === changed.slot)
        violations.push(`slot ${changed.lock}#${changed.slot} has two pods: ${other.name} and ${changed.name}`);
  }

  async function wrongWith(names: readonly string[]): Promise<string[]> {
    const asked = new Set(names);
    // Pods first: a loose one may be getting its address this moment, which is there before the pod says so.
    const livePods = await api.list(PODS);
    const [liveAddresses, liveLocks] = await Promise.all([api.list(IPLOCKS), api.list(LOCKS)]);
    return livePods.items
      .map(podSeen)
      .filter(({ name, slot }) => asked.has(name) && slot !== undefined)
      .flatMap(({ name, uid, lock, slot, node }) => {
        const own = liveAddresses.items.filter(({ spec }) => spec.podUID === uid);
        const said = own.map(({ metadata, spec }) => `${metadata.name} on ${spec.node}`).join(', ');
        const [address] = own;
        if (address === undefined || own.length !== 1 || address.spec.node !== node)
          return [`${name} is pinned to ${node}, and its addresses are: ${said || 'none'}`];
        if (slot === LOOSE) return [];
        const found = liveLocks.items.find(({ metadata }) => metadata.name === lock)?.status?.slots?.find((it) => String(it.slot) === slot);
        return found?.address === address.metadata.name
          ? []
          : [`${name} has slot ${lock}#${slot} with ${found?.address}, and its address is ${said}`];
      });
  }

  return { locks, ipLocks, pods, violations, wrongWith };
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

function podSeen({ metadata, spec }: Pod): PodSeen {
  const { nodeAffinity } = (spec as { affinity?: { nodeAffinity?: Affinity } }).affinity ?? {};
  const [term] = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return {
    name: metadata.name,
    uid: metadata.uid,
    lock: metadata.annotations?.[LOCK_ANNOTATION],
    slot: metadata.annotations?.[SLOT_ANNOTATION],
    node: term?.matchFields?.[0]?.values[0],
  };
}

interface Affinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: {
    readonly nodeSelectorTerms: readonly { readonly matchFields?: readonly { readonly values: readonly string[] }[] }[];
  };
}
