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
