/** What nodes say is wired and no IPLock says: nobody is given it, and a rebuild makes its IPLock anew. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { REBUILD_ANNOTATION, RELEASES } from '../../../lib/api/network.ts';
import { reports } from '../../../lib/scheduling/writer/reports.ts';
import { aLock, aPod, aUid } from '../builders.ts';
import { aSmallCluster } from './a-small-cluster.ts';

const A = '10.110.0.10';
const B = '10.110.0.11';
const aWired = (ip: string, pod = 'feed/lost', podUID = aUid()) => ({ ip, mac: '02:67:0a:6e:00:0a', pod, podUID });

function aNetwork(wired: readonly ReturnType<typeof aWired>[], { asked, answered }: { asked?: string; answered?: string } = {}) {
  const annotations: Record<string, string> = asked === undefined ? {} : { [REBUILD_ANNOTATION]: asked };
  return {
    metadata: { name: '', annotations },
    spec: { machineID: '9f2c', pool: 'web' },
    status: { wired: [...wired], ...(answered === undefined ? {} : { rebuilt: answered }) },
  };
}

const gated = (name: string, more: object = {}) => aPod({ name, gated: true, ...more });
const night = (count = 2) => ({ ...aLock('night').spec, count, ttlSeconds: 3_600 });
const addresses = (all: ReturnType<typeof aSmallCluster>) => [...all.api.objects.IPLock.keys()].sort();

describe('W1 an address that a node says is wired, and no IPLock says so', () => {
  test('is given to nobody: neither to a pod nor to a Lock', () => {
    const all = aSmallCluster({ addresses: 3 });
    all.writer().networkIs('r12-01', aNetwork([aWired(A)]));
    all.api.createPod(gated('a'));
    all.api.createLock('feed/night', night(1));
    all.run(3);
    expect(all.pod('a')?.pinned).toBeDefined();
    expect(all.lock('night')?.status?.phase).toBe('Ready');
    expect(addresses(all)).toEqual([B, '10.110.0.12']);
  });

  test('is not counted as free, and is again once the node says it no longer', () => {
    const all = aSmallCluster({ addresses: 1 });
    all.writer().networkIs('r12-01', aNetwork([aWired(A)]));
    all.api.createPod(gated('a'));
    all.run(3);
    expect(all.pod('a')?.gated).toBe(true);
    all.writer().networkIs('r12-01', aNetwork([]));
    all.run(3);
    expect(all.pod('a')?.gated).toBe(false);
    expect(addresses(all)).toEqual([A]);
  });

  test('is not given back to the owner that it is Held for, who takes another', () => {
    const all = aSmallCluster();
    all.stored(A, { phase: 'Held', node: 'r12-01', owner: 'feed/a' });
    all.writer().networkIs('r12-02', aNetwork([aWired(A)]));
    all.api.createPod(gated('a'));
    all.run(3);
    expect(Object.keys(all.ofPod('a'))).toEqual([B]);
  });

  test('whatever is told, and whenever: nobody is given what is told at that time (property)', () => {
    const ips = Array.from({ length: 6 }, (_, at) => `10.110.0.${10 + at}`);
    const step = fc.record({ node: fc.constantFrom('r12-01', 'r12-02'), told: fc.subarray(ips), pods: fc.nat(2), lock: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const all = aSmallCluster({ addresses: ips.length });
        const now = new Map<string, readonly string[]>();
        for (const [at, { node, told, pods, lock }] of steps.entries()) {
          const before = new Set(addresses(all));
          now.set(node, told);
          all.writer().networkIs(node, aNetwork(told.map((ip) => aWired(ip))));
          for (let one = 0; one < pods; one++) all.api.createPod(gated(`p-${at}-${one}`));
          if (lock) all.api.createLock(`feed/l-${at}`, night(1));
          all.run(2);
          const said = new Set([...now.values()].flat());
          for (const ip of addresses(all)) if (!before.has(ip)) expect(said).not.toContain(ip);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('W2 while a rebuild waits for nodes', () => {
  test('nobody is given an address, pods and Locks are told, and all goes on by itself afterwards', () => {
    const all = aSmallCluster();
    all.writer().networkIs('r12-01', aNetwork([], { asked: 'r1' }));
    all.api.createPod(gated('a'));
    all.api.createLock('feed/night', night());
    all.run(5);
    expect(addresses(all)).toEqual([]);
    expect(all.events('Rebuilding').map((said) => said.slice(0, said.indexOf(':')))).toEqual(
      expect.arrayContaining(['Pod feed/a', 'Lock feed/night']),
    );
    expect(all.lock('night')?.status?.phase).toBeUndefined();
    all.writer().networkIs('r12-01', aNetwork([], { asked: 'r1', answered: 'r1' }));
    all.run(5);
    expect(all.pod('a')?.gated).toBe(false);
    expect(all.lock('night')?.status?.phase).toBe('Ready');
  });

  test("a pod on the host's network is placed all the same", () => {
    const all = aSmallCluster();
    all.writer().networkIs('r12-01', aNetwork([], { asked: 'r1' }));
    all.api.createPod(gated('agent', { spec: { hostNetwork: true } }));
    all.run(3);
    expect(all.pod('agent')?.gated).toBe(false);
  });

  test('an answer to an earlier rebuild is none', () => {
    const all = reports();
    all.set('n1', aNetwork([], { asked: 'r2', answered: 'r1' }));
    expect(all.waitsFor(() => true)).toMatch(/n1 has not said yet/);
    all.set('n1', undefined);
    expect(all.waitsFor(() => true)).toBeUndefined();
  });
});

describe('W3 what nodes answer', () => {
  test('becomes IPLocks that are Bound and wired, for the very pods, and nobody is given an address before', () => {
    const all = aSmallCluster();
    const pod = gated('a', { gated: false, pinned: 'r12-01', node: 'r12-01', slot: 'loose' });
    all.api.createPod(pod);
    all.api.createPod(gated('b'));
    all.writer().networkIs('r12-01', aNetwork([aWired(A, 'feed/a', pod.uid)], { asked: 'r1', answered: 'r1' }));
    all.run(5);
    expect(all.ip(A)).toMatchObject({
      spec: { phase: 'Bound', node: 'r12-01', podUID: pod.uid, owner: 'feed/a', mac: '02:67:0a:6e:00:0a' },
      status: { conditions: [{ type: 'Wired', status: 'True', reason: 'Rebuilt' }] },
    });
    expect(Object.keys(all.ofPod('b'))).toEqual([B]);
  });

  test('of a pod that the API server does not know stays until its node says that it is down', () => {
    const all = aSmallCluster({ addresses: 1 });
    all.writer().networkIs('r12-01', aNetwork([aWired(A)], { asked: 'r1', answered: 'r1' }));
    all.run(30);
    expect(all.ip(A)?.spec).toMatchObject({ phase: 'Bound', owner: 'feed/lost' });
    all.writer().networkIs('r12-01', aNetwork([], { asked: 'r1', answered: 'r1' }));
    all.says(A, 'Wired', 'False');
    all.run(5);
    expect(all.ip(A)?.spec.phase).toBe('Held');
  });

  test('of a slot of a Lock is of that Lock, and its slot stays', () => {
    const all = aSmallCluster();
    all.api.createLock('feed/night', night(1));
    all.run(3);
    all.api.createPod(gated('a', { lock: 'night' }));
    all.run(3);
    const { ip, node } = all.wire('a');
    const uid = all.pod('a')?.uid ?? '';
    all.run(2);
    all.writer().networkIs(node, aNetwork([], { asked: 'r1' }));
    all.api.remove('IPLock', ip);
    all.run(5);
    expect(all.ip(ip)).toBeUndefined();
    all.writer().networkIs(node, aNetwork([aWired(ip, 'feed/a', uid)], { asked: 'r1', answered: 'r1' }));
    all.run(5);
    expect(all.ip(ip)?.spec).toMatchObject({
      phase: 'Bound',
      podUID: uid,
      lock: { namespace: 'feed', name: 'night' },
      owner: 'feed/feed-api',
    });
    expect(all.slots('night')).toHaveLength(1);
  });
});

test('W1–W3 etcd restored from before 100 locks: all that is wired has its IPLocks again, each for its own pod, and the next pods get others', () => {
  const all = aSmallCluster({
    addresses: 210,
    racks: { r12: Array.from({ length: 30 }, (_, at) => `r12-${String(at + 1).padStart(2, '0')}`) },
  });
  for (let at = 0; at < 100; at++) all.api.createPod(gated(`p-${at}`, { cpu: '100m' }));
  all.run(20);
  const wired = Array.from({ length: 100 }, (_, at) => ({ ...all.wire(`p-${at}`), name: `p-${at}`, uid: all.pod(`p-${at}`)?.uid ?? '' }));
  all.run(5);
  const nodes = [...new Set(wired.map(({ node }) => node))];
  for (const node of nodes) all.writer().networkIs(node, aNetwork([], { asked: 'r1' }));
  for (const { ip } of wired) all.api.remove('IPLock', ip);
  for (let at = 0; at < 100; at++) all.api.createPod(gated(`q-${at}`, { cpu: '100m' }));
  all.run(5);
  expect(addresses(all)).toEqual([]);
  for (const node of nodes) {
    const told = wired.filter((one) => one.node === node).map(({ ip, name, uid }) => aWired(ip, `feed/${name}`, uid));
    all.writer().networkIs(node, aNetwork(told, { asked: 'r1', answered: 'r1' }));
    all.run(0.4);
  }
  all.run(30);
  for (const { ip, uid, node } of wired) expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Bound', podUID: uid, node });
  for (let at = 0; at < 100; at++) expect(Object.keys(all.ofPod(`q-${at}`))).toHaveLength(1);
  expect(all.api.objects.IPLock.size).toBe(200);
});

test('a node whose agent says when nothing is left is given its pods’ addresses, others are as ever, and so are they again when it says that no more', () => {
  const told = reports();
  const said = (status: 'True' | 'False') => ({
    ...aNetwork([]),
    status: { conditions: [{ type: RELEASES, status, reason: 'OfEveryPod', lastTransitionTime: '2026-11-27T00:00:00Z' }] },
  });
  told.set('r12-01', said('True'));
  told.set('r12-02', aNetwork([]));
  expect([told.releases('r12-01'), told.releases('r12-02'), told.releases('r12-03')]).toEqual([true, false, false]);
  told.set('r12-01', said('False'));
  expect(told.releases('r12-01')).toBe(false);
});

test('S17 where the agent releases, the address of a pod that is gone is kept until it has, and is its next one’s then', () => {
  const all = aSmallCluster();
  for (const node of ['r12-01', 'r12-02'])
    all.writer().networkIs(node, {
      ...aNetwork([]),
      status: { conditions: [{ type: RELEASES, status: 'True', reason: 'OfEveryPod', lastTransitionTime: '2026-11-27T00:00:00Z' }] },
    });
  all.api.createPod(gated('a'));
  all.run(3);
  const [ip] = Object.keys(all.ofPod('a')) as [string];
  expect(all.ip(ip)).toMatchObject({
    spec: { phase: 'Locked' },
    status: { conditions: [{ type: 'Wired', status: 'Unknown', reason: 'Given' }] },
  });
  all.api.remove('Pod', 'feed/a');
  all.run(3);
  expect(all.ip(ip)?.spec.phase).toBe('Locked');
  all.says(ip, 'Wired', 'False');
  all.run(3);
  expect(all.ip(ip)?.spec.phase).toBe('Held');
});
