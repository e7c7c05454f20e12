/** What `gala ips rebuild` says, and what docs/cli.md shows of it. */
import { expect, test } from '@jest/globals';
import { REBUILD_ANNOTATION } from '../../lib/api/network.ts';
import { type Before, isDone, type RebuildSeen, rebuildOf, rebuildText } from '../../lib/cli/ips-rebuilding.ts';
import { aLock, anIPLock } from '../scheduling/builders.ts';
import { shown } from './shown.ts';

const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const IP = '10.110.2.37';
const NONE: Before = new Map();

function aNetwork(name: string, wired: readonly (readonly [ip: string, pod: string])[] = [], { asked = 'r1', rebuilt = 'r1' } = {}) {
  const told = wired.map(([ip, pod]) => ({ ip, pod, mac: '02:67:0a:6e:02:25', podUID: UID }));
  return { metadata: { name, annotations: { [REBUILD_ANNOTATION]: asked } }, status: { wired: told, rebuilt } };
}
const seen = (over: Partial<RebuildSeen> = {}): RebuildSeen => ({ networks: [], ipLocks: [], locks: [], ...over });
const options = { rebuild: 'r1', without: new Set<string>(), dryRun: false, before: NONE };
const bound = (ip = IP, podUID = UID, node = 'bj-a-r12-03') => anIPLock(ip, { phase: 'Bound', node, podUID });

test('a node that has not answered this rebuild is waited for', () => {
  const networks = [aNetwork('n1'), aNetwork('n2', [], { rebuilt: 'r0' })];
  const { answer } = rebuildOf(seen({ networks }), options);
  expect(answer.nodes).toEqual({ asked: 2, answered: 1, silent: ['n2'], without: [] });
  expect(isDone(answer)).toBe(false);
  expect(isDone(rebuildOf(seen({ networks }), { ...options, without: new Set(['n2']) }).answer)).toBe(true);
});

test('what is wired is missing until its IPLock names the pod, and is told afterwards too, when its node says no more of it', () => {
  const first = rebuildOf(seen({ networks: [aNetwork('n1', [[IP, 'feed/a']])] }), options);
  expect(first.answer.addresses).toEqual([{ address: IP, node: 'n1', pod: 'feed/a', ipLock: 'missing' }]);
  expect(isDone(first.answer)).toBe(false);
  const then = rebuildOf(seen({ networks: [aNetwork('n1')], ipLocks: [bound()] }), { ...options, before: first.seen });
  expect(then.answer.addresses).toEqual([{ address: IP, node: 'n1', pod: 'feed/a', ipLock: 'rebuilt' }]);
  expect(isDone(then.answer)).toBe(true);
});

test("an address that is somebody else's by its IPLock is told with whose, and keeps nobody waiting", () => {
  const networks = [aNetwork('n1', [[IP, 'feed/a']])];
  const { answer } = rebuildOf(seen({ networks, ipLocks: [bound(IP, 'another', 'n9')] }), options);
  expect(answer.addresses).toMatchObject([{ ipLock: 'disputed', of: { phase: 'Bound', node: 'n9' } }]);
  expect(isDone(answer)).toBe(true);
  expect(rebuildText(answer)).toMatch(/Bound for feed\/\S+ on n9/);
});

test('slots of Locks whose address has no IPLock are lost; what a node has wired is not', () => {
  const slots = [
    { slot: 0, node: 'n1', address: IP },
    { slot: 1, node: 'n1', address: '10.110.2.38' },
  ];
  const { answer } = rebuildOf(seen({ networks: [aNetwork('n1', [[IP, 'feed/a']])], locks: [aLock('night', { slots })] }), options);
  expect(answer.lost).toEqual([{ lock: 'feed/night', slot: 1, address: '10.110.2.38' }]);
});

test('a dry run says who would be asked, and what is told already', () => {
  const { answer } = rebuildOf(seen({ networks: [aNetwork('n1', [[IP, 'feed/a']])] }), { ...options, dryRun: true });
  expect(rebuildText(answer)).toContain(
    '1 node would be asked; nothing is stored. 1 address is told already that no IPLock gives to the pod there.',
  );
});

test('the page shows what is printed', () => {
  const networks = ['bj-a-r12-03', 'bj-a-r12-04'].map((name) => aNetwork(name));
  const before: Before = new Map([
    [IP, { address: IP, node: 'bj-a-r12-03', pod: 'feed/feed-api-0611', podUID: UID, ipLock: 'missing' as const }],
  ]);
  const locks = [aLock('feed-api-1188', { slots: [{ slot: 4, node: 'bj-a-r12-04', address: '10.110.2.50' }] })];
  const { answer } = rebuildOf(seen({ networks, ipLocks: [bound()], locks }), { ...options, before });
  expect(`${rebuildText(answer)}\n`).toBe(shown('docs/cli.md', 'gala ips rebuild'));
});
