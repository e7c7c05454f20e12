/**
 * In a row: how often nodes refused the pods of a controller, since one of them was bound last. Each time its next pod may wait twice
 * as long, half an hour at most; and where three nodes say the same the fourth would too: a volume that another pod has, a device that
 * nobody has. Pure, and in memory alone: a lock writer that begins learns anew.
 */
import { PATIENCE_MS } from './next-for-pinned.ts';
import { putLast } from './put-last.ts';

export interface InARow {
  /**
   * A node refused a pod of the controller for as long as it may. Those that were pinned before the last one was refused count once.
   * @param controller UID
   * @param sentence of any node; undefined: it is that node's own matter
   */
  refused(controller: string, refusal: Refused, nowMs: number): void;
  /** A pod of it was bound. */
  bound(controller: string): void;
  /** How long its next pod may be refused. */
  patienceMs(controller: string): number;
  /** Nodes enough have said it. */
  everywhere(controller: string, sentence: string | undefined): boolean;
}

export interface Refused {
  readonly node: string;
  readonly sentence: string | undefined;
  /** When the pod was seen pinned first. */
  readonly pinnedMs: number;
}

const MAX_MS = 1_800_000;
const ENOUGH_NODES = 3;
/** The oldest are forgotten first. */
const MOST_SENTENCES = 16;
const MOST_CONTROLLERS = 1_000;

interface Row {
  times: number;
  lastMs: number;
  /** Nodes by what they said. */
  readonly said: Map<string, Set<string>>;
}

export function inARow(): InARow {
  const rows = new Map<string, Row>();
  return {
    refused(controller, { node, sentence, pinnedMs }, nowMs) {
      const row = rows.get(controller) ?? { times: 0, lastMs: Number.NEGATIVE_INFINITY, said: new Map() };
      if (pinnedMs > row.lastMs) {
        row.times++;
        row.lastMs = nowMs;
      }
      if (sentence !== undefined) {
        const nodes = row.said.get(sentence) ?? new Set();
        if (nodes.size < ENOUGH_NODES) nodes.add(node);
        putLast(row.said, sentence, nodes, MOST_SENTENCES);
      }
      putLast(rows, controller, row, MOST_CONTROLLERS);
    },
    bound: (controller) => void rows.delete(controller),
    patienceMs: (controller) => Math.min(MAX_MS, PATIENCE_MS * 2 ** (rows.get(controller)?.times ?? 0)),
    everywhere: (controller, sentence) => sentence !== undefined && (rows.get(controller)?.said.get(sentence)?.size ?? 0) >= ENOUGH_NODES,
  };
}
