/**
 * Columns: all parts of the inventory put together. A thing that begins to count shows in the columns of its node's row, once; a
 * node that comes brings in what has waited for it, a node that goes takes it out again.
 */
import type { NodeNetwork } from '../../api/kinds.ts';
import type { InventoryOptions } from '../inventory.ts';
import type { NodeFacts } from '../node.ts';
import type { Terrain } from '../types.ts';
import { type Addresses, addresses } from './addresses.ts';
import type { Claim, Counting } from './claims.ts';
import { labelDomains } from './domains.ts';
import { eligibility } from './eligibility.ts';
import { hostPorts } from './host-ports.ts';
import { type Landscape, landscape } from './landscape.ts';
import { locked } from './locked.ts';
import { matching } from './matching.ts';
import { type Measurements, measurements } from './measurements.ts';
import { type Namespaces, namespaces } from './namespaces.ts';
import { type Place, places } from './places.ts';
import { repulsion } from './repulsion.ts';
import { rows } from './rows.ts';
import { space } from './space.ts';
import { suitability } from './suitability.ts';
import { supplies } from './supplies.ts';

export interface Columns {
  readonly terrain: Terrain;
  readonly counting: Counting;
  readonly nodes: {
    set(name: string, node: NodeFacts | undefined): void;
    setNetwork(name: string, network: NodeNetwork | undefined): void;
  };
  readonly addresses: Addresses;
  readonly landscape: Landscape;
  readonly namespaces: Namespaces;
  readonly measurements: Measurements;
}

export function columns({ missingSamples = 'assume-requested', sampleMaxAgeMs = 60_000 }: InventoryOptions): Columns {
  const table = rows();
  const known = places(table.names);
  const nodeOf = (row: number) => known.byRow(row)?.node;
  const spaces = space();
  const measured = measurements({ rows: table, places: known, maxAgeMs: sampleMaxAgeMs, changed: (place) => supply.measure(place) });
  const supply = supplies({ rows: table, places: known, isFresh: measured.isFresh, isReported: spaces.isReported });
  const address = addresses(table, known);
  const labels = labelDomains(table, (row) => nodeOf(row)?.labels);
  const suits = suitability(table, nodeOf);
  const land = landscape({ rows: table, places: known, supplies: supply, addresses: address, labels, suitability: suits, space: spaces });
  const names = namespaces();
  const repels = repulsion({ domains: labels.get, rowCount: () => table.count, inNamespace: names.has });
  const ports = hostPorts();
  const slots = locked(table);
  const matches = matching(table);
  const fits = eligibility({
    ...{ rows: table, suitability: suits, repulsion: repels, hostPorts: ports, domains: labels.get },
    poolOf: (row) => land.poolNames[land.pool[row]!],
    isSampled: missingSamples === 'refuse' ? (row, demand) => supply.isSampled(known.byRow(row)!, demand) : undefined,
    nodesVersion: () => land.version,
    samplesVersion: () => measured.version,
  });

  function enter(place: Place, claim: Claim): void {
    place.claims.add(claim);
    if (place.row !== -1) apply(place, claim, 1);
  }

  function leave(place: Place, claim: Claim): void {
    place.claims.delete(claim);
    if (place.row !== -1) apply(place, claim, -1);
  }

  function apply(place: Place, claim: Claim, sign: 1 | -1): void {
    const { row } = place;
    const { demand, deleting } = claim;
    supply.charge(place, claim, sign);
    matches.change(row, demand, deleting, sign);
    repels.change(row, demand, sign);
    ports.change(row, demand, sign);
    if (claim.locked) slots.change(row, demand.owner, sign);
  }

  function setNode(name: string, node: NodeFacts): void {
    const place = known.at(name);
    if (place.node !== undefined && isSame(place.node, node)) return;
    const isNew = place.row === -1;
    // What has waited comes in when the columns know the node.
    const waiting = isNew ? [...place.claims] : [];
    if (isNew) {
      place.claims.clear();
      place.row = table.add(name);
    }
    place.node = node;
    land.show(place);
    measured.show(place);
    for (const claim of waiting) enter(place, claim);
    if (isNew) supply.measure(place);
  }

  function unsetNode(name: string): void {
    const place = known.get(name);
    if (place === undefined || place.row === -1) return;
    const { row } = place;
    const staying = [...place.claims];
    for (const claim of staying) leave(place, claim);
    place.row = -1;
    place.node = undefined;
    for (const claim of staying) enter(place, claim);
    land.empty(place, row);
    measured.empty(row);
    table.remove(row);
    known.tidy(place);
  }

  return {
    counting: {
      count: (claim) => enter(known.at(claim.node!), claim),
      uncount(claim) {
        const place = known.get(claim.node!)!;
        leave(place, claim);
        known.tidy(place);
      },
    },
    nodes: {
      set: (name, node) => (node === undefined ? unsetNode(name) : setNode(name, node)),
      setNetwork(name, network) {
        const place = known.at(name);
        address.setNetwork(place, network);
        known.tidy(place);
      },
    },
    addresses: address,
    landscape: land,
    measurements: measured,
    namespaces: {
      ...names,
      set(name, labels) {
        names.set(name, labels);
        repels.forget();
      },
    },
    terrain: {
      get rows() {
        return table.count;
      },
      names: table.names,
      row: (name) => known.get(name)?.row ?? -1,
      get pool() {
        return land.pool;
      },
      get poolNames() {
        return land.poolNames;
      },
      supply: supply.get,
      domains: labels.get,
      level: land.level,
      eligible: fits.eligible,
      counted: fits.counted,
      matching: (namespaces, selector, { deleting = true } = {}) => matches.count(namespaces, selector, deleting),
      namespacesOf: names.of,
      addresses: address.view,
      get realUse() {
        return measured.realUse;
      },
      lockedByOthers: ({ owner }) => slots.byOthers(owner),
    },
  };
}

/** Whether nothing changed that counts: a kubelet says every few minutes that all is as it was. */
function isSame(a: NodeFacts, b: NodeFacts): boolean {
  return (
    a.ready === b.ready &&
    a.unschedulable === b.unschedulable &&
    JSON.stringify([a.labels, a.taints, a.allocatable]) === JSON.stringify([b.labels, b.taints, b.allocatable])
  );
}
