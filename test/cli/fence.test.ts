/** What `gala fence` says, and what docs/cli.md shows of it. */
import { expect, test } from '@jest/globals';
import { type Fenced, fencedText } from '../../lib/cli/fence-text.ts';
import { shown } from './shown.ts';

const aFenced = (over: Partial<Fenced> = {}): Fenced => ({
  node: 'bj-a-r12-03',
  ...{ is: 'NotReady', did: 'tainted', dryRun: false },
  addresses: [{ address: '10.110.2.37', phase: 'Bound', owner: 'feed/feed-api', podUID: '0f8fad5b-d9cb-469f-a165-70867728950e' }],
  ...over,
});
const head = (over: Partial<Fenced>) => fencedText(aFenced(over)).split('\n')[0];

test('the page shows what is printed', () => {
  expect(fencedText(aFenced())).toBe(shown('docs/cli.md', 'gala fence bj-a-r12-03').trimEnd());
});

test.each([
  [
    { dryRun: true },
    'bj-a-r12-03: it is not Ready. Node bj-a-r12-03 would be tainted node.kubernetes.io/out-of-service; nothing is stored.',
  ],
  [
    { is: 'Ready' },
    'bj-a-r12-03: it is Ready, and counts as off once it is not. Node bj-a-r12-03 is tainted node.kubernetes.io/out-of-service.',
  ],
  [{ is: 'Gone', did: 'noted' }, 'bj-a-r12-03: its Node is gone. Its addresses say so.'],
  [{ did: 'nothing' }, 'bj-a-r12-03: it is not Ready. That its machine is off was said before.'],
] as const)('its first line says what is so, and what was done: %j', (over, line) => {
  expect(head(over)).toBe(line);
});

test('where the Node is gone there is no taint to take off', () => {
  expect(fencedText(aFenced({ is: 'Gone', did: 'noted' }))).not.toContain('kubectl taint');
  expect(fencedText(aFenced({ addresses: [] }))).toContain('0 addresses there');
});
