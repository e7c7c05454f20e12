/** What is said below a Lock that got nothing. */
import { expect, test } from '@jest/globals';
import { factsOf } from '../../lib/cli/facts-of.ts';
import { lockSeen, lockText } from '../../lib/cli/lock-text.ts';
import { answerFrom } from '../../lib/cli/stock-answer.ts';
import type { StockAnswer } from '../../lib/cli/stock-text.ts';
import { aLock } from '../scheduling/builders.ts';
import { aNight, FEED } from './a-night.ts';

const failed = (count: number, stock?: StockAnswer | string) =>
  lockText(lockSeen(aLock('feed-api-1188', { phase: 'Failed', count }) as never), { dryRun: false, stock }).split('\n');
const stockOf = (count: number, taken = 0) =>
  answerFrom(factsOf(aNight(taken)), { from: 'cluster', name: '' }, { pods: FEED, namespace: 'feed', how: { strategy: 'spread', count } });

test('where some fit, that many are said', () =>
  expect(failed(5000, stockOf(5000)).at(-1)).toMatch(/^Ask for 514 or fewer, or with --allow-partial for what there is; /));

test('where there is room by now, it is', () =>
  expect(failed(200, stockOf(200)).slice(-2)).toEqual([
    '200 are there.',
    'So many fit by now: ask again; where --name was given, under another one.',
  ]));

test('where none fits, what limits them is to be mended first', () =>
  expect(failed(200, stockOf(200, 514)).at(-1)).toMatch(/^None fits now: mend what limits them, then ask again; /));

test('a question that can never be is told as that', () => {
  const wrong = "--max-per rack: rack is '30%', which is 60 of 200; …";
  expect(failed(200, wrong).slice(-2)).toEqual([wrong, 'Ask again; where --name was given, under another one.']);
});

test('who may not see what there is is sent to gala stock', () =>
  expect(failed(200).at(-1)).toBe('Fewer, or with --allow-partial what there is: gala stock says how many fit.'));
