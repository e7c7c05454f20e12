/**
 * Suitability: which nodes a demand may have by what the Node itself says: Ready, cordon, taints, node selector, node affinity. One
 * column for all demands that ask the same of nodes; a node that changes is looked at again in each column, and nothing else
 * is: a pod that comes or goes changes none of them.
 */
import { NOT_READY, type NodeFacts, selectsNode, UNSCHEDULABLE, untolerated } from '../node.ts';
import type { Demand } from '../types.ts';
import type { Column, Rows } from './rows.ts';

/** In the order in which they are looked at; the first that holds is told. */
export const LIMITS = [
  'pool',
  'notReady',
  'cordoned',
  'taint',
  'nodeSelector',
  'nodeAffinity',
  'antiAffinity',
  'hostPorts',
  'noSample',
] as const;

/** As eligibility columns have it: 0 is none. */
export const code = (limit: (typeof LIMITS)[number]): number => 1 + LIMITS.indexOf(limit);

/** Bits of `honors`: what a spread constraint may ask of the nodes it counts. */
export const SELECTED = 1;
export const TOLERATED = 2;

export interface Suitable {
  readonly why: Column<Uint8Array<ArrayBuffer>>;
  /** By row: SELECTED, TOLERATED. */
  readonly honors: Column<Uint8Array<ArrayBuffer>>;
  /** Changes whenever a value may have; no two columns have the same. */
  version: number;
}

export interface Suitability {
  of(demand: Demand): Suitable;
  /** A Node as it is now; undefined: it is gone. */
  set(row: number, node: NodeFacts | undefined): void;
}

/** Columns that are kept: those asked for last. */
const MOST_COLUMNS = 256;

type Asked = Pick<Demand, 'nodeSelector' | 'nodeTerms' | 'tolerations'>;

/** @param nodeOf the Node of a row */
export function suitability(rows: Rows, nodeOf: (row: number) => NodeFacts | undefined): Suitability {
  const columns = new Map<string, Suitable & { readonly asked: Asked }>();
  const keys = new WeakMap<Demand, string>();
  let versions = 0;

  function keyOf(demand: Demand): string {
    const known = keys.get(demand);
    if (known !== undefined) return known;
    const made = JSON.stringify([Object.entries(demand.nodeSelector).sort(), demand.nodeTerms, demand.tolerations]);
    keys.set(demand, made);
    return made;
  }

  function look(column: Suitable & { readonly asked: Asked }, row: number, node: NodeFacts | undefined): void {
    const [why, honors] = node === undefined ? [code('notReady'), 0] : judge(column.asked, node);
    const [whyNow, honorsNow] = [column.why.data, column.honors.data];
    if (whyNow[row] === why && honorsNow[row] === honors) return;
    whyNow[row] = why;
    honorsNow[row] = honors;
    column.version = ++versions;
  }

  function make({ nodeSelector, nodeTerms, tolerations }: Asked): Suitable & { readonly asked: Asked } {
    const asked = { nodeSelector, nodeTerms, tolerations };
    // A hole takes nothing.
    const column = { asked, why: rows.bytes(code('notReady')), honors: rows.bytes(), version: ++versions };
    for (let row = 0; row < rows.count; row++) look(column, row, nodeOf(row));
    return column;
  }

  return {
    of(demand) {
      const key = keyOf(demand);
      const known = columns.get(key);
      const column = known ?? make(demand);
      // Last asked, last in the order of the map.
      columns.delete(key);
      columns.set(key, column);
      if (columns.size > MOST_COLUMNS) {
        const [oldest, { why, honors }] = columns.entries().next().value!;
        columns.delete(oldest);
        rows.drop(why);
        rows.drop(honors);
      }
      return column;
    },
    set(row, node) {
      for (const column of columns.values()) look(column, row, node);
    },
  };
}

/**
 * A node that is not Ready is refused as the taint that it is about to have would refuse it, a cordoned one likewise
 * (plugins/nodeunschedulable): pods that tolerate those go there.
 */
function judge(asked: Asked, node: NodeFacts): readonly [why: number, honors: number] {
  const selected = selectsNode(asked, node);
  const tolerated = untolerated(node.taints, asked.tolerations) === undefined;
  const honors = (selected === 'yes' ? SELECTED : 0) | (tolerated ? TOLERATED : 0);
  if (!node.ready && untolerated([NOT_READY], asked.tolerations) !== undefined) return [code('notReady'), honors];
  if (node.unschedulable && untolerated([UNSCHEDULABLE], asked.tolerations) !== undefined) return [code('cordoned'), honors];
  if (!tolerated) return [code('taint'), honors];
  return [selected === 'yes' ? 0 : code(selected), honors];
}
