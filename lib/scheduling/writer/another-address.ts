/**
 * Another address: for a loose pod that has its slot, isn't wired yet, and whose address another machine answers for: another one of the
 * same node, because the pod is pinned there. Slots of Locks: another-place.ts. docs/locks.md, P18.
 */
import { LOOSE } from '../../api/scheduling.ts';
import type { PodFacts } from '../facts.ts';
import type { Desk } from './desk.ts';
import { isShut } from './found-out.ts';
import { looseKey } from './given.ts';
import { newIPLock } from './ip-lock.ts';
import { type Refusal, sayNoOtherAddress } from './refusal.ts';
import { type Job, objectOf } from './write.ts';

export interface AnotherAddress {
  /** @returns false: there is no room */
  look(pod: PodFacts): boolean;
  /** The pod is gone. */
  forget(pod: string): void;
  close(): void;
}

/** How soon it is looked for again where there is none. */
const AGAIN_MS = 10_000;

export function anotherAddress(desk: Desk, tell: (pod: PodFacts, refusal: Refusal) => void): AnotherAddress {
  const { books, planner, flight, claims } = desk;
  /** By pod: what it is being given. */
  const chosen = new Map<string, string>();
  const jobOf = (key: string): Job => ({ desk: 'pod', key });

  function forget(key: string): void {
    const address = chosen.get(key);
    if (address === undefined) return;
    chosen.delete(key);
    claims.delete(address);
    planner.release(looseKey(key));
    desk.touch({ desk: 'address', key: address });
  }

  function choose(pod: PodFacts, node: string): string | undefined {
    // What is free now may turn out to be somebody's.
    if (planner.rebuilding() !== undefined) return undefined;
    const address = planner.another({ ...pod.demand, owner: undefined }, node, new Set());
    if (address === undefined) return undefined;
    chosen.set(pod.key, address);
    claims.set(address, jobOf(pod.key));
    planner.promise(looseKey(pod.key), { node, demand: pod.demand, address });
    return address;
  }

  function create(pod: PodFacts, node: string, address: string): boolean {
    const [job, object] = [jobOf(pod.key), objectOf('IPLock', address)];
    if (flight.busy(object) || flight.resting(job, object, desk.now())) return true;
    if (planner.rebuilding() !== undefined) {
      desk.touchAt(job, desk.now() + AGAIN_MS);
      return true;
    }
    const { name, uid, demand, controller, key } = pod;
    const forPod = { name, uid, term: desk.options.term, ownerKind: controller?.kind ?? 'Pod' };
    const made = newIPLock({ address, mac: planner.macOf(address, node), owner: demand.owner ?? key, node, pod: forPod });
    return flight.begin({ job, lane: 'quick', object, call: { do: 'create', kind: 'IPLock', object: made } });
  }

  return {
    look(pod) {
      const node = pod.node ?? pod.pinned;
      const own = books.addressesOfPod(pod.uid);
      const needs = pod.slot === LOOSE && !pod.gated && !pod.done && !pod.deleting && own.length > 0 && own.every(isShut);
      if (!needs || node === undefined) {
        forget(pod.key);
        return true;
      }
      const before = chosen.get(pod.key);
      // Somebody has it after all.
      if (before !== undefined && (books.ipLocks.get(before) ?? planner.wiredAt(before)) !== undefined) forget(pod.key);
      const address = chosen.get(pod.key) ?? choose(pod, node);
      if (address !== undefined) return create(pod, node, address);
      desk.touchAt(jobOf(pod.key), desk.now() + AGAIN_MS);
      tell(
        pod,
        sayNoOtherAddress(
          node,
          own.map(({ metadata }) => metadata.name),
        ),
      );
      return true;
    },
    forget,
    close() {
      for (const key of [...chosen.keys()]) forget(key);
    },
  };
}
