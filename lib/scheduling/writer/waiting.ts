/**
 * Waiting: loose pods in the order they get slots: higher priority first, then older first. Pure.
 *
 * Pods of the same demand stand together, so that one look at the nodes serves many. Where nothing fits, all pods of that shape
 * are set aside with the reason, and wait without another look until something is freed: ten thousand of them cost one.
 */
import FlatQueue from 'flatqueue';
import type { PodFacts } from '../facts.ts';
import type { Demand } from '../types.ts';
import type { Refusal } from './refusal.ts';

/** Pods of one demand and priority, oldest first; `refusal`: nothing fits, and they have been set aside. */
export interface Batch {
  readonly pods: readonly PodFacts[];
  readonly refusal?: Refusal;
}

export interface Waiting {
  /** @returns why it waits, when its shape is set aside already */
  add(pod: PodFacts): Refusal | undefined;
  remove(key: string): void;
  /** Those who are next, at most so many. They stay until they are removed, or set aside. */
  next(most: number): Batch | undefined;
  /** Nothing fits for pods like this one now. @returns those of its demand and priority */
  setAside(like: PodFacts, refusal: Refusal): readonly PodFacts[];
  /** Something was freed: all may fit again, or those that it concerns. @param concerns the same of all pods of a shape */
  wake(concerns?: (pod: PodFacts) => boolean): void;
  readonly size: number;
  /** Whether some are set aside. */
  readonly anyAside: boolean;
}

interface Group {
  readonly priority: number;
  /** Oldest first; by name among those of the same second. */
  readonly pods: PodFacts[];
  aside: boolean;
}

/**
 * @param hasHeld whether addresses are Held for an owner: its pods may fit where others of their shape don't
 * @param apart what else of a pod decides whether it fits: it may not where others of its template do
 */
export function waiting(hasHeld: (owner: string) => boolean, apart: (pod: PodFacts) => string = () => ''): Waiting {
  const groups = new Map<string, Group>();
  const groupOf = new Map<string, string>();
  /** By priority: groups by the age of their oldest. What is out of date is put right when it comes up. */
  const levels = new Map<number, FlatQueue<string>>();
  const aside = new Map<string, Refusal>();
  const texts = new WeakMap<Demand, string>();

  /** What decides whether it fits. Its owner does where addresses are Held for it. */
  function shapeOf(pod: PodFacts): string {
    const { demand, pinned } = pod;
    let text = texts.get(demand);
    if (text === undefined) {
      const { owner: _, requests, ...rest } = demand;
      text = JSON.stringify([rest, [...requests]]);
      texts.set(demand, text);
    }
    const { owner } = demand;
    return `${pinned ?? ''} ${owner !== undefined && hasHeld(owner) ? owner : ''} ${apart(pod)} ${text}`;
  }

  function enqueue(id: string, { priority, pods }: Group): void {
    const level = levels.get(priority) ?? new FlatQueue<string>();
    levels.set(priority, level);
    level.push(id, (pods[0] as PodFacts).createdMs);
  }

  function remove(key: string): void {
    const id = groupOf.get(key);
    const group = id === undefined ? undefined : groups.get(id);
    if (id === undefined || group === undefined) return;
    groupOf.delete(key);
    group.pods.splice(
      group.pods.findIndex((pod) => pod.key === key),
      1,
    );
    if (group.pods.length === 0) groups.delete(id);
  }

  /** The group that is next; it stays in its queue. */
  function first(): Group | undefined {
    for (const priority of [...levels.keys()].sort((a, b) => b - a)) {
      const level = levels.get(priority) as FlatQueue<string>;
      for (let id = level.peek(); id !== undefined; id = level.peek()) {
        const group = groups.get(id);
        if (group !== undefined && !group.aside) {
          if (group.pods[0]?.createdMs === level.peekValue()) return group;
          level.pop();
          enqueue(id, group);
        } else level.pop();
      }
      levels.delete(priority);
    }
    return undefined;
  }

  return {
    add(pod) {
      const { key, demand, priority = 0, pinned, controller } = pod;
      const id = `${priority} ${pinned ?? ''} ${controller?.uid ?? ''} ${numberOf(demand)}`;
      remove(key);
      const refusal = aside.get(shapeOf(pod));
      const group = groups.get(id) ?? { priority, pods: [], aside: false };
      groups.set(id, group);
      const oldest = group.pods[0]?.createdMs;
      insert(group.pods, pod);
      groupOf.set(key, id);
      // A new group, or one that is older by this pod.
      if (group.pods[0]?.createdMs !== oldest) enqueue(id, group);
      return group.aside ? refusal : undefined;
    },
    remove,
    next(most) {
      const group = first();
      const [oldest] = group?.pods ?? [];
      if (group === undefined || oldest === undefined) return undefined;
      const refusal = aside.get(shapeOf(oldest));
      if (refusal !== undefined) group.aside = true;
      return refusal === undefined ? { pods: group.pods.slice(0, most) } : { pods: [...group.pods], refusal };
    },
    setAside(like, refusal) {
      aside.set(shapeOf(like), refusal);
      const group = groups.get(groupOf.get(like.key) ?? '');
      if (group === undefined) return [];
      group.aside = true;
      return [...group.pods];
    },
    wake(concerns) {
      if (concerns === undefined) aside.clear();
      for (const [id, group] of groups) {
        const [pod] = group.pods;
        if (!group.aside || pod === undefined || concerns?.(pod) === false) continue;
        if (concerns !== undefined) aside.delete(shapeOf(pod));
        group.aside = false;
        enqueue(id, group);
      }
    },
    get size() {
      return groupOf.size;
    },
    get anyAside() {
      return aside.size > 0;
    },
  };
}

const numbers = new WeakMap<Demand, number>();
let numbered = 0;

/** Pods of one shape and owner share their Demand. */
function numberOf(demand: Demand): number {
  const number = numbers.get(demand) ?? ++numbered;
  numbers.set(demand, number);
  return number;
}

/** Nearly always at the end. */
function insert(pods: PodFacts[], pod: PodFacts): void {
  let at = pods.length;
  while (at > 0 && before(pod, pods[at - 1] as PodFacts)) at--;
  pods.splice(at, 0, pod);
}

export function before(a: PodFacts, b: PodFacts): boolean {
  return a.createdMs === b.createdMs ? a.key < b.key : a.createdMs < b.createdMs;
}
