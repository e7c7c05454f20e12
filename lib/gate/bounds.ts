/**
 * Bounds of fields that the client's models call plain numbers and texts.
 * By model and field; from the Validate… functions in pkg/apis/<group>/validation of Kubernetes, and only those that people
 * write by hand: ports, counts, seconds, shares, keys of labels. Lists of words are values.ts.
 */
export interface Bound {
  /** For numbers, both included. */
  readonly min?: number;
  readonly max?: number;
  /** For texts. */
  readonly form?: RegExp;
  /** What is allowed, for people: `a port is 1 to 65535`. */
  readonly allowed: string;
}

const PORT: Bound = { min: 1, max: 65_535, allowed: 'a port is 1 to 65535' };
/** 0 is as good as leaving it out. */
const PORT_OR_NONE: Bound = { min: 0, max: 65_535, allowed: 'a port is 1 to 65535' };
const COUNT: Bound = { min: 0, allowed: 'it is 0 or more' };
const SOME: Bound = { min: 1, allowed: 'it is 1 or more' };
const ID: Bound = { min: 0, max: 2_147_483_647, allowed: 'a user or group id is 0 to 2147483647' };
const SHARE: Bound = { min: 0, form: /^\d+%$/, allowed: 'it is a count, or a share such as 10%' };
const QUALIFIED = '[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const KEY_FORM = new RegExp(`^(?:[a-z0-9.-]{1,253}/)?${QUALIFIED}$`);
const KEY: Bound = {
  form: KEY_FORM,
  allowed: 'a key of a label is [domain/]name, the name of at most 63 letters, digits, -, _ and dots',
};
const LABEL_VALUE: Bound = {
  form: new RegExp(`^(?:${QUALIFIED})?$`),
  allowed: "a label's value is at most 63 letters, digits, -, _ and dots",
};
/** pkg/apis/admissionregistration/validation: a name of a condition is that of a label, of a variable a word of CEL. */
const WORD: Bound = { form: /^[_a-zA-Z][_a-zA-Z0-9]*$/, allowed: 'it is a word of CEL: letters, digits and _, no digit first' };
const RBAC_GROUP: Bound = {
  form: /^$|^rbac\.authorization\.k8s\.io$/,
  allowed: 'it is rbac.authorization.k8s.io, of a ServiceAccount nothing',
};
const PORT_NAME: Bound = {
  form: /^$|^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/,
  allowed: "a port's name is at most 63 lower-case letters, digits and -",
};
const CLUSTER_IP: Bound = { form: /^$|^None$|^[0-9.]+$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/, allowed: 'it is None, or an IP address' };
/** pkg/apis/scheduling: HighestUserDefinablePriority. */
const PRIORITY: Bound = {
  min: -2_147_483_648,
  max: 1_000_000_000,
  allowed: 'it is at most 1000000000; higher ones are kept for the system',
};

const all = (bound: Bound, ...fields: string[]) => fields.map((field) => [field, bound] as const);

const BOUNDS: ReadonlyMap<string, Bound> = new Map([
  ...all(PORT, 'V1ContainerPort.containerPort', 'V1ServicePort.port', 'V1ServicePort.targetPort'),
  ...all(PORT, 'V1HTTPGetAction.port', 'V1TCPSocketAction.port', 'V1GRPCAction.port'),
  ...all(PORT_OR_NONE, 'V1ContainerPort.hostPort', 'V1ServicePort.nodePort'),
  ...all(COUNT, 'V1DeploymentSpec.replicas', 'V1StatefulSetSpec.replicas', 'V1ReplicaSetSpec.replicas'),
  ...all(COUNT, 'V1DeploymentSpec.minReadySeconds', 'V1StatefulSetSpec.minReadySeconds', 'V1DaemonSetSpec.minReadySeconds'),
  ...all(COUNT, 'V1DeploymentSpec.revisionHistoryLimit', 'V1DeploymentSpec.progressDeadlineSeconds'),
  ...all(COUNT, 'V1JobSpec.parallelism', 'V1JobSpec.completions', 'V1JobSpec.backoffLimit', 'V1JobSpec.ttlSecondsAfterFinished'),
  ...all(COUNT, 'V1JobSpec.activeDeadlineSeconds', 'V1CronJobSpec.startingDeadlineSeconds'),
  ...all(COUNT, 'V1CronJobSpec.successfulJobsHistoryLimit', 'V1CronJobSpec.failedJobsHistoryLimit'),
  ...all(COUNT, 'V1Probe.failureThreshold', 'V1Probe.initialDelaySeconds', 'V1Probe.periodSeconds', 'V1Probe.timeoutSeconds'),
  ...all(COUNT, 'V1PodSpec.terminationGracePeriodSeconds'),
  ...all(SOME, 'V1TopologySpreadConstraint.maxSkew', 'V2HorizontalPodAutoscalerSpec.maxReplicas'),
  ...all(ID, 'V1PodSecurityContext.runAsUser', 'V1PodSecurityContext.runAsGroup', 'V1PodSecurityContext.fsGroup'),
  ...all(ID, 'V1SecurityContext.runAsUser', 'V1SecurityContext.runAsGroup'),
  ...all(SHARE, 'V1RollingUpdateDeployment.maxSurge', 'V1RollingUpdateDeployment.maxUnavailable'),
  ...all(SHARE, 'V1RollingUpdateDaemonSet.maxSurge', 'V1RollingUpdateDaemonSet.maxUnavailable'),
  ...all(SHARE, 'V1PodDisruptionBudgetSpec.maxUnavailable', 'V1PodDisruptionBudgetSpec.minAvailable'),
  ...all(KEY, 'V1LabelSelectorRequirement.key', 'V1NodeSelectorRequirement.key'),
  // Without a key a toleration stands for every taint.
  ...all({ ...KEY, form: new RegExp(`^$|${KEY_FORM.source}`) }, 'V1Toleration.key'),
  ...all(KEY, 'V1TopologySpreadConstraint.topologyKey', 'V1PodAffinityTerm.topologyKey'),
  ...all(LABEL_VALUE, 'V1LabelSelector.matchLabels', 'V1PodSpec.nodeSelector'),
  ...all(KEY, 'V1MatchCondition.name'),
  ...all(WORD, 'V1Variable.name'),
  ...all(RBAC_GROUP, 'RbacV1Subject.apiGroup'),
  ...all(PORT_NAME, 'V1ServicePort.name'),
  ...all(CLUSTER_IP, 'V1ServiceSpec.clusterIP'),
  ...all(PRIORITY, 'V1PriorityClass.value'),
]);

/** The bound of a field (of each item, where it is a list or map), or `undefined` where it has none here. */
export function boundOf(model: string, field: string): Bound | undefined {
  return BOUNDS.get(`${model}.${field}`);
}

/** Whether a number or text keeps to its bound; a bound for the other of the two says nothing. */
export function isWithin(value: unknown, { min = -Infinity, max = Infinity, form }: Bound): boolean {
  if (typeof value === 'number') return value >= min && value <= max;
  return typeof value !== 'string' || form === undefined || form.test(value);
}

/** Every field with a bound, as `Model.field`; a test holds them against the table of fields. */
export const fieldsWithBounds: readonly string[] = [...BOUNDS.keys()];
