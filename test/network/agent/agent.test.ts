/** The agent's verbs where several things happen at once; random schedules of the like are in schedules.test.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { IPLock } from '../../../lib/api/kinds.ts';
import { PROBED, WIRED } from '../../../lib/api/network.ts';
import { monotonic } from '../../../lib/kube/clock.ts';
import { ApiError, NoAnswer } from '../../../lib/kube/error.ts';
import { silent } from '../../../lib/kube/log.ts';
import { type Agent, agent } from '../../../lib/network/agent/agent.ts';
import { openJournal } from '../../../lib/network/agent/journal.ts';
import type { Kernel } from '../../../lib/network/agent/kernel.ts';
import { conditionOf } from '../../../lib/network/agent/next-for-add.ts';
import type { Lock, NodeView } from '../../../lib/network/agent/node-view.ts';
import { round } from '../../../lib/network/agent/round.ts';
import { isRefusal } from '../../../lib/network/wiring/refusal.ts';
import type { Line } from '../../../lib/network/wiring/step.ts';
import { INTRANET } from '../a-pool.ts';
import { locksOf } from './a-stand.ts';

const [FIRST, SECOND] = ['10.110.0.130', '10.110.0.131'] as const;
const POD = { uid: 'pod-a', namespace: 'feed', name: 'a' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-agent-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Outside {
  /** By address, as the API server has them. */
  readonly locks: Map<string, Lock>;
  /** Which of them is watched. */
  watched: string;
  /** Whether a write of this node may be on its way. */
  isQuiet?: boolean;
  /** What comes of a write that was done, or was not. */
  fault?: Error;
  /** Told after each write. */
  onWrite?: (lock: Lock) => void;
  onRun?: (lines: readonly Line[]) => void;
}

function anOutside(): Outside {
  const specs = { ...locksOf({ 'pod-a': FIRST }), [SECOND]: { ...locksOf({ 'pod-a': SECOND })[SECOND]! } };
  const locks = new Map(
    Object.entries(specs).map(([name, spec]) => [name, { metadata: { name, uid: `uid-${name}`, resourceVersion: '1' }, spec } as Lock]),
  );
  return { locks, watched: FIRST };
}

/** With what was let go, and what was run. */
function anAgent(outside: Outside, probes = false) {
  const [down, ran, looked]: [string[], string[], string[]] = [[], [], []];
  const read = (ip: string) => outside.locks.get(ip);
  const view = {
    node: 'h-r12-01',
    hasSynced: () => true,
    facts: () => ({ ip: '10.8.1.11', pool: 'web' }),
    network: () => ({ pool: 'web', trunk: 'bond0' }),
    pool: () => ({ shape: 'intranet', intranet: INTRANET, locks: 'hard' }),
    trunk: () => 'bond0',
    isQuiet: () => outside.isQuiet ?? true,
    locks: () => outside.locks.values(),
    lockAt: read,
    lockOf: () => read(outside.watched),
    readLock: async (ip: string) => read(ip),
    pod: () => ({ ...POD, annotations: {} }),
    onChange: () => () => {},
    patchLock: async (lock: Lock, { spec, status }: { spec?: Partial<IPLock['spec']>; status?: IPLock['status'] }) => {
      const there = read(lock.metadata.name)!;
      const { resourceVersion } = there.metadata;
      if (resourceVersion !== lock.metadata.resourceVersion)
        throw new ApiError('PATCH', { status: 409, reason: 'Conflict', message: 'changed' });
      const metadata = { ...there.metadata, resourceVersion: String(Number(resourceVersion) + 1) };
      const written = { ...there, metadata, spec: { ...there.spec, ...spec }, status: status ?? there.status } as Lock;
      outside.locks.set(lock.metadata.name, written);
      outside.onWrite?.(written);
      if (outside.fault !== undefined) throw outside.fault;
      return written;
    },
  } as unknown as NodeView;
  const kernel: Kernel = {
    hostLinks: () => ['bond0', 'bond0.110'].map((name) => ({ name, mac: '52:54:00:00:00:01', carrier: true })),
    podLinks: async () => [],
    run: async (lines) => {
      outside.onRun?.(lines);
      ran.push(...lines.map(({ line }) => line));
    },
    seen: async (netns = 'host') => {
      looked.push(netns);
      return { links: [], routes: [], neighbours: [], qdiscs: [] };
    },
    has: () => true,
    // Their names say the order: c1 before c2.
    bornMs: (netns) => Number(netns.at(-1)),
  };
  const journal = openJournal(folder, silent);
  const made = agent({
    ...{ view, journal, kernel, sandboxes: async () => new Map(), clock: monotonic, log: silent, probes },
    onDown: (ip) => down.push(ip),
  });
  return { made, view, journal, kernel, down, ran, looked };
}

const sandboxOf = (containerId: string, ifname = 'eth0') => ({ containerId, ifname, netns: `/run/netns/${containerId}` });
const added = (made: Agent, containerId: string, ifname?: string) =>
  made.add({ verb: 'ADD', cniVersion: '1.1.0', network: 'gala', sandbox: sandboxOf(containerId, ifname), pod: POD });

test('an address that comes in the place of the one that was bound is bound too before it is wired, and the first is let go', async () => {
  const outside = anOutside();
  outside.onWrite = ({ metadata }) => {
    if (metadata.name === FIRST) outside.watched = SECOND;
  };
  const saidWhenWired: unknown[] = [];
  outside.onRun = () => saidWhenWired.push(outside.locks.get(SECOND)?.spec.phase, conditionOf(outside.locks.get(SECOND)!, WIRED)?.status);
  const { made, down } = anAgent(outside);
  expect(await added(made, 'c1')).toMatchObject({ ips: [{ address: `${SECOND}/24` }] });
  expect(saidWhenWired).toEqual(['Bound', 'True']);
  expect(down).toEqual([FIRST]);
});

const GIVEN = { type: WIRED, status: 'Unknown', reason: 'Given', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;

test('an address that was given to the node is wired without a word to the API server, away or not', async () => {
  const outside = { ...anOutside(), fault: new NoAnswer('PATCH iplocks: reset', { maybeDone: true }) };
  outside.locks.set(FIRST, { ...outside.locks.get(FIRST)!, status: { conditions: [GIVEN] } });
  const { made, ran } = anAgent(outside);
  expect(await added(made, 'c1')).toMatchObject({ ips: [{ address: `${FIRST}/24` }] });
  expect(ran).toContainEqual(expect.stringContaining(FIRST));
  expect(outside.locks.get(FIRST)).toMatchObject({ metadata: { resourceVersion: '1' }, spec: { phase: 'Locked' } });
  expect([made.holds(FIRST, POD.uid), made.holds(SECOND, POD.uid)]).toEqual([true, false]);
  // A probe that was sent before may have been answered by the pod.
  await made.del(sandboxOf('c1'));
  expect(made.holds(FIRST, 'pod-b')).toBe(true);
});

test('one that a write of this node may still change, or that an agent of before has said to be wired, is bound by a write first', async () => {
  for (const [isQuiet, said] of [
    [false, GIVEN],
    [true, { ...GIVEN, status: 'True', reason: 'OnTheNode' } as const],
  ] as const) {
    const outside = { ...anOutside(), isQuiet };
    outside.locks.set(FIRST, { ...outside.locks.get(FIRST)!, status: { conditions: [said] } });
    const { made, journal } = anAgent(outside);
    await added(made, 'c1');
    expect(outside.locks.get(FIRST)).toMatchObject({ metadata: { resourceVersion: '2' }, spec: { phase: 'Bound' } });
    journal.remove('c1-eth0');
  }
});

test.each([
  ['is away', new NoAnswer('PATCH iplocks: reset', { maybeDone: true })],
  ['has too much to do', new ApiError('PATCH', { status: 429, reason: 'TooManyRequests', message: 'later' })],
])('an API server that %s makes ADD come again, and what may have been bound by that is let go', async (_, fault) => {
  const { made, down, ran } = anAgent({ ...anOutside(), fault });
  expect(await added(made, 'c1')).toMatchObject({ refused: 'TryLater', code: 11 });
  expect({ down, ran }).toEqual({ down: [FIRST], ran: [] });
});

test('a pod is at work as long as one of its sandboxes is', async () => {
  // Nobody has said yet that it was looked for: the first one waits for that.
  const outside = anOutside();
  const { made, down } = anAgent(outside, true);
  const first = added(made, 'c1');
  const second = await added(made, 'c2', 'gala-in');
  expect(second !== undefined && isRefusal(second)).toBe(true);
  expect(made.adding.has(POD.uid)).toBe(true);
  const status: IPLock['status'] = {
    conditions: [{ type: PROBED, status: 'True', reason: 'Free', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  };
  outside.locks.set(FIRST, { ...outside.locks.get(FIRST)!, status });
  expect(await first).toMatchObject({ ips: [{ address: `${FIRST}/24` }] });
  expect(made.adding).toMatchObject({ size: 0 });
  expect(down).toEqual([]);
});

test('what was changed in a pod is put back with the address that it has, and not with another that names it meanwhile', async () => {
  const outside = anOutside();
  const { made, ran } = anAgent(outside);
  await added(made, 'c1');
  ran.length = 0;
  outside.watched = SECOND;
  expect(await made.repair('c1-eth0')).toContainEqual(expect.stringContaining(`it is not put back: ${FIRST} is wired`));
  expect(ran).toEqual([]);
  outside.watched = FIRST;
  await made.repair('c1-eth0');
  expect(ran).toContainEqual(expect.stringContaining(FIRST));
});

test('C4 an ADD that has outlived the runtime takes nothing from the sandbox that was made since', async () => {
  const { made, journal, down } = anAgent(anOutside());
  await added(made, 'c2');
  const late = await added(made, 'c1');
  expect(late).toMatchObject({ msg: expect.stringMatching(/still|another sandbox/i), details: expect.stringContaining('c2-eth0') });
  expect([journal.get('c2-eth0')?.state, journal.get('c1-eth0'), down]).toEqual(['wired', undefined, []]);
}, 30_000);

test('C4 what the sandbox before left is taken down at once, and the next one is wired', async () => {
  const { made, journal } = anAgent(anOutside());
  await added(made, 'c1');
  expect(await added(made, 'c2')).toMatchObject({ ips: [{ address: `${FIRST}/24` }] });
  expect([journal.get('c1-eth0'), journal.get('c2-eth0')?.state]).toEqual([undefined, 'wired']);
});

test('a round looks at the host once, however many pods it has', async () => {
  const { made, view, journal, kernel, looked } = anAgent(anOutside());
  await added(made, 'c1');
  journal.put({ ...journal.get('c1-eth0')!, sandbox: sandboxOf('c2') });
  const known = { isReady: true, podUID: POD.uid, namespace: POD.namespace, name: POD.name };
  const cri = { sandboxes: async () => new Map(['c1', 'c2'].map((id) => [id, known])), netnsOf: async () => undefined };
  await round({
    agent: made,
    view: { ...view, locks: () => [] },
    journal,
    kernel,
    cri,
    tombstones: '/nowhere',
    clock: monotonic,
    log: silent,
  }).run();
  expect(looked).toEqual(['host', '/run/netns/c1', '/run/netns/c2']);
});
