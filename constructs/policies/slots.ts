/**
 * Slots: what a pod says of its slot is the lock writer's word. Who could write it himself could take an address that is
 * another's, or let a pod through the gate that has none.
 */
import type { Construct } from 'constructs';
import { GATE, LOCK_ANNOTATION, SLOT_ANNOTATION } from '../../lib/api/scheduling.ts';
import { by, WRITER } from './accounts.ts';
import { annotation, isGated, slot } from './pods.ts';
import { addValidatingPolicy } from './policy.ts';

export function addSlotGuard(scope: Construct): void {
  addValidatingPolicy(scope, {
    name: 'gala-slots',
    because: 'which slot a pod has, and that it may leave the gate, is said by the lock writer alone',
    on: [
      { operations: ['CREATE', 'UPDATE'], core: ['pods'] },
      // A kubelet writes pods by their status, and that write may bring annotations (registry/core/pod, podStatusStrategy).
      { operations: ['UPDATE'], core: ['pods/status'] },
    ],
    when: {
      'not-by-the-lock-writer': `!(${by(WRITER)})`,
      'is-about-slots': `${slot()} != '' || (oldObject != null && (${slot('oldObject')} != '' || ${isGated('oldObject')}))`,
    },
    variables: {
      slot: slot(),
      before: `oldObject == null ? '' : ${slot('oldObject')}`,
      where: "object.metadata.?namespace.orValue('') + '/' + object.metadata.?name.orValue('')",
    },
    must: [
      {
        hold: "oldObject != null || variables.slot == ''",
        orSay: `'metadata.annotations[${SLOT_ANNOTATION}] is ' + variables.slot + ': the lock writer alone says which slot a pod has. Take the annotation out of the pod, or of the template it is made of.'`,
      },
      {
        hold: 'oldObject == null || variables.slot == variables.before',
        orSay: `'metadata.annotations[${SLOT_ANNOTATION}] of pod ' + variables.where + ' would be ' + (variables.slot == '' ? 'gone' : variables.slot) + (variables.before == '' ? '' : ', it is ' + variables.before) + ': the lock writer alone says which slot a pod has. To move the pod, delete it: the next one gets a slot of its own.'`,
      },
      {
        hold: `variables.before == '' || ${annotation(LOCK_ANNOTATION)} == ${annotation(LOCK_ANNOTATION, 'oldObject')}`,
        orSay: `'metadata.annotations[${LOCK_ANNOTATION}] of pod ' + variables.where + ' would be ' + ${annotation(LOCK_ANNOTATION)} + ', and it has slot ' + variables.before + ' of another Lock. Name that Lock in the template of the next pod, and delete this one.'`,
      },
      {
        hold: `oldObject == null || !${isGated('oldObject')} || ${isGated()}`,
        orSay: `'spec.schedulingGates of pod ' + variables.where + ' would lose ${GATE}: the lock writer takes that gate away when the pod has its slot. gala explain pod ' + variables.where + ' says what it waits for.'`,
      },
    ],
  });
  addValidatingPolicy(scope, {
    name: 'gala-slots-bindings',
    because: 'a binding brings annotations to its pod, so it could bring a slot',
    on: [{ operations: ['CREATE'], core: ['pods/binding', 'bindings'] }],
    must: [
      {
        hold: `${slot()} == ''`,
        orSay: `'metadata.annotations[${SLOT_ANNOTATION}] is ' + ${slot()} + ': the lock writer alone says which slot a pod has. Take the annotation out of the binding.'`,
      },
    ],
  });
}
