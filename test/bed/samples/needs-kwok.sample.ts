/** Run by describe-bed.test.ts on a machine made to lack kwok. */
import { expect, test } from '@jest/globals';
import { describeBed } from '../describe-bed.ts';

describeBed('hosts that come and go', ['kwok'], () => {
  test('come', () => expect(true).toBe(true));
  test('go', () => expect(true).toBe(true));
});
