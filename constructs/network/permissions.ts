/**
 * What `gala cni` may do at the API server. RBAC knows no "of its own node", so it reads of all nodes what it needs of one; what it
 * writes of others' the policies `gala-ip-locks` and `gala-node-networks` refuse, by the node that its token is bound to.
 */
import { HostPool, IPLock, NodeNetwork } from '../../lib/api/kinds.ts';
import type { Permission, Verb } from '../permission.ts';

const FOLLOW: readonly Verb[] = ['get', 'list', 'watch'];

export const CNI_MAY: readonly Permission[] = [
  { verbs: FOLLOW, on: IPLock, because: 'the IPLock that names a pod is the address it gets; there is no other' },
  {
    verbs: ['patch'],
    on: IPLock,
    because: 'it says of an address of its node that it is wired, that it is no more, and what answered for it',
  },
  { verbs: FOLLOW, on: NodeNetwork, because: "its node's trunk, or its ENIs" },
  {
    verbs: ['patch'],
    on: NodeNetwork,
    subresource: 'status',
    because: 'it says which VLANs are up on its node, and how many MACs its port shows',
  },
  { verbs: FOLLOW, on: HostPool, because: 'a VLAN has its gateway, routes and MTU there' },
  {
    verbs: FOLLOW,
    on: { group: '', resource: 'nodes' },
    because: 'probes come from the address of its Node, whose labels name pool and rack',
  },
  {
    verbs: FOLLOW,
    on: { group: '', resource: 'pods' },
    because: 'pods of its node are asked for their bandwidth annotations, and whether they are still there',
  },
  {
    verbs: ['create', 'patch'],
    on: { group: 'events.k8s.io', resource: 'events' },
    because: 'why a pod is not wired is told in its events',
  },
];
