import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { versions } from '../../../lib/network/agent/versions.ts';

const lock = (resourceVersion: string, name = '10.110.0.130') => ({ metadata: { name, uid: 'u', resourceVersion } });

test('what was there when the agent began is not quiet: the agent before may have sent a write on it', () => {
  const known = versions();
  known.began([lock('7')]);
  expect(known.isQuiet(lock('7'))).toBe(false);
  expect(known.isQuiet(lock('8'))).toBe(true);
  expect(known.isQuiet(lock('7', '10.110.0.131'))).toBe(true);
});

test('what this agent has sent a write on is not quiet, nor anything older, whatever came of it', () => {
  const known = versions();
  known.writing(lock('9'));
  known.writing(lock('8'));
  for (const version of ['7', '8', '9']) expect(known.isQuiet(lock(version))).toBe(false);
  expect(known.isQuiet(lock('10'))).toBe(true);
});

test('a version is quiet only when it is surely newer than all that was written on', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 })), fc.integer({ min: 1, max: 40 }), (written, now) => {
      const known = versions();
      for (const one of written) known.writing(lock(String(one)));
      expect(known.isQuiet(lock(String(now)))).toBe(written.every((one) => one < now));
    }),
  );
  const known = versions();
  known.writing(lock('9'));
  expect(known.isQuiet(lock('x'))).toBe(false);
});
