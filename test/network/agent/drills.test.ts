/** Drills with one agent: the API server is away for long, and another machine has taken the name of one that is lost. */
import { expect, test } from '@jest/globals';
import { WIRED } from '../../../lib/api/network.ts';
import { NoAnswer } from '../../../lib/kube/error.ts';
import { silent } from '../../../lib/kube/log.ts';
import { agent } from '../../../lib/network/agent/agent.ts';
import type { SandboxSeen } from '../../../lib/network/agent/cri.ts';
import { type Attachment, keyOf } from '../../../lib/network/agent/journal.ts';
import type { Kernel } from '../../../lib/network/agent/kernel.ts';
import { conditionOf } from '../../../lib/network/agent/next-for-add.ts';
import type { Lock, NodeFacts, NodeView } from '../../../lib/network/agent/node-view.ts';
import { round } from '../../../lib/network/agent/round.ts';
import { damped, troubleOf } from '../../../lib/network/agent/trouble.ts';
import { isRefusal } from '../../../lib/network/wiring/refusal.ts';

const NODE = 'h-r12-01';
const sandboxOf = (uid: string) => ({ containerId: `of-${uid}`, ifname: 'eth0', netns: `/run/netns/${uid}` });
const aLock = (ip: string, podUID: string): Lock =>
  ({
    metadata: { name: ip, uid: `lock-${ip}`, resourceVersion: '1' },
    spec: { phase: 'Bound', node: NODE, mac: '02:67:0a:6e:00:82', owner: `feed/${podUID}`, podUID },
    status: { conditions: [{ type: WIRED, status: 'True', reason: 'OnTheNode', lastTransitionTime: '2026-11-27T00:00:00Z' }] },
  }) as Lock;

/** A node on which these pods are wired. */
function aNode(pods: Readonly<Record<string, string>>) {
  let nowMs = 0;
  const is = { away: false, facts: { pool: 'web', rack: 'r12', ip: '10.8.1.11', machineID: '9f2c' } as NodeFacts };
  const locks = new Map(Object.entries(pods).map(([uid, ip]) => [ip, aLock(ip, uid)]));
  const notes = new Map<string, Attachment>();
  const sandboxes = new Map<string, SandboxSeen>();
  for (const [uid, ip] of Object.entries(pods)) {
    const sandbox = sandboxOf(uid);
    const pod = { uid, namespace: 'feed', name: uid };
    const rest = { network: 'gala', mac: '02:67:0a:6e:00:82', bandwidth: {}, steps: [], state: 'wired' } as const;
    notes.set(keyOf(sandbox), { version: 1, sandbox, pod, ip, ...rest } as Attachment);
    sandboxes.set(sandbox.containerId, { isReady: true, podUID: uid, namespace: 'feed', name: uid });
  }
  const asked = <T>(answer: () => T): Promise<T> =>
    is.away ? Promise.reject(new NoAnswer('GET /apis: connect ECONNREFUSED', { maybeDone: false })) : Promise.resolve(answer());
  const view: NodeView = {
    node: NODE,
    hasSynced: () => true,
    unread: () => [],
    facts: () => is.facts,
    network: () => ({ pool: 'web', trunk: 'bond0', machineID: '9f2c' }),
    pool: () => ({ shape: 'intranet', locks: 'hard' }) as ReturnType<NodeView['pool']>,
    trunk: () => 'bond0',
    status: () => undefined,
    writeStatus: () => asked(() => {}),
    locks: () => locks.values(),
    lockAt: (ip) => locks.get(ip),
    lockOf: (uid) => [...locks.values()].find(({ spec }) => spec.podUID === uid),
    findLock: (uid) => asked(() => [...locks.values()].find(({ spec }) => spec.podUID === uid)),
    readLock: (ip) => asked(() => locks.get(ip)),
    pod: () => undefined,
    patchLock: (lock, patch) =>
      asked(() => {
        const now = { ...lock, spec: { ...lock.spec, ...patch.spec }, status: patch.status } as Lock;
        locks.set(lock.metadata.name, now);
        return now;
      }),
    onChange: () => () => {},
    onPodChange: () => {},
    onPodEnd: () => {},
    isQuiet: () => true,
    reflectors: [],
    stopped: Promise.resolve(),
  };
  const journal = {
    get: (key: string) => notes.get(key),
    values: () => notes.values(),
    put: (one: Attachment) => void notes.set(keyOf(one.sandbox), one),
    remove: (key: string) => void notes.delete(key),
    get size() {
      return notes.size;
    },
  };
  const ran: string[] = [];
  const kernel: Kernel = {
    hostLinks: () => [],
    podLinks: async () => [],
    run: async (lines) => void ran.push(...lines.map(({ line }) => line)),
    seen: async () => ({ links: [], routes: [], neighbours: [], qdiscs: [] }),
    has: () => true,
    bornMs: () => 0,
  };
  const clock = { now: () => nowMs, after: () => () => {} };
  const common = { view, journal, kernel, clock, log: silent };
  const agents = agent({ ...common, sandboxes: async () => sandboxes });
  const cri = { sandboxes: async () => sandboxes, netnsOf: async () => undefined };
  const rounds = round({ ...common, agent: agents, cri, tombstones: '/nowhere' });
  return {
    ...{ is, agents, rounds, locks, notes, ran, sandboxes },
    trouble: damped(() => troubleOf({ view, foreign: undefined, confDir: '/etc/cni/net.d' }), clock),
    pass: (ms: number) => {
      nowMs += ms;
    },
    wired: (ip: string) => conditionOf(locks.get(ip)!, WIRED)?.status,
  };
}

test('the API server is away for half an hour: pods stay wired, STATUS stays fine, DEL works, and afterwards the address is given back', async () => {
  const node = aNode({ 'pod-a': '10.110.0.130', 'pod-b': '10.110.0.131' });
  node.is.away = true;
  for (let minutes = 0; minutes < 30; minutes++) {
    await node.rounds.run();
    expect(node.trouble()).toBeUndefined();
    if (minutes === 10) {
      await node.agents.del(sandboxOf('pod-b'));
      node.sandboxes.delete('of-pod-b');
      await expect(node.rounds.release('10.110.0.131', 'pod-b')).rejects.toThrow(/ECONNREFUSED/);
    }
    node.pass(60_000);
  }
  expect([...node.notes.values()].map(({ ip }) => ip)).toEqual(['10.110.0.130']);
  expect([node.wired('10.110.0.130'), node.wired('10.110.0.131')]).toEqual(['True', 'True']);
  node.is.away = false;
  await node.rounds.run();
  expect([node.wired('10.110.0.130'), node.wired('10.110.0.131')]).toEqual(['True', 'False']);
});

test('a machine under the name of another says nothing of its addresses, wires nothing, and says why, until its NodeNetwork is its own', async () => {
  const node = aNode({});
  node.locks.set('10.110.0.130', aLock('10.110.0.130', 'pod-of-before'));
  node.is.facts = { ...node.is.facts, machineID: '3c3c' };
  await node.rounds.run();
  await node.rounds.release('10.110.0.130', 'pod-of-before');
  expect(node.wired('10.110.0.130')).toBe('True');
  node.locks.set('10.110.0.131', aLock('10.110.0.131', 'pod-new'));
  const call = { verb: 'ADD', cniVersion: '1.1.0', network: 'gala', sandbox: sandboxOf('pod-new') } as const;
  const reply = await node.agents.add({ ...call, pod: { uid: 'pod-new', namespace: 'feed', name: 'new' } });
  expect(reply !== undefined && isRefusal(reply) && reply.details).toMatch(/machine 3c3c, and its NodeNetwork is of 9f2c/);
  node.trouble();
  node.pass(60_000);
  expect(node.trouble()).toMatch(/another machine has taken the name/);
  node.is.facts = { ...node.is.facts, machineID: '9f2c' };
  expect(node.trouble()).toBeUndefined();
  await node.rounds.release('10.110.0.130', 'pod-of-before');
  expect(node.wired('10.110.0.130')).toBe('False');
});
