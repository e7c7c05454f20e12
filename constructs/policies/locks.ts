/** Locks: one that pods stand on is not pulled from under them. */
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
}
