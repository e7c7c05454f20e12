/** HostPool: a pool of the definition as an object for the API. */
import { Construct } from 'constructs';
import type { Pool } from '../lib/api/cluster.ts';
import { hostPoolSpec } from '../lib/api/host-pool-spec.ts';
import type { KubeObject } from '../lib/api/manifest.ts';
import { GROUP, VERSION } from '../lib/api/resource.ts';
import { add } from './platform.ts';

export interface HostPoolProps {
  readonly pool: Pool;
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
      spec: { ...hostPoolSpec(props.pool.checked), cni: props.pool.cni },
    };
    add(this, 'pools', object satisfies KubeObject);
  }
}
