/** What is worth another try, and how long it waits. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../lib/kube/backoff.ts';
import { ApiError, NoAnswer } from '../../lib/kube/error.ts';
import { onConflict, type RetryOptions, retrying } from '../../lib/kube/retry.ts';

const answered = (status: number, retryAfterSeconds?: number) =>
  new ApiError('PUT /x', { status, reason: status === 409 ? 'Conflict' : 'Any', message: '', retryAfterSeconds });
const lost = (maybeDone: boolean, aborted = false) => new NoAnswer('PUT /x', { maybeDone, aborted });

/** Fails so, then works. */
async function tried(errors: readonly unknown[], options: RetryOptions = {}, by = retrying) {
  const left = [...errors];
  const waits: number[] = [];
  let calls = 0;
  const call = async () => {
    calls++;
    if (left.length > 0) throw left.shift();
    return 'done';
  };
  const onRetry = (_error: unknown, ms: number) => waits.push(ms);
  const result = await by(call, { backoff: { firstMs: 1, maxMs: 4 }, random: () => 0, onRetry, ...options }).catch(
    (error: unknown) => error,
  );
  return { result, calls, waits };
}

describe('retrying', () => {
  test.each([
    ['too many requests', answered(429)],
    ['a server in trouble', answered(500)],
    ['a server that is away', answered(503)],
    ['a call that never left', lost(false)],
    ['a lost answer', lost(true)],
  ])('%s is worth another try', async (_what, error) => {
    expect(await tried([error])).toMatchObject({ result: 'done', calls: 2 });
  });

  test.each([
    ['what is not there', answered(404)],
    ['what is not allowed', answered(403)],
    ['a conflict', answered(409)],
    ['an invalid object', answered(422)],
    ['a call that was given up', lost(true, true)],
    ['a mistake of the caller', new TypeError('no namespace')],
  ])('%s is not', async (_what, error) => {
    expect(await tried([error])).toEqual({ result: error, calls: 1, waits: [] });
  });

  test('what may have been done already is not done again where that would be twice', async () => {
    for (const error of [lost(true), answered(500), answered(504)])
      expect(await tried([error], { maybeDone: 'throw' })).toMatchObject({ result: error, calls: 1 });
    for (const error of [lost(false), answered(429)])
      expect(await tried([error], { maybeDone: 'throw' })).toMatchObject({ result: 'done' });
  });

  test('waits longer each time, or as long as it is asked to, and no more often than it may', async () => {
    expect(await tried([answered(500), answered(500), answered(500), answered(500)])).toMatchObject({ waits: [0.5, 1, 2, 2] });
    expect(await tried([answered(429, 0.02)])).toMatchObject({ waits: [20] });
    const errors = Array.from({ length: 9 }, () => answered(500));
    expect(await tried(errors, { tries: 3 })).toMatchObject({ result: errors[2], calls: 3 });
    expect(await tried(errors)).toMatchObject({ calls: 8 });
  });

  test('stops waiting with its signal, with the last error', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 5);
    expect(await tried([answered(429, 60)], { signal: stop.signal })).toMatchObject({ result: { status: 429 }, calls: 1 });
  });
});

test('a conflict is decided anew; what else goes wrong is thrown', async () => {
  expect(await tried([answered(409), answered(409)], {}, onConflict)).toMatchObject({ result: 'done', calls: 3 });
  expect(await tried([answered(500)], {}, onConflict)).toMatchObject({ calls: 1, result: { status: 500 } });
});

test('a wait grows from half of the first to the whole of the longest, and is never more or less', () =>
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, firstMs, times, random) => {
        const maxMs = firstMs * times;
        const ms = backoffMs(failures, { firstMs, maxMs }, () => random);
        return ms >= firstMs / 2 && ms <= maxMs && backoffMs(failures + 1, { firstMs, maxMs }, () => random) >= ms;
      },
    ),
  ));
