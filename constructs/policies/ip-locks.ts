/**
 * IPLocks: each is an address that somebody has, so who writes it may take it. The lock writer makes, assigns and deletes
 * them; the agent of a node says of those of its own node that they are wired, and what it found out. People say three things on
 * them, by annotations: that nobody uses an address any more, that its slot shall go to another node, and that the machine of its pod is
 * off. Nobody else writes any.
 */
import type { Construct } from 'constructs';
import { ANYWHERE, FENCED_ANNOTATION, FREE_ANNOTATION, MOVE_ANNOTATION } from '../../lib/api/network.ts';
import { by, NODE_AGENT, onNode, WRITER } from './accounts.ts';
import { ANNOTATES, addValidatingPolicy, CHANGES } from './policy.ts';

const SAID = `['${FREE_ANNOTATION}', '${MOVE_ANNOTATION}', '${FENCED_ANNOTATION}']`;
/** CEL: a Node's name, an RFC 1123 subdomain; or any node but its own. */
const PLACE = `'^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?|\\\\${ANYWHERE})$'`;

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
    variables: {
      byAgent: `request.operation == 'UPDATE' && ${by(NODE_AGENT)}`,
      before: 'oldObject.metadata.?annotations.orValue({})',
      now: 'object.metadata.?annotations.orValue({})',
      // Nothing changes but what people say.
      bySaying: `request.operation == 'UPDATE' && !(${by(NODE_AGENT)}) && !${CHANGES} && ${OTHERS_STAY}`,
      free: `variables.now[?'${FREE_ANNOTATION}'].orValue('')`,
      move: `variables.now[?'${MOVE_ANNOTATION}'].orValue('')`,
      fenced: `variables.now[?'${FENCED_ANNOTATION}'].orValue('')`,
    },
    must: [
      {
        hold: 'variables.byAgent || variables.bySaying',
        orSay: `request.userInfo.username + ' may not ' + request.operation.lowerAscii() + ' IPLock ' + request.name + ': the lock writer alone gives and frees addresses. Delete the pod or the Lock that has it: gala who ' + request.name + ' names them.'`,
      },
      {
        hold: `!variables.bySaying || ${asBefore(FREE_ANNOTATION, 'free')} || (variables.free == 'true' && oldObject.spec.phase in ['Held', 'Quarantined'])`,
        orSay: `'metadata.annotations[${FREE_ANNOTATION}] of IPLock ' + request.name + ' would be \\'' + variables.free + '\\', and its phase is ' + oldObject.spec.phase + ': true lets go of an address that is Held or Quarantined. Delete the pod that has it: gala who ' + request.name + ' names it.'`,
      },
      {
        hold: `!variables.bySaying || ${asBefore(MOVE_ANNOTATION, 'move')} || (variables.move.matches(${PLACE}) && has(oldObject.spec.lock) && oldObject.spec.phase in ['Held', 'Locked'] && !has(oldObject.spec.podUID))`,
        orSay: `'metadata.annotations[${MOVE_ANNOTATION}] of IPLock ' + request.name + ' would be \\'' + variables.move + '\\', and its phase is ' + oldObject.spec.phase + (has(oldObject.spec.podUID) ? ', for a pod' : has(oldObject.spec.lock) ? '' : ', of no Lock') + ': a node, or ${ANYWHERE} for any other, moves the slot of a Lock that no pod has. gala ips move ' + request.name + ' says what to do.'`,
      },
      {
        hold: `!variables.bySaying || ${asBefore(FENCED_ANNOTATION, 'fenced')} || (oldObject.spec.phase in ['Locked', 'Bound'] && variables.fenced == oldObject.spec.?podUID.orValue('-'))`,
        orSay: `'metadata.annotations[${FENCED_ANNOTATION}] of IPLock ' + request.name + ' would be \\'' + variables.fenced + '\\': it is the UID of the pod that a Locked or Bound address names, here ' + oldObject.spec.?podUID.orValue('none') + '. gala fence ' + oldObject.spec.node + ' says it of all addresses of the node.'`,
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

/** CEL: annotations that are not people's are as they were. */
const OTHERS_STAY = [
  `variables.now.all(name, name in ${SAID} || (name in variables.before && variables.before[name] == variables.now[name]))`,
  `variables.before.all(name, name in ${SAID} || name in variables.now)`,
].join(' && ');

/** CEL: it is not said anew, or is taken back. */
function asBefore(annotation: string, variable: string): string {
  return `variables.${variable} == '' || variables.${variable} == variables.before[?'${annotation}'].orValue('')`;
}
