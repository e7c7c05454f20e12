/** What is planned and not there says so, and what to use until then. */
import { expect, test } from '@jest/globals';
import { notYet } from '../../lib/cli/not-yet.ts';
import { pages } from '../docs/pages.ts';
import { gala } from './gala.ts';

const VERBS = ['rollback', 'release', 'borrow', 'upstream', 'volumes', 'top', 'drain', 'freeze', 'off'];

test.each([...VERBS.map((verb) => [verb, 'x', '--dry-run']), ['diff', 'bj-a', '--live'], ['explain', 'scaling', 'feed-api']])(
  'gala %s is not now, and says what to use until then',
  async (...args) => {
    expect(await gala(...args)).toEqual({
      code: 4,
      out: '',
      err: expect.stringMatching(/^gala [a-z]+( --live| scaling)?: not yet\. It will [a-z].*[a-z]\. Until then: .+\.\n$/),
    });
  },
);

test('a command that has come is no longer planned', () => {
  expect(notYet(['drain', 'rack', 'r14'], ['stock'])).toMatch(/^gala drain: not yet\. /);
  expect(notYet(['drain', 'rack', 'r14'], ['stock', 'drain'])).toBeUndefined();
});

test('commands that are there are theirs, whatever they are told', () => {
  for (const args of [[], ['--help'], ['lock', 'release', '2'], ['explain', 'pod', 'scaling'], ['diff', 'off', '--against', 'x']])
    expect(notYet(args, ['lock', 'explain', 'diff'])).toBeUndefined();
});

test('the help lists what there is', async () => {
  const { out } = await gala('--help');
  for (const verb of VERBS) expect(out).not.toMatch(new RegExp(`^ +${verb}\\b`, 'm'));
});

test('the page lists what is planned', () => {
  const { text } = pages().find(({ path }) => path === 'docs/cli.md')!;
  for (const verb of [...VERBS, 'diff --live', 'explain scaling']) expect(text).toContain(`| \`gala ${verb}\` |`);
});
