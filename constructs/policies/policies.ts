/** All policies of a cluster that has the concern `scheduling`. */
import { Construct } from 'constructs';
import type { Cluster } from '../../lib/api/cluster.ts';
import { addGate, canMutate, type GateOptions } from './gate.ts';
import { addHostPoolGuard } from './host-pools.ts';
import { addIpLockGuard } from './ip-locks.ts';
import { addLockGuard } from './locks.ts';
import { addNodeNetworkGuard } from './node-networks.ts';
import { addBindingGuard, addTaintGuard } from './pool-taint.ts';
import { addBandwidthGuard, addSizeGuard, addSlotGuard } from './slots.ts';

export class Policies extends Construct {
  constructor(
    scope: Construct,
    id: string,
    cluster: Pick<Cluster, 'kubernetes' | 'pools'>,
    { unlockedPods }: Pick<GateOptions, 'unlockedPods'>,
  ) {
    super(scope, id);
    const tainted = cluster.pools.some(({ locks }) => locks === 'hard');
    addGate(this, cluster, { unlockedPods, tainted });
    addSlotGuard(this);
    // Without a tainted pool nobody means it: an agent that runs everywhere tolerates whatever there is.
    if (tainted) {
      addTaintGuard(this, canMutate(cluster));
      addBindingGuard(this, canMutate(cluster));
      addSizeGuard(this);
      addBandwidthGuard(this);
    }
    addLockGuard(this);
    addIpLockGuard(this);
    addNodeNetworkGuard(this);
    addHostPoolGuard(this);
  }
}
