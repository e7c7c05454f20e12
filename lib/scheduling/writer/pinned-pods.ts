/**
 * Pods that have their slot and aren't bound: which ones their node refuses, for how long, and what is done about it; and which nodes
 * the next pods of their controllers are kept away from. It is decided in next-for-pinned.ts, in-a-row.ts and away.ts; here it is
 * remembered and done.
 */
import type { PodFacts } from '../facts.ts';
import { away as awayOf } from './away.ts';
import type { Desk } from './desk.ts';
import { inARow } from './in-a-row.ts';
import { isOfNode, nextForPinned, PATIENCE_MS, refusedBecause, saidOfAny } from './next-for-pinned.ts';
import { isRefusal, type Refusal, sayRefusedByNode } from './refusal.ts';
import { hasWrongSlot } from './slots.ts';
import { selectedNodes } from './volume-claims.ts';
import { type Job, objectOf } from './write.ts';

export interface PinnedPods {
  /** What the pod is now: watched for as long as it is pinned. */
  follow(key: string, pod: PodFacts | undefined, isPinned: boolean): void;
  /** A pod that is followed, and pinned. @returns false: there is no room for a call */
  seeTo(pod: PodFacts): boolean;
  /** Those that are pinned to a node. */
  on(node: string): Iterable<string>;
  /** Nodes that a pod is kept away from: never those that its own volumes are being made for. */
  awayFrom(pod: PodFacts): readonly string[];
}

/** The same reason is told again after so long. */
export const TOLD_MS = 300_000;

/** @param tell the pod's event @returns true */
export function pinnedPods(desk: Desk, tell: (pod: PodFacts, refusal: Refusal) => true): PinnedPods {
  const { books, planner, flight } = desk;
  const away = awayOf();
  const row = inARow();
  /** Their node, and since when it refuses them. */
  const pinned = new Map<
    string,
    { readonly uid: string; readonly node: string | undefined; readonly fromMs: number; readonly patienceMs: number; sinceMs?: number }
  >();
  const pinnedOn = new Map<string, Set<string>>();
  const jobOf = (key: string): Job => ({ desk: 'pod', key });

  function awayFrom(pod: PodFacts): readonly string[] {
    if (pod.controller === undefined || isOfNode(pod)) return [];
    const nodes = away.from(pod.controller.uid, desk.now());
    if (nodes.length === 0 || pod.claims === undefined) return nodes;
    const claims = planner.claimsOf(pod);
    const own = isRefusal(claims) ? [] : selectedNodes(claims);
    return nodes.filter((node) => !own.includes(node));
  }

  function follow(key: string, pod: PodFacts | undefined, isPinned: boolean): void {
    if (pod?.node !== undefined && pod.controller !== undefined && pinned.get(key)?.uid === pod.uid) row.bound(pod.controller.uid);
    watch(key, isPinned ? pod : undefined);
  }

  function watch(key: string, pod: PodFacts | undefined): void {
    const before = pinned.get(key);
    if (before !== undefined && (before.uid !== pod?.uid || before.node !== pod.pinned)) {
      pinned.delete(key);
      const there = pinnedOn.get(before.node ?? '');
      there?.delete(key);
      if (there?.size === 0) pinnedOn.delete(before.node ?? '');
    }
    if (pod === undefined || pinned.has(key)) return;
    // Where its Lock had no slot but on a node that it is kept away from: another pod would be given just that again.
    const keptMs = pod.controller === undefined ? 0 : away.leftMs(pod.controller.uid, pod.pinned ?? '', desk.now());
    const patienceMs = Math.max(pod.controller === undefined || isOfNode(pod) ? PATIENCE_MS : row.patienceMs(pod.controller.uid), keptMs);
    pinned.set(key, { uid: pod.uid, node: pod.pinned, fromMs: desk.now(), patienceMs });
    const there = pinnedOn.get(pod.pinned ?? '');
    if (there === undefined) pinnedOn.set(pod.pinned ?? '', new Set([key]));
    else there.add(key);
  }

  function seeTo(pod: PodFacts): boolean {
    const seen = pinned.get(pod.key);
    const because = refusedBecause(pod, pod.pinned === undefined ? undefined : planner.node(pod.pinned));
    if (seen === undefined) return true;
    seen.sinceMs = because === undefined ? undefined : (seen.sinceMs ?? desk.now());
    const refusedMs = seen.sinceMs === undefined ? undefined : desk.now() - seen.sinceMs;
    const isOver = because !== undefined && refusedMs !== undefined && refusedMs >= seen.patienceMs;
    const everywhere = isOver && refusedOnceMore(pod, because, seen.fromMs);
    const prospect = { everywhere, wrongSlot: isOver && hasWrongSlot(pod, books) };
    const step = nextForPinned(pod, because, refusedMs, seen.patienceMs, prospect);
    switch (step.do) {
      case 'wait':
        if (step.ms !== undefined) desk.touchAt(jobOf(pod.key), desk.now() + step.ms);
        return true;
      case 'tell':
        desk.touchAt(jobOf(pod.key), desk.now() + TOLD_MS);
        return tell(pod, sayRefusedByNode(pod, step.because, everywhere));
      case 'delete':
        return deletePinned(pod, step.because, seen.patienceMs);
      default:
        return step satisfies never;
    }
  }

  /** @returns whether other nodes said the same of pods of its controller, so many that the next would too */
  function refusedOnceMore(pod: PodFacts, because: string, pinnedMs: number): boolean {
    const { controller, pinned: node } = pod;
    if (controller === undefined || node === undefined || isOfNode(pod)) return false;
    const sentence = saidOfAny(because, pod);
    row.refused(controller.uid, { node, sentence, pinnedMs }, desk.now());
    const everywhere = row.everywhere(controller.uid, sentence);
    if (!everywhere) away.refused(controller.uid, node, desk.now(), 2 * row.patienceMs(controller.uid));
    return everywhere;
  }

  function deletePinned(pod: PodFacts, because: string, refusedMs: number): boolean {
    const { key, namespace, name, uid, resourceVersion } = pod;
    const [job, object] = [jobOf(key), objectOf('Pod', key)];
    if (flight.busy(object) || flight.resting(job, object, desk.now())) return true;
    if (!flight.begin({ job, lane: 'quick', object, call: { do: 'delete', kind: 'Pod', id: { namespace, name }, uid, resourceVersion } }))
      return false;
    const message = `deleted, so that its controller makes another: for ${Math.round(refusedMs / 1000)} s its node did not take it. ${because}`;
    desk.note({ note: 'event', on: 'Pod', key, uid, reason: 'NodeRefusesPod', message, warning: true });
    desk.note({ note: 'log', level: 'info', sentence: 'pinned pod deleted', fields: { pod: key, because } });
    return true;
  }

  return { follow, seeTo, awayFrom, on: (node) => pinnedOn.get(node) ?? [] };
}
