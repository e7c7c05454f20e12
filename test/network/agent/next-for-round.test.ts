import { expect, test } from '@jest/globals';
import { WIRED } from '../../../lib/api/network.ts';
import { COMING_MS, MISSING_MS, nextForRound, type RoundSeen } from '../../../lib/network/agent/next-for-round.ts';
import { vethNames } from '../../../lib/network/wiring/plan.ts';

const IP = '10.110.0.130';
const anAttachment = (containerId: string, uid = 'pod-a') => ({
  sandbox: { containerId, ifname: 'eth0', netns: `/run/netns/${containerId}` },
  pod: { uid, namespace: 'feed', name: uid },
  ip: IP,
});
const aLock = (wired: 'True' | 'False' | undefined, uid = 'pod-a'): RoundSeen['locks'][number] => ({
  metadata: { name: IP },
  spec: { phase: wired === undefined ? 'Locked' : 'Bound', node: 'h-r12-01', mac: '02:67:0a:6e:00:82', owner: 'feed/a', podUID: uid },
  status: {
    conditions:
      wired === undefined ? [] : [{ type: WIRED, status: wired, reason: 'OnTheNode', lastTransitionTime: '2026-11-27T00:00:00Z' }],
  },
});
const running = (containerId: string, { isReady = true, podUID = 'pod-a' } = {}) => [containerId, { isReady, podUID }] as const;
const seen = (over: Partial<RoundSeen> = {}): RoundSeen => ({
  ...{
    attachments: [],
    sandboxes: new Map(),
    locks: [],
    veths: [],
    has: () => true,
    missingMs: () => undefined,
    isBusy: () => false,
    adding: new Set(),
    lives: () => false,
    knownMs: () => COMING_MS,
  },
  ...over,
});
const veth = (containerId: string) => vethNames(containerId, 'eth0').host;

test('what runs as it is noted is left alone', () => {
  const all = { attachments: [anAttachment('c1')], sandboxes: new Map([running('c1')]), locks: [aLock('True')], veths: [veth('c1')] };
  expect(nextForRound(seen(all))).toEqual([]);
});

test('a note whose sandbox the runtime has not known for minutes is taken down; a moment ago it may just have begun', () => {
  const attachments = [anAttachment('c1')];
  expect(nextForRound(seen({ attachments, missingMs: () => MISSING_MS - 1 }))).toEqual([]);
  expect(nextForRound(seen({ attachments, missingMs: () => MISSING_MS }))).toEqual([{ do: 'collect', key: 'c1-eth0' }]);
  expect(nextForRound(seen({ attachments, missingMs: () => MISSING_MS, isBusy: () => true }))).toEqual([]);
});

test('with its namespace everything of a sandbox is gone at once', () => {
  expect(nextForRound(seen({ attachments: [anAttachment('c1')], has: () => false }))).toEqual([{ do: 'collect', key: 'c1-eth0' }]);
});

test('an address is released when neither note, nor sandbox, nor link is left of its pod', () => {
  const release = [{ do: 'release', ip: IP, podUID: 'pod-a' }];
  expect(nextForRound(seen({ locks: [aLock('True')] }))).toEqual(release);
  expect(nextForRound(seen({ locks: [aLock('False')] }))).toEqual([]);
  expect(nextForRound(seen({ locks: [aLock(undefined)] }))).toEqual([]);
  expect(nextForRound(seen({ locks: [aLock('True')], adding: new Set(['pod-a']) }))).toEqual([]);
  const ended = new Map([running('c1', { isReady: false })]);
  expect(nextForRound(seen({ locks: [aLock('True')], sandboxes: ended }))).toEqual(release);
  expect(nextForRound(seen({ locks: [aLock('True')], sandboxes: ended, veths: [veth('c1')] }))).toEqual([]);
});

test('an address that was given to a pod which never came is released too, and not while the pod lives or may be on its way', () => {
  const given: RoundSeen['locks'][number] = {
    ...aLock(undefined),
    status: { conditions: [{ type: WIRED, status: 'Unknown', reason: 'Given', lastTransitionTime: '2026-11-27T00:00:00Z' }] },
  };
  for (const lock of [given, aLock('True')]) {
    const locks = [lock];
    expect(nextForRound(seen({ locks }))).toEqual([{ do: 'release', ip: IP, podUID: 'pod-a' }]);
    expect(nextForRound(seen({ locks, lives: () => true }))).toEqual([]);
    expect(nextForRound(seen({ locks, knownMs: () => COMING_MS - 1 }))).toEqual([]);
    expect(nextForRound(seen({ locks, attachments: [anAttachment('c1')], sandboxes: new Map([running('c1')]) }))).toEqual([]);
  }
  expect(nextForRound(seen({ locks: [given], sandboxes: new Map([running('c1')]) }))).toMatchObject([{ do: 'adopt' }]);
});

test('a pod that runs and that nobody noted is taken up again', () => {
  const step = nextForRound(seen({ locks: [aLock('True')], sandboxes: new Map([running('c1')]), veths: [veth('c1')] }));
  expect(step).toEqual([{ do: 'adopt', podUID: 'pod-a', containerId: 'c1' }]);
});

test('a veth of nobody is taken away, unless a call is at work', () => {
  expect(nextForRound(seen({ veths: [veth('c9')] }))).toEqual([{ do: 'unlink', link: veth('c9') }]);
  expect(nextForRound(seen({ veths: [veth('c9')], adding: new Set(['pod-z']) }))).toEqual([]);
});
