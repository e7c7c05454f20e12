/**
 * Landscape: what a node is, as columns: its pool, its rack, zone and datacenter, what it has of each supply, where its pods get
 * their addresses. Made of the Node, its HostPool and what reports its local space.
 */
import { instanceType } from '../../api/instance-types.ts';
import type { HostPool } from '../../api/kinds.ts';
import { POOL_LABEL, RACK_LABEL } from '../../api/model.ts';
import type { NodeFacts } from '../node.ts';
import type { StorageCapacityFacts } from '../storage.ts';
import type { Level } from '../types.ts';
import type { Addresses } from './addresses.ts';
import { type Domains, type DomainTable, domainTable, HOSTNAME, type LabelDomains } from './domains.ts';
import { labelIndex } from './label-index.ts';
import type { Place, Places } from './places.ts';
import { type PoolFacts, poolFacts } from './pool-facts.ts';
import type { Rows } from './rows.ts';
import type { Space } from './space.ts';
import type { Suitability } from './suitability.ts';
import type { Supplies } from './supplies.ts';

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';
const INSTANCE_TYPE = 'node.kubernetes.io/instance-type';

export interface LandscapeOptions {
  readonly rows: Rows;
  readonly places: Places;
  readonly supplies: Supplies;
  readonly addresses: Addresses;
  readonly labels: LabelDomains;
  readonly suitability: Suitability;
  readonly space: Space;
}

export interface Landscape {
  readonly pool: Int32Array;
  readonly poolNames: readonly string[];
  level(level: Level): Domains;
  /** Its node is new, or says something else. */
  show(place: Place): void;
  /** Its node is gone; `row` was its row. */
  empty(place: Place, row: number): void;
  setPool(name: string, pool: HostPool | undefined): void;
  setSpace(key: string, facts: StorageCapacityFacts | undefined): void;
  /** Changes with nodes, their pools and labels. */
  readonly version: number;
}

export function landscape(options: LandscapeOptions): Landscape {
  const { rows, places, supplies, addresses, labels, suitability, space } = options;
  const pools = new Map<string, { readonly facts: PoolFacts; readonly spec: string }>();
  const pool = rows.ints(-1);
  let poolNames: readonly string[] = [];
  const tables: Readonly<Record<Exclude<Level, 'node'>, DomainTable>> = {
    rack: domainTable(rows),
    zone: domainTable(rows),
    datacenter: domainTable(rows),
  };
  const index = labelIndex(places);
  let version = 0;

  function show(place: Place): void {
    const { row, name } = place;
    const node = place.node!;
    version++;
    const facts = pools.get(node.labels[POOL_LABEL] ?? '')?.facts;
    const rack = node.labels[RACK_LABEL] ?? facts?.rackOf.get(name);
    const datacenter = datacenterOf(node, facts);
    pool.data[row] = facts === undefined ? -1 : poolNames.indexOf(facts.name);
    // Racks of two datacenters may be called the same.
    tables.rack.set(row, rack === undefined ? undefined : JSON.stringify([datacenter, rack]), rack);
    tables.zone.set(row, node.labels[ZONE]);
    tables.datacenter.set(row, datacenter);
    labels.set(row, node.labels);
    showCapacity(place);
    index.set(place);
    addresses.wire(place, facts, rack);
    suitability.set(row, node);
  }

  function showCapacity({ row, node }: Place): void {
    if (row === -1 || node === undefined) return;
    supplies.setCapacity(row, capacitiesOf(node, pools.get(node.labels[POOL_LABEL] ?? '')?.facts, space));
  }

  return {
    get pool() {
      return pool.data;
    },
    get poolNames() {
      return poolNames;
    },
    get version() {
      return version;
    },
    level: (level) => (level === 'node' ? labels.get(HOSTNAME) : tables[level]),
    show,
    empty(place, row) {
      version++;
      index.set(place);
      pool.data[row] = -1;
      for (const table of Object.values(tables)) table.set(row, undefined);
      labels.set(row, undefined);
      supplies.empty(row);
      addresses.empty(row);
      suitability.set(row, undefined);
    },
    setPool(name, object) {
      const spec = object && JSON.stringify(object.spec);
      if (pools.get(name)?.spec === spec) return;
      const facts = object && poolFacts(object);
      // Rows leave their groups first, so that no group of a pool that is gone is looked up.
      const members = [...places.values()].filter(({ row, node }) => row !== -1 && node?.labels[POOL_LABEL] === name);
      for (const place of members) addresses.wire(place, undefined, undefined);
      addresses.setPool(name, facts);
      if (facts === undefined) pools.delete(name);
      else pools.set(name, { facts, spec: spec! });
      const names = [...pools.keys()].sort();
      if (names.join() === poolNames.join()) {
        for (const place of members) show(place);
        return;
      }
      // Numbers of pools follow their names, so another pool gives all of them another one.
      poolNames = names;
      for (const place of places.values()) if (place.row !== -1) show(place);
    },
    setSpace(key, facts) {
      const touched = space.set(key, facts);
      if (touched === 'all') for (const place of places.values()) showCapacity(place);
      else for (const label of touched) for (const place of index.find(label.key, label.value)) showCapacity(place);
    },
  };
}

/** A racked host is where its pool says; elsewhere a region is what people call a datacenter. */
function datacenterOf({ labels }: NodeFacts, pool: PoolFacts | undefined): string | undefined {
  if (pool?.vlans !== undefined) return pool.datacenter ?? labels[ZONE] ?? labels[REGION];
  return labels[REGION] ?? pool?.region ?? labels[ZONE];
}

function capacitiesOf({ allocatable, labels }: NodeFacts, pool: PoolFacts | undefined, space: Space): ReadonlyMap<string, number> {
  const capacities = new Map(Object.entries(allocatable));
  for (const [supply, bytes] of space.of(labels)) capacities.set(supply, bytes);
  // What an instance type always gives, not what it gives in bursts.
  const ofType = pool !== undefined && pool.vlans === undefined ? instanceType(labels[INSTANCE_TYPE] ?? '')?.baselineGbps : undefined;
  const bandwidth = pool?.bandwidth ?? (ofType === undefined ? undefined : ofType * 1e9);
  if (bandwidth !== undefined) for (const supply of ['egress', 'ingress']) capacities.set(supply, bandwidth);
  return capacities;
}
