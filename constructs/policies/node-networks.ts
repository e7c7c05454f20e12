/**
 * NodeNetworks: what a node has is said by programs that look at all nodes; what is up on it by the agent that runs there.
 * Deleting one is left to RBAC: `gala controller` makes it again.
 */
import type { Construct } from 'constructs';
import { by, CLOUD, CONTROLLER, NODE_AGENT, onNode } from './accounts.ts';
import { addValidatingPolicy, CHANGES } from './policy.ts';

export function addNodeNetworkGuard(scope: Construct): void {
  addValidatingPolicy(scope, {
    name: 'gala-node-networks',
    because: 'a node that could write the NodeNetwork of another could send its pods astray',
    on: [
      { operations: ['CREATE', 'UPDATE'], gala: ['nodenetworks'] },
      { operations: ['UPDATE'], gala: ['nodenetworks/status'] },
    ],
    when: { 'is-about-the-node': `request.operation != 'UPDATE' || ${CHANGES}` },
    variables: { isStatus: "request.?subResource.orValue('') == 'status'" },
    must: [
      {
        hold: `variables.isStatus || ${by(CONTROLLER)} || ${by(CLOUD)}`,
        orSay: `request.userInfo.username + ' may not ' + request.operation.lowerAscii() + ' NodeNetwork ' + request.name + ': gala controller makes one for each Node of a pool. Label the Node gala.internal/pool, or correct the pool in the definition.'`,
      },
      {
        hold: `!variables.isStatus || (${by(NODE_AGENT)} && ${onNode('object.metadata.name')})`,
        orSay: `'status of NodeNetwork ' + request.name + ' is written by the agent of that node alone, by the token of its own pod, and not by ' + request.userInfo.username + '.'`,
      },
    ],
  });
}
