/**
 * What the parts of the inventory say to each other. Three layers, each on the one before:
 *
 *     objects, definition, snapshot ──► Inventory ──(Terrain)──► stock, place ──► lock writer, API, CLI, planner
 *
 * A `Demand` is one pod in numbers. The `Terrain` is what the inventory shows of itself to those who count: columns, read
 * only, never copied. `stock` and `place` answer with plain data.
 */

/** What one pod asks of a node. Made by `demandOf` from a pod template. */
export interface Demand {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `<namespace>/<name>`: the Held addresses of this owner count as free for it. */
  readonly owner?: string;
  /**
   * By supply: `cpu` (cores), `memory`, `ephemeral-storage` (bytes), `pods` (1), `egress`, `ingress` (bits a second),
   * `storage/<class>` (bytes), extended resources by their name. Never 0 or negative: what isn't asked isn't here.
   */
  readonly requests: ReadonlyMap<string, number>;
  /** Whether it takes an address where Gala owns the network: not on the host's network. */
  readonly address: boolean;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Required node affinity: terms are alternatives, requirements within one all hold. Empty: anywhere. */
  readonly nodeTerms: readonly NodeTerm[];
  readonly tolerations: readonly Toleration[];
  /** Required topology spread (`DoNotSchedule`) only. */
  readonly spread: readonly Spread[];
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  /** `TCP/8080` or `TCP/8080@10.0.0.1`. */
  readonly hostPorts: readonly string[];
}

export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

export interface NodeTerm {
  readonly matchExpressions: readonly Requirement[];
  /** Only `metadata.name` exists. */
  readonly matchFields: readonly Requirement[];
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal' | 'Lt' | 'Gt';
  readonly value?: string;
  readonly effect?: string;
}

/** A label selector, normalised: all of these hold. Empty: everything. */
export type Selector = readonly Requirement[];

export interface Spread {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly minDomains?: number;
  readonly nodeAffinityPolicy: 'Honor' | 'Ignore';
  readonly nodeTaintsPolicy: 'Honor' | 'Ignore';
}

export interface PodTerm {
  readonly topologyKey: string;
  readonly selector: Selector;
  /** Namespaces by name, the pod's own where none were given; `namespaceSelector` is resolved by the inventory. */
  readonly namespaces: readonly string[];
  readonly namespaceSelector?: Selector;
}

/** Places by which slots spread, are capped and sorted, from small to large. */
export const LEVELS = ['node', 'rack', 'zone', 'datacenter'] as const;
export type Level = (typeof LEVELS)[number];

export type Strategy = 'concentrate' | 'spread';

/** The question. */
export interface Ask {
  readonly demand: Demand;
  readonly strategy: Strategy;
  /** A number of slots, or a percentage of the count, rounded up: `'30%'`. @default no cap */
  readonly maxPer?: Readonly<Partial<Record<Level, number | string>>>;
  /** The datacenter to fill first. */
  readonly near?: string;
  /** Only nodes of these pools. @default all */
  readonly pools?: readonly string[];
  /** Choose by real use, where it was sampled, and not by what is promised. @default false */
  readonly byUse?: boolean;
}

/**
 * Why a node takes no more, one word each. A supply's own name (`cpu`, `memory`, `pods`, `egress`, `storage/gala-log`, …)
 * or one of these.
 */
export type Limit =
  | 'addresses'
  | 'macsPerPort'
  | 'notReady'
  | 'cordoned'
  | 'taint'
  | 'nodeSelector'
  | 'nodeAffinity'
  | 'affinity'
  | 'antiAffinity'
  | 'spread'
  | 'hostPorts'
  | 'noSample'
  | `maxPer.${Level}`
  | (string & {});

/** One column of supply: what nodes have, and what is promised on them. Rows are nodes; holes hold 0. */
export interface Supply {
  readonly name: string;
  /** Allocatable; NaN where the node does not say (not limited there: `egress` of an unknown machine). */
  readonly capacity: Float64Array;
  /** Requests of pods and unused slots, or live use where that is more. */
  readonly used: Float64Array;
}

/** Whether a row may have a pod of some demand at all, before anything is counted. */
export interface Eligibility {
  /** 0: it may. Else 1 + index into `limits`. */
  readonly why: Uint8Array;
  readonly limits: readonly Limit[];
}

/** Addresses, as sources that rows drink from. A source is a VLAN's free addresses, or one EC2 node's free ENI slots. */
export interface AddressSources {
  /** Free for this demand, Held ones of its owner included. */
  readonly free: Int32Array;
  /** `vlan 110` or `eni <node>`: for people. */
  readonly names: readonly string[];
  /** Rows with the same sources share a group; -1: addresses aren't Gala's there, none is needed. */
  readonly group: Int32Array;
  /** By group: the sources its rows may take from, in the order they are tried. */
  readonly sources: readonly Int32Array[];
  /** By row: how many more MAC addresses its switch port shows; a large number where nothing limits it. */
  readonly macs: Int32Array;
  /**
   * The addresses of a source in the order they are given out: Held ones of the owner first (those last on `row` before
   * others), then free ones, lowest first.
   */
  take(source: number, row: number, count: number, not?: ReadonlySet<string>): string[];
  /** Whether it is one of the source's addresses, free or not. */
  has(source: number, address: string): boolean;
}

/** What the inventory shows to those who count. Valid until the inventory changes; nothing in it is copied. */
export interface Terrain {
  /** Rows, holes included. */
  readonly rows: number;
  /** By row; undefined is a hole. Columns may be longer than there are rows. */
  readonly names: readonly (string | undefined)[];
  /** The row of a node; -1: there is no such node. */
  row(name: string): number;
  /** By row; index into `poolNames`; -1: of no pool. */
  readonly pool: Int32Array;
  readonly poolNames: readonly string[];
  /** Of any name. What no node has is 0 everywhere; space of a class that nobody reports, `storage/<class>`, is not limited. */
  supply(name: string): Supply | undefined;
  /**
   * Domains of a node label (`kubernetes.io/hostname`: the row itself): by row its domain, -1 without the label. A domain that no row
   * is in any more may keep its number for a while.
   */
  domains(topologyKey: string): { readonly of: Int32Array; readonly names: readonly string[] };
  /**
   * The same for rack, zone and datacenter; `node` is the row. A rack is the label `gala.internal/rack`, else where the pool's
   * nodesets have the host; a zone is `topology.kubernetes.io/zone`. A datacenter is the `datacenter` of a racked pool, or the
   * zone where it names none; on EC2 and on nodes of no pool the region, or the zone where there is none.
   */
  level(level: Level): { readonly of: Int32Array; readonly names: readonly string[] };
  /**
   * Ready, not cordoned, selected, tolerated, not repelled by the anti-affinity of pods that are there, ports of the host free, samples
   * as declared; of an asked pool (`pool`). Holes are never eligible. A pool's taint counts as any other: the demand tolerates it or not.
   */
  eligible(demand: Demand, ask?: Pick<Ask, 'pools'>): Eligibility;
  /** Rows that count for a spread constraint's domains, by its node policies. 1: counts. */
  counted(demand: Demand, spread: Spread): Uint8Array;
  /**
   * By row: pods there, slots included, in one of the namespaces and matching. `deleting: false`: without those whose deletion has
   * begun, as topology spread counts; affinity counts them.
   */
  matching(namespaces: readonly string[] | 'all', selector: Selector, options?: { readonly deleting?: boolean }): Int32Array;
  /** The namespaces of a term, its selector resolved. */
  namespacesOf(term: PodTerm): readonly string[] | 'all';
  addresses(demand: Demand): AddressSources;
  /** By row, 0 to 1: the largest share of cpu and memory in real use; NaN without a sample. */
  readonly realUse: Float64Array;
  /** By row: promised to slots that no pod uses yet and that are others' than the demand's owner's. For people. */
  lockedByOthers(demand: Demand): Int32Array;
}

/** How many fit on a node, and what would have to be more for one more. */
export interface NodeFit {
  readonly node: string;
  readonly fit: number;
  readonly limit: Limit;
}

export interface PoolFit {
  /** Empty: nodes of no pool. */
  readonly pool: string;
  readonly hosts: number;
  readonly fit: number;
  /** Slots that others have locked there and not used. */
  readonly lockedByOthers: number;
  /** Nodes by what limits them, the most first. */
  readonly limits: readonly { readonly limit: Limit; readonly nodes: number }[];
}

/** The answer to "how many, where, why not more". */
export interface Stock {
  /** What a lock with this question would get now, if it took what there is. */
  readonly count: number;
  /** What limits the count as a whole. */
  readonly limit: Limit;
  /** By node, in the order of their names; nodes without room included. */
  readonly nodes: readonly NodeFit[];
  readonly pools: readonly PoolFit[];
  /** Nodes by what limits them, the most first. */
  readonly limits: readonly { readonly limit: Limit; readonly nodes: number }[];
}

export interface PlacedSlot {
  readonly node: string;
  /** Where Gala owns the network. */
  readonly address?: string;
}

export type Placement =
  | { readonly slots: readonly PlacedSlot[] }
  | {
      /** The limit of most nodes. */
      readonly refused: Limit;
      readonly want: number;
      readonly found: number;
      readonly limits: readonly { readonly limit: Limit; readonly nodes: number }[];
    };
