import { expect, test } from '@jest/globals';
import { describeBed } from '../bed/describe-bed.ts';
import { soak } from './soak.ts';

describeBed('a sample of the soak', ['control-plane'], () => {
  test('eight lockers, two replicas that are killed, an API that fails: nothing is given twice, nothing is left', async () => {
    const { locks, faults, pods, kills } = await soak({ seed: 4, rounds: 6 });
    expect(Object.values(locks).reduce((sum, count) => sum + count)).toBe(48);
    expect(Math.min(locks.Ready ?? 0, faults, pods, kills)).toBeGreaterThan(0);
  }, 600_000);
});
