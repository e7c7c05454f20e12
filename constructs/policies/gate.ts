/**
 * The gate: a pod of `gala-scheduler` waits behind `gala.internal/lock` from the moment it exists. Where the minor has
 * MutatingAdmissionPolicy the API server puts it there, with the toleration of the pools that only a pod with a gate may have;
 * below that whoever makes the pod does, and is told so.
 */
import type { Construct } from 'constructs';
import type { Cluster } from '../../lib/api/cluster.ts';
import { GATE, LOCK_ANNOTATION, POOL_TAINT, SCHEDULER_NAME } from '../../lib/api/scheduling.ts';
import {
  annotation,
  isBound,
  isGalas,
  isGated,
  isMirror,
  isOfDaemonSet,
  isOnHostNetwork,
  isUnbound,
  toleratesEveryPool,
  toleratesPools,
} from './pods.ts';
import { addMutatingPolicy, addValidatingPolicy } from './policy.ts';

export interface GateOptions {
  /** Whether pods that name no Lock are left to kube-scheduler, scored and not gated. */
  readonly unlockedPods: 'refuse' | 'score';
  /** Whether some pool is tainted. */
  readonly tainted: boolean;
}

/** MutatingAdmissionPolicy is v1, and on, since 1.36 (KEP-3962); before that it is an API that the API server doesn't serve by itself. */
export const canMutate = ({ kubernetes }: Pick<Cluster, 'kubernetes'>): boolean => Number(kubernetes.slice(2)) >= 36;

/** CEL: a pod that has to wait behind the gate. */
function mustWait({ unlockedPods, tainted }: GateOptions): string {
  if (unlockedPods === 'refuse') return isGalas;
  const named = `${annotation(LOCK_ANNOTATION)} != ''`;
  return tainted ? `${isGalas} && (${named} || (!${isOnHostNetwork} && ${toleratesPools()}))` : `${isGalas} && ${named}`;
}

/** CEL: those who are not asked for the gate, nor for what comes with it. A pod that names its node is refused for that. */
const needNotWait = (options: GateOptions): readonly string[] =>
  options.unlockedPods === 'score' ? [isBound, `!(${mustWait(options)})`] : [isBound];

/** CEL: a pod of a DaemonSet that is to have a slot on its node, whoever was to schedule it. */
const onEachNode = `${isOfDaemonSet} && !${isOnHostNetwork} && ${toleratesPools()}`;

export function addGate(scope: Construct, cluster: Pick<Cluster, 'kubernetes'>, options: GateOptions): void {
  if (canMutate(cluster)) addGating(scope, options);
  addValidatingPolicy(scope, {
    name: 'gala-gate',
    because: 'a pod of gala-scheduler gets its node and address before it is scheduled, so it is scheduled only behind the gate',
    on: [{ operations: ['CREATE'], core: ['pods'] }],
    when: { 'is-galas': isGalas, 'is-no-mirror-of-a-static-pod': `!${isMirror}` },
    must: [
      {
        hold: isUnbound,
        orSay: `'spec.nodeName is ' + object.spec.nodeName + ', and spec.schedulerName ${SCHEDULER_NAME}: a pod that names its node passes by every scheduler and gets no slot. Leave one of the two out.'`,
      },
      {
        hold: [isGated(), ...needNotWait(options)].join(' || '),
        orSay: `'spec.schedulingGates is without ${GATE}: a pod of ${SCHEDULER_NAME} waits behind that gate until it has its slot. Add schedulingGates: [{name: ${GATE}}] to the pod, or to the template it is made of.'`,
      },
      ...(options.tainted && !canMutate(cluster)
        ? [
            {
              // Stock and locks count a pod as one that may go to every pool: one that may not would wait for ever in such a slot.
              hold: [toleratesEveryPool, isOnHostNetwork, ...needNotWait(options)].join(' || '),
              orSay: `'spec.tolerations is without ${POOL_TAINT}: a pod of ${SCHEDULER_NAME} off the host network tolerates the taint of every host pool, as stock counts it; which pool it goes to is said by selectors. Add tolerations: [{key: ${POOL_TAINT}, operator: Exists, effect: NoSchedule}] to the pod, or to the template it is made of.'`,
            },
          ]
        : []),
    ],
  });
}

function addGating(scope: Construct, options: GateOptions): void {
  const { tainted } = options;
  const hasToleration = `${isOnHostNetwork} || ${toleratesEveryPool}`;
  const gate = `Object.spec.schedulingGates{name: '${GATE}'}`;
  const toleration = `Object.spec.tolerations{key: '${POOL_TAINT}', operator: 'Exists', effect: 'NoSchedule'}`;
  const patches = [
    unless(isGated(), append('schedulingGates', gate)),
    ...(tainted
      ? [
          unless(isGalas, `[JSONPatch{op: 'add', path: '/spec/schedulerName', value: '${SCHEDULER_NAME}'}]`),
          // Which pool a pod goes to is said by selectors: one that tolerates a single pool gets the others too, as stock counts it.
          unless(hasToleration, append('tolerations', toleration)),
        ]
      : []),
  ];
  addMutatingPolicy(scope, {
    name: 'gala-gate',
    because: tainted
      ? 'pods of gala-scheduler, and those of DaemonSets that go to tainted pools, get the gate, and with it the toleration of the pools'
      : 'pods of gala-scheduler get the gate',
    on: [{ operations: ['CREATE'], core: ['pods'] }],
    when: {
      // The API server refuses gates on a pod that names its node (core/validation); mirror pods do.
      'is-to-be-scheduled': isUnbound,
      'has-to-wait': tainted ? `(${mustWait(options)}) || (${onEachNode})` : mustWait(options),
      // A pod that was changed is asked about once more, and a patch without an operation costs as much as one with them: the pod is
      // written as JSON and read again (policy/mutating/patch/json_patch.go).
      'lacks-something': tainted ? `!(${isGalas} && ${isGated()} && (${hasToleration}))` : `!${isGated()}`,
    },
    patch: patches.join(' + '),
  });
}

/** CEL: JSON patches, or none where there is nothing to do. */
const unless = (done: string, patches: string): string => `(${done} ? [] : ${patches})`;

/** CEL: JSON patches that add an item to a list of the spec, which may not be there. */
const append = (list: string, item: string): string =>
  `has(object.spec.${list}) ? [JSONPatch{op: 'add', path: '/spec/${list}/-', value: ${item}}] : [JSONPatch{op: 'add', path: '/spec/${list}', value: [${item}]}]`;
