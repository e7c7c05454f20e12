/**
 * Concern `network`: what a definition says of it, what is wrong with that, and the construct that it becomes. It wires the pods of
 * the pools that no other CNI does; where there is none of these, it renders nothing.
 */
import { defineConcern } from './concern.ts';
import { ClusterNetwork, hasNetwork, lacksServiceCidr, NO_SERVICE_CIDR } from './network/cluster-network.ts';

export const network = defineConcern({
  name: 'network',
  // Who wires pods gives them what the lock writer has locked, and nothing else.
  requires: ['scheduling'],
  check(_, cluster, problem) {
    const { what, ...more } = NO_SERVICE_CIDR;
    if (lacksServiceCidr(cluster)) problem('', `serviceCidr ${what}`, { path: 'serviceCidr', ...more });
  },
  render(scope, options, cluster) {
    if (hasNetwork(cluster)) new ClusterNetwork(scope, 'network', options);
  },
});
