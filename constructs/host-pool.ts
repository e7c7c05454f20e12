/** HostPool: a pool of the definition as an object for the API. */
import { Construct } from 'constructs';
import type { Pool } from '../lib/api/cluster.ts';
import type { CheckedPool } from '../lib/api/definition.ts';
import type { KubeObject } from '../lib/api/manifest.ts';
import { byName } from '../lib/api/model.ts';
import { GROUP, VERSION } from '../lib/api/resource.ts';
import { add } from './platform.ts';

export interface HostPoolProps {
  readonly pool: Pool;
  /** Another CNI that wires the pods. @default Gala does */
  readonly cni?: string;
}

/** One pool as a HostPool object. `replicas` is never rendered: on EC2 it belongs to whoever scales. */
export class HostPool extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: HostPoolProps) {
    super(scope, id);
    this.name = props.pool.name;
    const object = {
      apiVersion: `${GROUP}/${VERSION}`,
      kind: 'HostPool',
      metadata: { name: this.name },
      spec: { ...specOf(props.pool.checked), cni: props.cni },
    };
    add(this, 'pools', object satisfies KubeObject);
  }
}

/** The kind has lists with keys where the definition has records; lists that are sets come sorted. */
function specOf(pool: CheckedPool): Record<string, unknown> {
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
          .map(([id, vlan]) => ({ id: Number(id), ...vlan, racks: sorted(vlan.racks), namespaces: sorted(vlan.namespaces) }))
          .sort((a, b) => a.id - b.id),
        macsPerPort,
      },
      ...rest,
    };
  }
  const { region, instanceTypes, zones, securityGroupIds, imageId, instanceProfile, join, size, warmEnis, capacityReservationIds } = pool;
  return {
    shape: 'ec2',
    ec2: {
      region,
      instanceTypes, // in order of preference
      zones: named(zones),
      securityGroupIds: { node: sorted(securityGroupIds.node), pod: sorted(securityGroupIds.pod) },
      imageId,
      instanceProfile,
      join,
      size,
      warmEnis,
      capacityReservationIds: sorted(capacityReservationIds),
    },
    ...rest,
  };
}

/** An empty set is left out: server-side apply owns nothing of it, and would need two applies to put it where a full one was. */
const sorted = (set: readonly string[] | undefined): string[] | undefined =>
  set === undefined || set.length === 0 ? undefined : [...set].sort();

function named(record: Readonly<Record<string, object>>): object[] {
  return byName(record).map(([name, value]) => ({ name, ...value }));
}
