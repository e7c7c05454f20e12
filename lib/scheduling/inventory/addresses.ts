/**
 * Addresses: from which sources a node gives its pods theirs, how many are free there for a demand, and which come first. Rows with
 * the same sources are a group: a rack of a pool, or one EC2 instance.
 */
import type { NodeNetwork } from '../../api/kinds.ts';
import { toAddress, toNumber } from '../../api/range.ts';
import type { AddressSources, Demand } from '../types.ts';
import type { Place, Places } from './places.ts';
import type { PoolFacts, VlanFacts } from './pool-facts.ts';
import type { Rows } from './rows.ts';
import { sources } from './sources.ts';
import { type Taken, taken } from './taken.ts';

/** What nothing limits. */
const PLENTY = 2 ** 31 - 1;
const NO_SOURCES = new Int32Array(0);

interface Group {
  readonly key: string;
  readonly pool: string;
  readonly rack: string | undefined;
  /** The instance whose ENIs they are. */
  readonly node: string | undefined;
  members: number;
}

export interface Addresses extends Pick<Taken, 'setIPLock' | 'claim'> {
  /** Those of its nodes are wired anew after it. */
  setPool(name: string, pool: PoolFacts | undefined): void;
  setNetwork(place: Place, network: NodeNetwork | undefined): void;
  /** The node is of this pool, in this rack. */
  wire(place: Place, pool: PoolFacts | undefined, rack: string | undefined): void;
  empty(row: number): void;
  view(demand: Demand): AddressSources;
}

export function addresses(rows: Rows, places: Places): Addresses {
  const pools = new Map<string, { readonly facts: PoolFacts; readonly sources: readonly number[] }>();
  const group = rows.ints(-1);
  const none = rows.ints(-1);
  const macs = rows.ints(PLENTY);
  const plenty = rows.ints(PLENTY);
  const groups: (Group | undefined)[] = [];
  const ids = new Map<string, number>();
  const holes: number[] = [];
  /** Sources by group, by namespace; void when there is a pool, group or source more or less. */
  let reached = new Map<string, readonly Int32Array[]>();
  const forget = () => {
    reached = new Map();
  };

  const all = taken({
    busy: (address, busy) => from.busy(address, busy),
    mac(node, sign) {
      const place = places.at(node);
      place.macs += sign;
      showMacs(place);
      places.tidy(place);
    },
  });
  const from = sources(all);

  function showMacs({ row, macs: counted, network }: Place): void {
    if (row === -1) return;
    const pool = group.data[row] === -1 ? undefined : pools.get(groups[group.data[row]!]!.pool)?.facts;
    // macsInUse has the host's own in it, macsPerPort has not.
    const seen = (network?.status?.macsInUse ?? 1) - 1;
    macs.data[row] = pool?.vlans === undefined ? PLENTY : Math.max(0, pool.macsPerPort - Math.max(counted, seen));
  }

  function groupOf({ name: pool, vlans }: PoolFacts, rack: string | undefined, node: string): number {
    const key = vlans === undefined ? `eni ${pool} ${node}` : JSON.stringify([pool, rack]);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = holes.pop() ?? groups.length;
    ids.set(key, id);
    groups[id] = { key, pool, rack, node: vlans === undefined ? node : undefined, members: 0 };
    forget();
    return id;
  }

  function join(row: number, id: number): void {
    const before = group.data[row]!;
    if (before === id) return;
    group.data[row] = id;
    if (id !== -1) groups[id]!.members++;
    const left = groups[before];
    if (left === undefined) return;
    left.members--;
    if (left.members > 0) return;
    groups[before] = undefined;
    ids.delete(left.key);
    holes.push(before);
    forget();
  }

  /** VLANs for few come first, so that those for all are left to the others: by namespaces, then by racks, then by id. */
  function sourcesOf({ pool, rack, node }: Group, namespace: string): Int32Array {
    const own = node === undefined ? undefined : from.instance(node);
    if (node !== undefined) return own === undefined ? NO_SOURCES : Int32Array.of(own);
    const { facts, sources } = pools.get(pool)!;
    const reachable = facts
      .vlans!.map((vlan, at) => ({ vlan, source: sources[at]! }))
      .filter(({ vlan }) => (vlan.racks?.has(rack ?? '') ?? true) && (vlan.namespaces?.has(namespace) ?? true))
      .sort(({ vlan: a }, { vlan: b }) => forAll(a) - forAll(b) || racksOf(a) - racksOf(b) || a.id - b.id);
    return Int32Array.from(reachable, ({ source }) => source);
  }

  function reachedFrom(namespace: string): readonly Int32Array[] {
    // Namespaces that no VLAN names reach the same.
    const isNamed = [...pools.values()].some(({ facts }) => facts.vlans?.some(({ namespaces }) => namespaces?.has(namespace)));
    const key = isNamed ? namespace : '';
    const known = reached.get(key);
    if (known !== undefined) return known;
    const made = groups.map((it) => (it === undefined ? NO_SOURCES : sourcesOf(it, namespace)));
    reached.set(key, made);
    return made;
  }

  /** Without an owner whose addresses are Held it is the column itself. */
  function freeFor(owner: string | undefined): Int32Array {
    const held = owner === undefined ? undefined : all.heldBy(owner);
    if (held === undefined || held.size === 0) return from.free.subarray(0, from.count);
    const free = from.free.slice(0, from.count);
    for (const address of held.keys()) for (const source of from.of(address)) free[source]! += 1;
    return free;
  }

  /** Held ones of the owner first, those last on this node before others; then free ones. */
  function* inOrder(source: number, owner: string | undefined, node: string | undefined): Generator<number> {
    if (owner !== undefined)
      yield* [...all.heldBy(owner)]
        .filter(([address]) => from.has(source, address))
        .sort(([a, nodeOfA], [b, nodeOfB]) => Number(nodeOfB === node) - Number(nodeOfA === node) || a - b)
        .map(([address]) => address);
    yield* from.inOrder(source);
  }

  return {
    setIPLock: all.setIPLock,
    claim: all.claim,
    setPool(name, facts) {
      const before = pools.get(name);
      // First what it has now: a VLAN that stays keeps its source.
      const sources = (facts?.vlans ?? []).map(from.addVlan);
      for (const vlan of before?.facts.vlans ?? []) from.removeVlan(vlan);
      if (facts === undefined) pools.delete(name);
      else pools.set(name, { facts, sources });
      forget();
    },
    setNetwork(place, network) {
      // The new ones first: what stays must not be free for a moment.
      for (const { ip } of network?.status?.wired ?? []) all.wired(ip, 1);
      for (const { ip } of place.network?.status?.wired ?? []) all.wired(ip, -1);
      place.network = network;
      if (
        from.setInstance(
          place.name,
          (network?.spec.eniSlots ?? []).map(({ ip }) => ip),
        )
      )
        forget();
      showMacs(place);
    },
    wire(place, pool, rack) {
      join(place.row, pool?.wiredByGala ? groupOf(pool, rack, place.name) : -1);
      showMacs(place);
    },
    empty(row) {
      join(row, -1);
      macs.data[row] = PLENTY;
    },
    view({ address, namespace, owner }) {
      return {
        free: freeFor(owner),
        names: from.names(),
        group: address ? group.data : none.data,
        sources: address ? reachedFrom(namespace) : [],
        macs: address ? macs.data : plenty.data,
        take(source, row, count, not) {
          const found: string[] = [];
          if (count <= 0) return found;
          for (const number of inOrder(source, owner, rows.names[row])) {
            const text = toAddress(number);
            if (not?.has(text) === true) continue;
            if (found.push(text) === count) break;
          }
          return found;
        },
        has: (source, address) => from.has(source, toNumber(address)),
      };
    },
  };
}

const forAll = ({ namespaces }: VlanFacts): number => (namespaces === undefined ? 1 : 0);
const racksOf = ({ racks }: VlanFacts): number => racks?.size ?? PLENTY;
