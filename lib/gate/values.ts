/**
 * Fields that take one of a few words: the client's models call them plain text.
 * By model and field; the words are the `+enum` types of k8s.io/api v0.37 and what its validation takes. Where a list may
 * grow in a minor that is newer than the models, the rule only warns.
 */
const VALUES: Readonly<Record<string, string>> = {
  'V1Container.imagePullPolicy': 'Always IfNotPresent Never',
  'V1Container.terminationMessagePolicy': 'File FallbackToLogsOnError',
  'V1ContainerPort.protocol': 'TCP UDP SCTP',
  'V1CronJobSpec.concurrencyPolicy': 'Allow Forbid Replace',
  'V1CSIDriverSpec.fsGroupPolicy': 'ReadWriteOnceWithFSType File None',
  'V1CSIDriverSpec.volumeLifecycleModes': 'Persistent Ephemeral',
  'V1CustomResourceDefinitionSpec.scope': 'Cluster Namespaced',
  'V1DaemonSetUpdateStrategy.type': 'RollingUpdate OnDelete',
  'V1DeploymentStrategy.type': 'Recreate RollingUpdate',
  'V1HTTPGetAction.scheme': 'HTTP HTTPS',
  'V1JobSpec.completionMode': 'NonIndexed Indexed',
  'V1LabelSelectorRequirement.operator': 'In NotIn Exists DoesNotExist',
  'V1MatchResources.matchPolicy': 'Exact Equivalent',
  'V1MutatingAdmissionPolicySpec.failurePolicy': 'Ignore Fail',
  'V1MutatingAdmissionPolicySpec.reinvocationPolicy': 'Never IfNeeded',
  'V1MutatingWebhook.failurePolicy': 'Ignore Fail',
  'V1MutatingWebhook.reinvocationPolicy': 'Never IfNeeded',
  'V1Mutation.patchType': 'ApplyConfiguration JSONPatch',
  'V1NamedRuleWithOperations.operations': 'CREATE UPDATE DELETE CONNECT *',
  'V1NamedRuleWithOperations.scope': 'Cluster Namespaced *',
  'V1NetworkPolicySpec.policyTypes': 'Ingress Egress',
  'V1NodeSelectorRequirement.operator': 'In NotIn Exists DoesNotExist Gt Lt',
  'V1ParamRef.parameterNotFoundAction': 'Allow Deny',
  'V1PersistentVolumeClaimSpec.accessModes': 'ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod',
  'V1PersistentVolumeClaimSpec.volumeMode': 'Block Filesystem',
  'V1PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy': 'IfHealthyBudget AlwaysAllow',
  'V1PodSpec.dnsPolicy': 'ClusterFirst ClusterFirstWithHostNet Default None',
  'V1PodSpec.preemptionPolicy': 'PreemptLowerPriority Never',
  'V1PodSpec.restartPolicy': 'Always OnFailure Never',
  'V1PriorityClass.preemptionPolicy': 'PreemptLowerPriority Never',
  'V1RoleRef.apiGroup': 'rbac.authorization.k8s.io',
  'V1RoleRef.kind': 'Role ClusterRole',
  'RbacV1Subject.kind': 'User Group ServiceAccount',
  'V1SeccompProfile.type': 'Unconfined RuntimeDefault Localhost',
  'V1ServicePort.protocol': 'TCP UDP SCTP',
  'V1ServiceSpec.externalTrafficPolicy': 'Cluster Local',
  'V1ServiceSpec.internalTrafficPolicy': 'Cluster Local',
  'V1ServiceSpec.ipFamilies': 'IPv4 IPv6',
  'V1ServiceSpec.ipFamilyPolicy': 'SingleStack PreferDualStack RequireDualStack',
  'V1ServiceSpec.sessionAffinity': 'ClientIP None',
  'V1ServiceSpec.type': 'ClusterIP NodePort LoadBalancer ExternalName',
  'V1StatefulSetSpec.podManagementPolicy': 'OrderedReady Parallel',
  'V1StatefulSetUpdateStrategy.type': 'RollingUpdate OnDelete',
  'V1StorageClass.reclaimPolicy': 'Delete Retain',
  'V1StorageClass.volumeBindingMode': 'Immediate WaitForFirstConsumer',
  'V1Taint.effect': 'NoSchedule PreferNoSchedule NoExecute',
  'V1Toleration.effect': 'NoSchedule PreferNoSchedule NoExecute',
  'V1Toleration.operator': 'Exists Equal Lt Gt',
  'V1TopologySpreadConstraint.nodeAffinityPolicy': 'Ignore Honor',
  'V1TopologySpreadConstraint.nodeTaintsPolicy': 'Ignore Honor',
  'V1TopologySpreadConstraint.whenUnsatisfiable': 'DoNotSchedule ScheduleAnyway',
  'V1ValidatingAdmissionPolicyBindingSpec.validationActions': 'Deny Warn Audit',
  'V1ValidatingAdmissionPolicySpec.failurePolicy': 'Ignore Fail',
  'V1Validation.reason': 'Forbidden Invalid RequestEntityTooLarge Unauthorized',
  'V1ValidatingWebhook.failurePolicy': 'Ignore Fail',
  'V1VolumeMount.mountPropagation': 'None HostToContainer Bidirectional',
  'V1HostPathVolumeSource.type': 'DirectoryOrCreate Directory FileOrCreate File Socket CharDevice BlockDevice',
};

/** The words a field takes (each item, where it is a list), or `undefined` where it takes any. */
export function valuesOf(model: string, field: string): ReadonlySet<string> | undefined {
  const words = Object.hasOwn(VALUES, `${model}.${field}`) ? VALUES[`${model}.${field}`] : undefined;
  return words === undefined ? undefined : new Set(words.split(' '));
}

/** Every field with words, as `Model.field`; a test holds them against the table of fields. */
export const fieldsWithValues: readonly string[] = Object.keys(VALUES);
