/**
 * Slots: what a pod says of its slot is the lock writer's word. Who could write it himself could take an address that is
 * another's, or let a pod through the gate that has none. And a slot is as large as its pod was when it got it: the room beside
 * it is promised to others.
 */
import type { Construct } from 'constructs';
import { EGRESS_ANNOTATION, GATE, INGRESS_ANNOTATION, LOCK_ANNOTATION, SLOT_ANNOTATION } from '../../lib/api/scheduling.ts';
import { by, WRITER } from './accounts.ts';
import { annotation, asks, isGated, slot } from './pods.ts';
import { addValidatingPolicy } from './policy.ts';
import { mayBind } from './pool-taint.ts';

const where = "object.metadata.?namespace.orValue('') + '/' + object.metadata.?name.orValue('')";

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
      where,
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

/** Of use where some pool is tainted: where none is, others come as they like, and locks say so. */
export function addSizeGuard(scope: Construct): void {
  // Thousandths of a CPU and bytes: sums of them are exact enough to be compared as floating-point numbers, and to be read.
  const amounts = (cpu: string, memory: string) =>
    `'cpu ' + string(int(variables.${cpu} * 1000.0 + 0.5)) + 'm and memory ' + string(int(variables.${memory}))`;
  addValidatingPolicy(scope, {
    name: 'gala-slots-resize',
    because: 'a pod that grows in place takes room beside its slot, which is promised to others',
    // Object and old object are the whole pod; what a resize may not change is put back before it gets here
    // (registry/core/pod/strategy.go, dropNonResizeUpdates). By no other way do requests change.
    on: [{ operations: ['UPDATE'], core: ['pods/resize'] }],
    when: { 'not-by-the-lock-writer': `!(${by(WRITER)})`, 'has-a-slot': `${slot('oldObject')} != ''` },
    variables: {
      cpu: asks('cpu'),
      memory: asks('memory'),
      cpuBefore: asks('cpu', 'oldObject'),
      memoryBefore: asks('memory', 'oldObject'),
    },
    must: [
      {
        // What is shrunk is free for others at once, so it is not grown back either.
        hold: 'variables.cpu < variables.cpuBefore + 0.0005 && variables.memory < variables.memoryBefore + 0.5',
        orSay: `'spec of pod ' + ${where} + ' would ask for ' + ${amounts('cpu', 'memory')} + ', and its slot holds ' + ${amounts('cpuBefore', 'memoryBefore')} + ': a slot does not grow. Change the template and delete the pod: the next one gets a slot of that size. To ask for less is let through.'`,
      },
    ],
  });
}

/**
 * The same of bandwidth, which its annotations promise and the agent of the node shapes by, live. What the node has room for is not for a
 * policy to see: who places pods may give more, and answers for it.
 */
export function addBandwidthGuard(scope: Construct): void {
  const keys = [EGRESS_ANNOTATION, INGRESS_ANNOTATION];
  addValidatingPolicy(scope, {
    name: 'gala-slots-bandwidth',
    because: 'a pod that gives itself more bandwidth takes it beside its slot, where it is promised to others',
    on: [{ operations: ['UPDATE'], core: ['pods'] }],
    when: {
      'changes-its-bandwidth': keys.map((key) => `${annotation(key)} != ${annotation(key, 'oldObject')}`).join(' || '),
      'not-by-the-lock-writer': `!(${by(WRITER)})`,
      'has-a-slot': `${slot('oldObject')} != ''`,
      'may-not-place-pods': `!${mayBind}`,
    },
    must: keys.map((key) => {
      const [now, before] = [annotation(key), annotation(key, 'oldObject')];
      return {
        // Less than 1k is none that anybody shapes by (pkg/util/bandwidth/utils.go).
        hold: `${now} == ${before} || (isQuantity(${now}) && isQuantity(${before}) && quantity(${now}).compareTo(quantity(${before})) <= 0 && quantity(${now}).compareTo(quantity('1k')) >= 0)`,
        orSay: `'metadata.annotations[${key}] of pod ' + ${where} + ' would be ' + (${now} == '' ? 'gone' : ${now}) + ', and its slot holds ' + (${before} == '' ? 'none' : ${before}) + ': a slot does not grow, and what it holds it keeps to. Ask for less, which is let through down to 1k; or change the template and delete the pod. Who is to give more needs the verb create on pods/binding in all namespaces.'`,
      };
    }),
  });
}
