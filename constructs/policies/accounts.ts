/** Accounts: whom policies know by name. ServiceAccounts of `gala-system`, as a request names its user. */
import { CLOUD_ACCOUNT } from '../../lib/api/cloud.ts';
import { CNI_ACCOUNT } from '../../lib/api/network.ts';
import { CONTROLLER_ACCOUNT, WRITER_ACCOUNT } from '../../lib/api/scheduling.ts';

/** The lock writer; the kube-scheduler in the same pod is the same account. */
export const WRITER = WRITER_ACCOUNT;
/** `gala controller`. */
export const CONTROLLER = CONTROLLER_ACCOUNT;
/** `gala cloud`: fills in ENI slots. */
export const CLOUD = CLOUD_ACCOUNT;
/** `gala cni` on each node. */
export const NODE_AGENT = CNI_ACCOUNT;

/** CEL: who asks. */
export const by = (account: string): string => `request.userInfo.username == '${account}'`;

/**
 * CEL: the token is that of a pod on this node. The API server says in `extra` on which node the pod runs that a token was
 * issued to (KEP-4193, stable since Kubernetes 1.33); a token that is bound to no pod says nothing.
 * @param node CEL of the node's name
 */
export const onNode = (node: string): string =>
  `request.userInfo.?extra[?'authentication.kubernetes.io/node-name'].orValue([]) == [${node}]`;
