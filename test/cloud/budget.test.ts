import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Budget, bucketOf, DEFAULT_PART, drained, spend } from '../../lib/cloud/budget.ts';
import { BUCKETS, type Levels, take } from '../bed/ec2/throttle.ts';

test('a call beyond the budget waits as long as it takes, and no longer', () => {
  let budget: Budget = {};
  for (let n = 0; n < 3; n++) budget = (spend(budget, 'RunInstances', 0) as { budget: Budget }).budget;
  // 1.2 a second: 60 % of EC2's 2.
  expect(spend(budget, 'RunInstances', 0)).toEqual({ waitMs: 834 });
  expect(spend(budget, 'RunInstances', 833)).toEqual({ waitMs: 1 });
  expect(spend(budget, 'RunInstances', 834)).toHaveProperty('budget');
  expect(spend(budget, 'TerminateInstances', 0)).toHaveProperty('budget');
});

test('each API has its own, as the part says', () => {
  expect(bucketOf('CreateNetworkInterface')).toEqual({ size: 60, perSecond: 3 });
  expect(bucketOf('AttachNetworkInterface', 1)).toEqual({ size: 50, perSecond: 5 });
  expect(bucketOf('DescribeInstances')).toEqual({ size: 60, perSecond: 12 });
  expect(bucketOf('RunInstances', 0.1).size).toBe(1);
  for (const part of [0, -1, 1.1, Number.NaN]) expect(() => bucketOf('RunInstances', part)).toThrow(RangeError);
});

test('an API that EC2 throttles all the same is asked again when a token has come back, and others at once', () => {
  const budget = drained({}, 'CreateNetworkInterface', 0);
  expect(spend(budget, 'CreateNetworkInterface', 0)).toEqual({ waitMs: 334 });
  expect(spend(budget, 'AttachNetworkInterface', 0)).toHaveProperty('budget');
});

test('who keeps to it is never throttled by EC2, however the calls come and whenever EC2 counts its seconds', () => {
  const apis = ['CreateNetworkInterface', 'AttachNetworkInterface', 'CreateTags', 'RunInstances', 'DescribeNetworkInterfaces'];
  fc.assert(
    fc.property(
      fc.constantFrom(...apis),
      fc.nat({ max: 999 }),
      fc.array(fc.constantFrom(0, 0, 0, 0, 7, 400), { minLength: 150, maxLength: 300 }),
      (api, phase, gaps) => {
        let budget: Budget = {};
        // EC2 adds tokens by whole seconds of its own.
        let levels: Levels = {
          [api]: { tokens: (BUCKETS[api] ?? BUCKETS[/^Describe/.test(api) ? 'non-mutating' : 'mutating'])?.size ?? 0, at: 0 },
        };
        let now = phase;
        for (const gap of gaps) {
          now += gap;
          let spent = spend(budget, api, now, DEFAULT_PART);
          if ('waitMs' in spent) {
            now += spent.waitMs;
            spent = spend(budget, api, now, DEFAULT_PART);
          }
          if ('waitMs' in spent) throw new Error(`waited ${spent.waitMs} ms too little`);
          budget = spent.budget;
          // Of one page, as Gala asks.
          const after = take(levels, { action: api, params: { MaxResults: '1000', MaxCount: '1' } }, now, BUCKETS);
          if (after === undefined) throw new Error(`${api} throttled at ${now} ms`);
          levels = after;
        }
      },
    ),
  );
});
