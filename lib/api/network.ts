/**
 * Names that the network concern's parts share: what constructs render, the CNI agent says of an address, and the lock writer and
 * the terminal read of it.
 */
import { SYSTEM_NAMESPACE } from './scheduling.ts';

/** The DaemonSet, its account, and what `gala cni` calls itself. */
export const CNI_NAME = 'gala-cni';

/** Whom the policies of addresses and NodeNetworks let write those of its own node: `gala cni`, as a request names its user. */
export const CNI_ACCOUNT = `system:serviceaccount:${SYSTEM_NAMESPACE}:${CNI_NAME}`;

/** Plain HTTP on loopback: probes and metrics of `gala cni`. */
export const CNI_PORT = 10273;

/** On every node, on tmpfs: links die with the boot, and so does what is noted of them. */
export const RUN_FOLDER = '/run/gala';

/** Where the shim finds the agent (shim.c). */
export const CNI_SOCKET = `${RUN_FOLDER}/cni.sock`;

/**
 * Condition of an IPLock: whether a link of its node may have it. `Unknown`: the lock writer gave it to the pod that `spec.podUID` names, and
 * the node may wire it without another word. `True`: the agent of the node says so; `False`: the agent says that nothing of it is left.
 * What says Unknown or True is given to nobody else, whatever becomes of the pod's object.
 */
export const WIRED = 'Wired';
/** Reasons of `Wired`. `OnTheNode` is that of an agent which writes True before each link, and False after it. */
export const WIRED_REASONS = { given: 'Given', wired: 'Wired', down: 'TakenDown' } as const;

/**
 * Condition of a NodeNetwork, written by its agent: it says of each address that is given to a pod there when nothing of it is left, also
 * of pods that it never saw. Only there the lock writer gives addresses as `Wired` `Unknown`.
 */
export const RELEASES = 'Releases';

/**
 * Condition of an IPLock, written by the agent of its node while it is Locked: whether the address was looked for on the wire.
 * `True`: nobody answers for it, and the gateway does. `False`, `Unknown`: see the reason.
 */
export const PROBED = 'Probed';
/**
 * Reasons of `Probed`. The message of a conflict names the MAC address that answered. `AnsweredForAll` (`Unknown`): only a machine that
 * answers for every address does, so that nothing is known, and pods are wired all the same.
 */
export const PROBED_REASONS = {
  ...{ free: 'Free', conflict: 'Conflict', gatewaySilent: 'GatewaySilent' },
  answeredForAll: 'AnsweredForAll',
} as const;

/** Condition of a NodeNetwork: True while a machine answers for every address of one of its VLANs; the message names it. */
export const ANSWERED_FOR_ALL = 'AnsweredForAll';

/**
 * Annotation of an IPLock, set by a person: `true` says that nobody uses the address any more. The lock writer deletes a Held or
 * Quarantined one then; one that a pod may have is left as it is. Anybody may set it who may patch IPLocks, and nothing else.
 */
export const FREE_ANNOTATION = 'gala.internal/free';

/**
 * Annotation of an IPLock of a Lock that no pod has, set by a person (`gala ips move`): the node where its slot shall go, or `*`, any other
 * one. The lock writer takes it away with the move. Bounded by a policy as the one above.
 */
export const MOVE_ANNOTATION = 'gala.internal/move';
export const ANYWHERE = '*';

/**
 * Annotation of an IPLock whose pod was on a node that is gone, set by a person (`gala fence`): the UID of that pod, `spec.podUID`. It
 * says that the machine is off. Of that pod alone, so that it is worth nothing once the address has another.
 */
export const FENCED_ANNOTATION = 'gala.internal/fenced';

/**
 * Annotation of a NodeNetwork, set by a person (`gala ips rebuild`): the name of a rebuild. The agent of the node reads the IPLocks of all
 * it has wired anew, tells those that are missing (`status.wired`) and then answers with the name (`status.rebuilt`). From the annotation
 * until every node has answered and what they told has its IPLocks again, no address is locked for anybody.
 */
export const REBUILD_ANNOTATION = 'gala.internal/rebuild';

/**
 * Taint of a Node that says that its machine is off (KEP-2268). Kubernetes deletes its pods and detaches its volumes, the lock writer
 * gives back its addresses, both while the Node is not Ready.
 */
export const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
