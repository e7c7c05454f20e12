/**
 * The pools' taint: what tolerates it takes room, and an address, on hosts where both are promised by locks. So a pod that
 * tolerates it is one of gala-scheduler and behind its gate, or is on the host's network.
 *
 * Schedulers look at NoSchedule, kubelets don't: of taints they ask about NoExecute alone (pkg/kubelet/lifecycle/predicate.go,
 * generalFilter). So the taint keeps off nobody who names the node himself, in the pod or by a binding: that is for schedulers
 * to do, which are known by what they may do.
 */
import type { Construct } from 'constructs';
import { GATE, POOL_TAINT, SCHEDULER_NAME } from '../../lib/api/scheduling.ts';
import { by, WRITER } from './accounts.ts';
import { isBound, isGalas, isGated, isMirrorByKubelet, isOnHostNetwork, isUnbound, slot, toleratesPools } from './pods.ts';
import { addValidatingPolicy } from './policy.ts';

/** @param mutates whether the gate is put on by the API server, so that the scheduler's name is enough */
export function addTaintGuard(scope: Construct, mutates: boolean): void {
  addValidatingPolicy(scope, {
    name: 'gala-pool-taint',
    because: 'room on tainted pools is promised by locks, so no other pod may tolerate their taint; pods on the host network take none',
    on: [{ operations: ['CREATE', 'UPDATE'], core: ['pods'] }],
    when: {
      // No taint is asked about a pod that names its node; nor does a toleration that comes later let it in anywhere.
      'is-to-be-scheduled': isUnbound,
      'is-off-the-host-network': `!${isOnHostNetwork}`,
      'tolerates-pools': toleratesPools(),
      // Tolerations may be added to a pod that waits.
      'does-so-newly': `oldObject == null || !(${toleratesPools('oldObject')})`,
    },
    must: [
      {
        hold: `${isGalas} && (${isGated()} || ${slot()} != '')`,
        orSay: `'spec.tolerations lets the pod onto host pools, whose taint is ${POOL_TAINT}, and spec.schedulerName is ' + object.spec.?schedulerName.orValue('') + ': there only pods run that hold a slot. Set ${asksForSlot(mutates)}, or tolerate the taints that are meant one by one: a toleration without a key takes all.'`,
      },
    ],
  });
}

/** CEL: who asks may bind pods of every namespace, as a scheduler may and nobody whose Role is that of one namespace. */
export const mayBind = "authorizer.group('').resource('pods').subresource('binding').check('create').allowed()";

export function addBindingGuard(scope: Construct, mutates: boolean): void {
  addValidatingPolicy(scope, {
    name: 'gala-pool-nodes',
    because: 'a pod that names its node passes by the taint of host pools, and takes room that is promised to others',
    on: [{ operations: ['CREATE'], core: ['pods'] }],
    when: {
      'names-its-node': isBound,
      'is-off-the-host-network': `!${isOnHostNetwork}`,
      'is-no-mirror-of-a-static-pod': `!(${isMirrorByKubelet})`,
    },
    must: [
      {
        hold: mayBind,
        orSay: `'spec.nodeName is ' + object.spec.nodeName + ', and ' + request.userInfo.username + ' may not bind pods: a pod that names its node passes by the taint of host pools and takes room that is promised to others. Leave nodeName out and say the node by nodeSelector; where it is one of a host pool, set ${asksForSlot(mutates)}. Who is to place pods himself needs the verb create on pods/binding in all namespaces.'`,
      },
    ],
  });
  addValidatingPolicy(scope, {
    name: 'gala-pool-bindings',
    because: 'a binding passes by the taint of host pools as well, so it is for those who may bind in every namespace: schedulers',
    on: [{ operations: ['CREATE'], core: ['pods/binding', 'bindings'] }],
    when: { 'not-by-the-lock-writer': `!(${by(WRITER)})` },
    must: [
      {
        hold: mayBind,
        orSay: `'target.name is ' + object.target.name + ', and ' + request.userInfo.username + ' may bind pods of some namespaces only: a binding passes by the taint of host pools. Leave it to the scheduler of the pod. A scheduler needs the verb create on pods/binding in all namespaces.'`,
      },
    ],
  });
}

/** What a template says to ask for a slot. */
const asksForSlot = (mutates: boolean): string =>
  `schedulerName: ${SCHEDULER_NAME}${mutates ? '' : ` and schedulingGates: [{name: ${GATE}}]`}`;
