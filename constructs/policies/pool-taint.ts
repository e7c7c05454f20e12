/**
 * The pools' taint: what tolerates it takes room, and an address, on hosts where both are promised by locks. So a pod that
 * tolerates it is one of gala-scheduler and behind its gate, or is on the host's network.
 */
import type { Construct } from 'constructs';
import { GATE, POOL_TAINT, SCHEDULER_NAME } from '../../lib/api/scheduling.ts';
import { isGalas, isGated, isOnHostNetwork, isUnbound, slot, toleratesPools } from './pods.ts';
import { addValidatingPolicy } from './policy.ts';

/** @param mutates whether the gate is put on by the API server, so that the scheduler's name is enough */
export function addTaintGuard(scope: Construct, mutates: boolean): void {
  const remedy = mutates
    ? `Set schedulerName: ${SCHEDULER_NAME}`
    : `Set schedulerName: ${SCHEDULER_NAME} and schedulingGates: [{name: ${GATE}}]`;
  addValidatingPolicy(scope, {
    name: 'gala-pool-taint',
    because: 'room on tainted pools is promised by locks, so no other pod may tolerate their taint; pods on the host network take none',
    on: [{ operations: ['CREATE', 'UPDATE'], core: ['pods'] }],
    when: {
      'tolerates-pools': toleratesPools(),
      'is-off-the-host-network': `!${isOnHostNetwork}`,
      // No taint is asked about a pod that names its node; nor does a toleration that comes later let it in anywhere.
      'is-to-be-scheduled': isUnbound,
      // Tolerations may be added to a pod that waits.
      'does-so-newly': `oldObject == null || !(${toleratesPools('oldObject')})`,
    },
    must: [
      {
        hold: `${isGalas} && (${isGated()} || ${slot()} != '')`,
        orSay: `'spec.tolerations lets the pod onto host pools, whose taint is ${POOL_TAINT}, and spec.schedulerName is ' + object.spec.?schedulerName.orValue('') + ': there only pods run that hold a slot. ${remedy}, or tolerate the taints that are meant one by one: a toleration without a key takes all.'`,
      },
    ],
  });
}
