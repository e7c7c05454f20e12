/**
 * Away: the nodes that refused a controller's pods lately, and that its next pods are kept away from. Without it the pod that takes
 * the place of a deleted one could be given the same node again, round after round. Pure, and in memory alone: a lock writer that
 * begins learns anew.
 */
import type { NodeTerm } from '../types.ts';
import { putLast } from './put-last.ts';

export interface Away {
  /**
   * A node refused a pod of the controller. Pods that were there together count once: while they are kept away, it is no news.
   * @param controller UID
   * @param leastMs its next pod may wait for so long: longer than that, or the one after it could be given this node again
   */
  refused(controller: string, node: string, nowMs: number, leastMs?: number): void;
  /** Nodes that its next pods are kept away from now, by name. */
  from(controller: string, nowMs: number): readonly string[];
  /** How long yet; 0: it may have them. */
  leftMs(controller: string, node: string, nowMs: number): number;
}

/** Twice a pod's 30 s of patience; doubled by each refusal in a row. */
const FIRST_MS = 60_000;
const MAX_MS = 1_800_000;
/** A node that had its pods back for so long without a refusal is as good as any. */
const FORGET_MS = 600_000;
/** The oldest are forgotten first. */
const MOST_NODES = 64;
const MOST_CONTROLLERS = 1_000;

interface Refused {
  readonly times: number;
  readonly untilMs: number;
}

export function away(): Away {
  /** By controller, by node; both in the order of their last refusal. */
  const all = new Map<string, Map<string, Refused>>();

  return {
    refused(controller, node, nowMs, leastMs = 0) {
      const nodes = all.get(controller) ?? new Map<string, Refused>();
      const before = nodes.get(node);
      if (before !== undefined && before.untilMs > nowMs) return;
      const times = before === undefined || before.untilMs + FORGET_MS <= nowMs ? 1 : before.times + 1;
      putLast(nodes, node, { times, untilMs: nowMs + Math.min(MAX_MS, Math.max(leastMs, FIRST_MS * 2 ** (times - 1))) }, MOST_NODES);
      putLast(all, controller, nodes, MOST_CONTROLLERS);
    },
    from(controller, nowMs) {
      const nodes = all.get(controller);
      if (nodes === undefined) return [];
      for (const [node, { untilMs }] of nodes) if (untilMs + FORGET_MS <= nowMs) nodes.delete(node);
      if (nodes.size === 0) all.delete(controller);
      return [...nodes].flatMap(([node, { untilMs }]) => (untilMs > nowMs ? [node] : [])).sort();
    },
    leftMs: (controller, node, nowMs) => Math.max(0, (all.get(controller)?.get(node)?.untilMs ?? 0) - nowMs),
  };
}

/** Any node but these. */
export const notOn = (nodes: readonly string[]): NodeTerm => ({
  matchExpressions: [],
  // One value each, as the API server has it for fields (core/validation, ValidateNodeFieldSelectorRequirement).
  matchFields: nodes.map((node) => ({ key: 'metadata.name', operator: 'NotIn', values: [node] })),
});
