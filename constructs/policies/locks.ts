/**
 * Locks: their status is what is promised, so the lock writer alone says it; and one that pods stand on is not pulled from under
 * them. Whoever may write Locks makes, renews and deletes his own. A status that a new Lock brings along, or a write of the Lock
 * itself, the API server drops: the kind has a status subresource.
 */
import type { Construct } from 'constructs';
import { by, WRITER } from './accounts.ts';
import { addValidatingPolicy } from './policy.ts';

export function addLockGuard(scope: Construct): void {
  addValidatingPolicy(scope, {
    name: 'gala-locks',
    because: 'the slots of a Lock are given to others when it is gone, so one that pods use stays',
    on: [{ operations: ['DELETE'], gala: ['locks'] }],
    when: { 'not-by-the-lock-writer': `!(${by(WRITER)})` },
    must: [
      {
        // In a namespace that goes its pods go too, and whoever empties it must come to an end, also while no lock writer runs.
        hold: 'oldObject.?status.counts.used.orValue(0) == 0 || has(namespaceObject.metadata.deletionTimestamp)',
        orSay:
          "'status.counts.used is ' + string(oldObject.?status.counts.used.orValue(0)) + ': pods run in slots of Lock ' + oldObject.metadata.namespace + '/' + oldObject.metadata.name + '. Delete or move these pods first; gala locks -n ' + oldObject.metadata.namespace + ' shows when none is left.'",
      },
    ],
  });
  addValidatingPolicy(scope, {
    name: 'gala-locks-status',
    because: 'slots that a Lock has in its status are kept from others, so who could write it could promise himself nodes and addresses',
    on: [{ operations: ['UPDATE'], gala: ['locks/status'] }],
    when: { 'not-by-the-lock-writer': `!(${by(WRITER)})` },
    must: [
      {
        hold: 'false',
        orSay:
          "request.userInfo.username + ' may not update status of Lock ' + request.namespace + '/' + request.name + ': the lock writer alone says which slots a Lock has. Ask for slots by the spec of a Lock; gala stock says how many there are.'",
      },
    ],
  });
}
