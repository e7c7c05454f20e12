/** Pods in CEL: what policies ask of one. Each is a piece of an expression over `object.spec` or `oldObject.spec`. */
import { GATE, POOL_TAINT, SCHEDULER_NAME, SLOT_ANNOTATION } from '../../lib/api/scheduling.ts';

type Which = 'object' | 'oldObject';

/** The API server fills in `default-scheduler` before it asks. */
export const isGalas = `object.spec.?schedulerName.orValue('') == '${SCHEDULER_NAME}'`;

export const isGated = (pod: Which = 'object'): string => `${pod}.spec.?schedulingGates.orValue([]).exists(gate, gate.name == '${GATE}')`;

/** It names its node: nobody schedules it. Mirror pods of static ones do, the API server sees to it (core/validation). */
export const isBound = "object.spec.?nodeName.orValue('') != ''";
export const isUnbound = "object.spec.?nodeName.orValue('') == ''";

export const isMirror = "object.metadata.?annotations[?'kubernetes.io/config.mirror'].hasValue()";

/** Anybody can write the annotation: a kubelet soon deletes the mirror of no static pod, but until then it counts on its node. */
export const isMirrorByKubelet = `${isMirror} && 'system:nodes' in request.userInfo.?groups.orValue([])`;

export const isOnHostNetwork = 'object.spec.?hostNetwork.orValue(false)';

export const isOfDaemonSet =
  "object.metadata.?ownerReferences.orValue([]).exists(owner, owner.kind == 'DaemonSet' && owner.?controller.orValue(false))";

/** A toleration without a key takes every key; its value, if it has one, is some pool. */
export const toleratesPools = (pod: Which = 'object'): string =>
  `${pod}.spec.?tolerations.orValue([]).exists(one, one.?key.orValue('') in ['', '${POOL_TAINT}'] && one.?effect.orValue('') in ['', 'NoSchedule'])`;

/** Those of all pools, however they are called. */
export const toleratesEveryPool = `object.spec.?tolerations.orValue([]).exists(one, one.?operator.orValue('') == 'Exists' && one.?key.orValue('') in ['', '${POOL_TAINT}'] && one.?effect.orValue('') in ['', 'NoSchedule'])`;

/** CEL: its annotation, or `''`. */
export const annotation = (key: string, pod: Which = 'object'): string => `${pod}.metadata.?annotations[?'${key}'].orValue('')`;

export const slot = (pod: Which = 'object'): string => annotation(SLOT_ANNOTATION, pod);

/**
 * CEL: what a pod asks for of what can be resized, as a floating-point number of CPUs or bytes: `spec.resources` where it says so,
 * else its containers and sidecars together (component-helpers/resource, PodRequests). Other init containers are never resized.
 */
export function asks(resource: 'cpu' | 'memory', pod: Which = 'object'): string {
  const sidecars = `${pod}.spec.?initContainers.orValue([]).filter(one, one.?restartPolicy.orValue('') == 'Always')`;
  const whole = `${pod}.spec.?resources.requests[?'${resource}']`;
  const amount = (text: string) => `quantity(${text}).asApproximateFloat()`;
  const sum = `(${pod}.spec.containers + ${sidecars}).map(one, ${amount(`one.?resources.requests[?'${resource}'].orValue('0')`)}).sum()`;
  return `${whole}.hasValue() ? ${amount(`${whole}.value()`)} : ${sum}`;
}
