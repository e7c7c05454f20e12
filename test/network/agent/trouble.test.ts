/** What a node's trouble is told to whom. */
import { expect, test } from '@jest/globals';
import { DAMPED_MS, damped, toStatus, troubleOf } from '../../../lib/network/agent/trouble.ts';

const read = { hasSynced: () => true };
const view = {
  ...{ node: 'h-r12-01', unread: () => ['iplocks'], facts: () => ({}) },
  ...{ network: () => undefined, pool: () => undefined },
};
const trouble = (hasSynced: boolean) => troubleOf({ view: { ...view, hasSynced: () => hasSynced }, foreign: undefined, confDir: '/etc' });

test('a trouble is told once it has lasted, and a new one has to last anew', () => {
  let nowMs = 0;
  let now: string | undefined = 'NodeNetwork h-r12-01 is not there.';
  const said = damped(() => now, { now: () => nowMs, after: () => () => {} });
  expect(said()).toBeUndefined();
  nowMs = DAMPED_MS;
  expect(said()).toBe(now);
  now = undefined;
  expect(said()).toBeUndefined();
  now = 'again';
  expect(said()).toBeUndefined();
});

test('STATUS says why no pod can be wired on a node that has none', () => {
  expect(toStatus(trouble(true), read, 0)).toMatch('NodeNetwork h-r12-01 is not there');
});

test('C9 pods that are wired pay for no trouble of the node: STATUS is content', () => {
  expect(toStatus(trouble(true), read, 1)).toBeUndefined();
});

test('C9 that the API server is away is no trouble of the node', () => {
  expect(trouble(false)).toMatch('not read from the API server yet: iplocks');
  expect(toStatus(trouble(false), { hasSynced: () => false }, 0)).toBeUndefined();
});
