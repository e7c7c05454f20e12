/**
 * IPLocks: each is an address that somebody has, so who writes it may take it. The lock writer makes, assigns and deletes
 * them; the agent of a node says of those of its own node that they are wired, and what it found out. Nobody else writes any.
 */
import type { Construct } from 'constructs';
import { by, NODE_AGENT, onNode, WRITER } from './accounts.ts';
import { ANNOTATES, addValidatingPolicy, CHANGES } from './policy.ts';

export function addIpLockGuard(scope: Construct): void {
  addValidatingPolicy(scope, {
    name: 'gala-ip-locks',
    because: 'an address has one owner because one program gives and frees it; an agent writes those of its own node only',
    on: [{ operations: ['CREATE', 'UPDATE', 'DELETE'], gala: ['iplocks'] }],
    when: {
      'not-by-the-lock-writer': `!(${by(WRITER)})`,
      // Labels are anybody's who may write at all; annotations say whose pod it is.
      'is-about-the-address': `request.operation != 'UPDATE' || ${by(NODE_AGENT)} || ${CHANGES} || ${ANNOTATES}`,
    },
    variables: { byAgent: `request.operation == 'UPDATE' && ${by(NODE_AGENT)}` },
    must: [
      {
        hold: 'variables.byAgent',
        orSay: `request.userInfo.username + ' may not ' + request.operation.lowerAscii() + ' IPLock ' + request.name + ': the lock writer alone gives and frees addresses. Delete the pod or the Lock that has it: gala who ' + request.name + ' names them.'`,
      },
      {
        hold: `!variables.byAgent || ${onNode('oldObject.spec.node')}`,
        orSay: `'spec.node of IPLock ' + request.name + ' is ' + oldObject.spec.node + ': the agent of that node alone writes it, by the token of its own pod.'`,
      },
      {
        hold: `!variables.byAgent || (!${ANNOTATES} && (object.spec == oldObject.spec || (oldObject.spec.phase == 'Locked' && object.spec.phase == 'Bound')))`,
        orSay: `'spec or annotations of IPLock ' + request.name + ' change, its phase from ' + oldObject.spec.phase + ' to ' + object.spec.phase + ': an agent binds what is Locked, and leaves the rest to the lock writer.'`,
      },
    ],
  });
}
