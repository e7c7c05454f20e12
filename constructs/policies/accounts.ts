/** Accounts: whom policies know by name. ServiceAccounts of `gala-system`, as a request names its user. */
import { SCHEDULER_NAME } from '../../lib/api/scheduling.ts';
import { SYSTEM_NAMESPACE } from '../platform.ts';

const user = (account: string): string => `system:serviceaccount:${SYSTEM_NAMESPACE}:${account}`;

/** The lock writer; the kube-scheduler in the same pod is the same account. */
export const WRITER = user(SCHEDULER_NAME);
/** `gala controller`. */
export const CONTROLLER = user('gala-controller');
/** `gala cloud`: fills in ENI slots. */
export const CLOUD = user('gala-cloud');
/** `gala cni` on each node. */
export const NODE_AGENT = user('gala-cni');

/** CEL: who asks. */
export const by = (account: string): string => `request.userInfo.username == '${account}'`;

/**
 * CEL: the token is that of a pod on this node. The API server says in `extra` on which node the pod runs that a token was
 * issued to (KEP-4193, stable since Kubernetes 1.33); a token that is bound to no pod says nothing.
 * @param node CEL of the node's name
 */
export const onNode = (node: string): string =>
  `request.userInfo.?extra[?'authentication.kubernetes.io/node-name'].orValue([]) == [${node}]`;
