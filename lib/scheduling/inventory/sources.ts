/**
 * Sources of addresses: a VLAN's, shared by all hosts it is trunked to, or the pod ENIs of one EC2 instance. How many are free is a
 * column by source; pools that describe the same VLAN share its source.
 */
import { toNumber } from '../../api/range.ts';
import type { VlanFacts } from './pool-facts.ts';
import type { Taken } from './taken.ts';
import { type VlanAddresses, vlanAddresses } from './vlan-addresses.ts';

export interface Sources {
  /** By source: `vlan 110`, `eni <node>`; empty where there is none. */
  names(): readonly string[];
  /** By source. Longer than there are sources. */
  readonly free: Int32Array;
  readonly count: number;
  addVlan(vlan: VlanFacts): number;
  removeVlan(vlan: VlanFacts): void;
  /** The pod ENIs of an instance, by their addresses. @returns whether it is a source more or one less */
  setInstance(node: string, ips: readonly string[]): boolean;
  instance(node: string): number | undefined;
  /** An address has become busy, or free. */
  busy(address: number, busy: boolean): void;
  /** Those that an address belongs to: nearly always one, or none. */
  of(address: number): readonly number[];
  has(source: number, address: number): boolean;
  /** Free addresses, lowest first. */
  inOrder(source: number): Iterable<number>;
}

interface Source {
  readonly name: string;
  /** Of a VLAN. */
  readonly vlan?: VlanAddresses;
  readonly reserved?: ReadonlySet<number>;
  /** Of an instance, lowest first. */
  readonly enis?: readonly number[];
}

export function sources(taken: Pick<Taken, 'isBusy' | 'busy'>): Sources {
  const all: (Source | undefined)[] = [];
  const holes: number[] = [];
  const vlans = new Map<string, { readonly index: number; readonly source: Source; pools: number }>();
  const instances = new Map<string, number>();
  /** Instances by address; more than one only where somebody wrote an ENI down twice. */
  const byEni = new Map<number, readonly number[]>();
  let free = new Int32Array(16);
  let names: string[] | undefined;

  function add(source: Source, count: number): number {
    const index = holes.pop() ?? all.length;
    if (index === free.length) {
      const longer = new Int32Array(2 * free.length);
      longer.set(free);
      free = longer;
    }
    all[index] = source;
    free[index] = count;
    names = undefined;
    return index;
  }

  function remove(index: number): void {
    all[index] = undefined;
    free[index] = 0;
    names = undefined;
    holes.push(index);
  }

  function removeInstance(node: string, index: number): void {
    instances.delete(node);
    for (const address of all[index]!.enis!) {
      const others = byEni.get(address)!.filter((it) => it !== index);
      if (others.length === 0) byEni.delete(address);
      else byEni.set(address, others);
    }
    remove(index);
  }

  const vlansOf = (address: number) =>
    [...vlans.values()].filter(({ source }) => source.vlan!.has(address) && !source.reserved!.has(address));

  return {
    names() {
      names ??= all.map((source) => source?.name ?? '');
      return names;
    },
    get free() {
      return free;
    },
    get count() {
      return all.length;
    },
    addVlan(vlan) {
      const known = vlans.get(keyOf(vlan));
      if (known !== undefined) {
        known.pools++;
        return known.index;
      }
      const addresses = vlanAddresses(vlan.range);
      const reserved = new Set(vlan.reserved);
      for (const address of [...reserved, ...taken.busy()]) addresses.set(address, true);
      const source: Source = { name: `vlan ${vlan.id}`, vlan: addresses, reserved };
      const index = add(source, addresses.free);
      vlans.set(keyOf(vlan), { index, source, pools: 1 });
      return index;
    },
    removeVlan(vlan) {
      const known = vlans.get(keyOf(vlan))!;
      known.pools--;
      if (known.pools > 0) return;
      vlans.delete(keyOf(vlan));
      remove(known.index);
    },
    setInstance(node, ips) {
      const enis = [...new Set(ips.flatMap(addressOf))].sort((a, b) => a - b);
      const before = instances.get(node);
      if (before !== undefined && all[before]!.enis!.join() === enis.join()) return false;
      if (before !== undefined) removeInstance(node, before);
      if (enis.length > 0) {
        const index = add({ name: `eni ${node}`, enis }, enis.filter((address) => !taken.isBusy(address)).length);
        instances.set(node, index);
        for (const address of enis) byEni.set(address, [...(byEni.get(address) ?? []), index]);
      }
      return before !== undefined || enis.length > 0;
    },
    instance: (node) => instances.get(node),
    busy(address, busy) {
      for (const { index, source } of vlansOf(address)) {
        source.vlan!.set(address, busy);
        free[index] = source.vlan!.free;
      }
      for (const index of byEni.get(address) ?? []) free[index]! += busy ? -1 : 1;
    },
    of: (address) => [...vlansOf(address).map(({ index }) => index), ...(byEni.get(address) ?? [])],
    has(index, address) {
      const source = all[index];
      if (source?.vlan !== undefined) return source.vlan.has(address) && !source.reserved!.has(address);
      return source?.enis?.includes(address) === true;
    },
    inOrder(index) {
      const source = all[index];
      return source?.vlan?.inOrder() ?? source?.enis?.filter((address) => !taken.isBusy(address)) ?? [];
    },
  };
}

const keyOf = ({ id, range, reserved }: VlanFacts): string => `${id} ${range.first}-${range.last} ${reserved.toSorted((a, b) => a - b)}`;

/** None where it is written as no address. */
function addressOf(ip: string): number[] {
  try {
    return [toNumber(ip)];
  } catch {
    return [];
  }
}
