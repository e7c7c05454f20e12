/** A pool of the definition as the spec of its HostPool: records become lists with keys, lists that are sets come sorted. */
import type { CheckedPool } from './definition.ts';
import type { HostPool } from './host-pool.ts';
import { byName, byNetwork } from './model.ts';

/** `replicas` is left out: on EC2 it belongs to whoever scales. */
export function hostPoolSpec(pool: CheckedPool): HostPool['spec'] {
  const { machine, volumes, lends, locks } = pool;
  const rest = { machine, volumes: volumes && named(volumes), lends: lends && { ...lends, windows: sorted(lends.windows) }, locks };
  if (pool.shape === 'intranet') {
    const { datacenter, trunk, racks, vlans, macsPerPort } = pool;
    return {
      shape: 'intranet',
      intranet: {
        datacenter,
        trunk,
        racks: byName(racks).map(([name, nodeset]) => ({ name, hosts: nodeset })),
        vlans: Object.entries(vlans)
          .map(([id, vlan]) => ({
            ...{ id: Number(id), ...vlan },
            routes: byNetwork(vlan.routes),
            racks: sorted(vlan.racks),
            namespaces: sorted(vlan.namespaces),
          }))
          .sort((a, b) => a.id - b.id),
        macsPerPort,
      },
      ...rest,
    };
  }
  const { region, instanceTypes, zones, securityGroupIds, imageId, instanceProfile, join, size, mtu, warmEnis, capacityReservationIds } =
    pool;
  return {
    shape: 'ec2',
    ec2: {
      region,
      instanceTypes, // in order of preference
      zones: named(zones).map((zone) => ({ ...zone, routes: byNetwork(zone.routes) })),
      securityGroupIds: { node: [...securityGroupIds.node].sort(), pod: [...securityGroupIds.pod].sort() },
      imageId,
      instanceProfile,
      join,
      size,
      mtu,
      warmEnis,
      capacityReservationIds: sorted(capacityReservationIds),
    },
    ...rest,
  };
}

/** An empty set is left out: server-side apply owns nothing of it, and would need two applies to put it where a full one was. */
const sorted = (set: readonly string[] | undefined): string[] | undefined =>
  set === undefined || set.length === 0 ? undefined : [...set].sort();

function named<T extends object>(record: Readonly<Record<string, T>>): ({ name: string } & T)[] {
  return byName(record).map(([name, value]) => ({ name, ...value }));
}
