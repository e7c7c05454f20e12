/**
 * Names that constructs render and programs act on: the scheduler, its gate, what a pod says of its slot, ports and Leases.
 * One place, because a gate spelled two ways is a pod that waits for ever.
 */

/** The namespace of Gala's own programs. */
export const SYSTEM_NAMESPACE = 'gala-system';

/** Pods ask for it by `schedulerName`; kube-scheduler's replicas lead by the Lease of the same name. */
export const SCHEDULER_NAME = 'gala-scheduler';

/** Name of the scheduling gate: a pod waits behind it until the lock writer has given it a slot. */
export const GATE = 'gala.internal/lock';

/** Annotation that a person or controller sets: the Lock, in the pod's namespace, whose slot the pod takes. */
export const LOCK_ANNOTATION = 'gala.internal/lock';

/** Annotation that the lock writer alone sets, by policy: the number of the pod's slot in its Lock, or `LOOSE`. */
export const SLOT_ANNOTATION = 'gala.internal/slot';

/**
 * Annotation that a template's author sets: `true` says that whatever controls its pods makes another one where the lock writer deletes
 * one that its node refuses. Of ReplicaSets, StatefulSets and ReplicationControllers that is known.
 */
export const REMADE_ANNOTATION = 'gala.internal/remade';

/** The slot of a pod that has no Lock. */
export const LOOSE = 'loose';

/** Annotation of an IPLock: name of the pod that `spec.podUID` names, in the namespace of `spec.owner`. */
export const POD_ANNOTATION = 'gala.internal/pod';

/** Annotation of an IPLock that names a pod: the lock writer, and its term, that gave it to the pod. The next one writes its own. */
export const WRITER_ANNOTATION = 'gala.internal/writer';

/** Annotation of an IPLock without a Lock: kind of the controller of its pod, `Pod` for a bare one. It says how long the address is Held. */
export const OWNER_KIND_ANNOTATION = 'gala.internal/owner-kind';

/** Annotation of an IPLock that was Held when the plan of a Lock took it over: `true`. Undoing the plan makes it Held again. */
export const WAS_HELD_ANNOTATION = 'gala.internal/was-held';

/** Taint of the nodes of a pool whose locks are `hard`; its effect is NoSchedule, its value the pool. */
export const POOL_TAINT = 'gala.internal/pool';

/** Label of nodes that run Gala's programs where the control plane is managed. */
export const SYSTEM_LABEL = 'gala.internal/system';

/** Lease by which one lock writer leads. */
export const WRITER_LEASE = 'gala-lock-writer';

/** Plain HTTP on loopback: the extender, probes and metrics of `gala scheduler`. */
export const EXTENDER_PORT = 10270;

/** HTTPS on the host's network: the stock and lock API of `gala scheduler`. */
export const API_PORT = 10271;

/** The headless Service whose EndpointSlices say where the stock and lock API is, and the name its certificates carry. */
export const API_SERVICE = 'gala-scheduler';

/** Name of the Service's port. */
export const API_PORT_NAME = 'api';

/** The Secret with the API's own certificate authority, and the ConfigMap with its certificates (`ca.crt`) for those who ask. */
export const API_CA = 'gala-scheduler-ca';

/** Audience of a token that is for the API and good for nothing else; one for the API server is taken too. */
export const API_AUDIENCE = 'gala.internal';

/** Lease by which one `gala controller` leads. */
export const CONTROLLER_LEASE = 'gala-controller';

/** Whom the policies of slots, Locks and addresses let write: the lock writer, as a request names its user. */
export const WRITER_ACCOUNT = `system:serviceaccount:${SYSTEM_NAMESPACE}:${SCHEDULER_NAME}`;

/** Whom the policy of NodeNetworks lets make them: `gala controller`. */
export const CONTROLLER_ACCOUNT = `system:serviceaccount:${SYSTEM_NAMESPACE}:${CONTROLLER_LEASE}`;

/** The ValidatingAdmissionPolicies that refuse everybody else. */
export const WRITER_POLICY = 'gala-slots';
export const CONTROLLER_POLICY = 'gala-node-networks';

/** Annotation of a Lock that the API made: the user who asked for it. */
export const REQUESTED_BY = 'gala.internal/requested-by';

/** Plain HTTP on loopback: probes and metrics of `gala controller`. */
export const CONTROLLER_PORT = 10272;

/** What bandwidth a pod is shaped to, and counts with: the names that kubenet and the bandwidth CNI plugin made common. */
export const EGRESS_ANNOTATION = 'kubernetes.io/egress-bandwidth';
export const INGRESS_ANNOTATION = 'kubernetes.io/ingress-bandwidth';

/** StorageClass of a pool's volume of this name. */
export const storageClassOf = (volume: string): string => `gala-${volume}`;
