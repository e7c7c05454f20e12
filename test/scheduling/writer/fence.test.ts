/** What is wired on a machine, as long as nobody knows that it is off. */
import { describe, expect, test } from '@jest/globals';
import { aLock, aPod, aUid } from '../builders.ts';
import { aSmallCluster } from './a-small-cluster.ts';

const aSet = { group: 'apps', kind: 'StatefulSet', name: 'redis', uid: 'set' };
const OUT_OF_SERVICE = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' };
const aNight = () => aLock('night').spec;
const anOrdinal = () => aPod({ name: 'redis-0', uid: aUid(), controller: aSet, gated: true });

/** Its pod is wired, and then deleted by force. */
function aForcedEnd() {
  const all = aSmallCluster();
  all.api.createPod(anOrdinal());
  all.run(3);
  const { uid = '' } = all.pod('redis-0') ?? {};
  const wired = all.wire('redis-0');
  all.run(1);
  all.api.remove('Pod', 'feed/redis-0');
  all.run(1);
  return { all, uid, ...wired };
}

describe('S17 an address whose pod was deleted by force', () => {
  test('is Held when the node says that it is wired no longer, and forgets that it was', () => {
    const { all, ip } = aForcedEnd();
    all.run(600);
    expect(all.ip(ip)?.spec.phase).toBe('Bound');
    all.says(ip, 'Wired', 'False');
    all.run(1);
    expect([all.ip(ip)?.spec.phase, all.ip(ip)?.status?.conditions]).toEqual(['Held', []]);
  });

  test('says why, on itself, once that has lasted a minute, and again before the event is forgotten', () => {
    const { all, ip, node, uid } = aForcedEnd();
    all.run(50);
    expect(all.events('AddressKept')).toEqual([]);
    all.run(20);
    const said = `IPLock ${ip}: its pod of feed/redis-0, UID ${uid}, is gone from the API; on node ${node}, its node has not said that it is wired no longer. Let the node come back, or see to it that the machine is off, and say so: gala fence ${node}`;
    expect(all.events('AddressKept')).toEqual([said]);
    all.run(1_830);
    expect(all.events('AddressKept')).toEqual([said, said]);
    expect(all.kept()).toHaveLength(1);
  });

  test('is the next pod’s once that one is unwired: it waits, and gets it on any node', () => {
    const { all, ip, node } = aForcedEnd();
    all.find(node, { ready: false });
    all.api.createPod(anOrdinal());
    all.run(30);
    expect(all.pod('redis-0')?.gated).toBe(true);
    expect(all.told()).toEqual([
      expect.stringContaining(`Node ${node} is not Ready, and its machine may still use the address. Let the node come back, or see to it`),
    ]);
    all.says(ip, 'Wired', 'False');
    all.run(3);
    expect([all.pod('redis-0')?.gated, all.ofPod('redis-0')]).toEqual([false, { [ip]: 'Locked' }]);
  });
});

describe('S18 a machine that a person says is off', () => {
  test('gives its addresses back by the taint of its Node, which is not Ready', () => {
    const { all, ip, node } = aForcedEnd();
    all.find(node, { ready: false });
    all.run(100);
    expect(all.ip(ip)?.spec.phase).toBe('Bound');
    all.api.off.add(node);
    all.find(node, { ready: false, taints: [OUT_OF_SERVICE] });
    all.run(1);
    expect(all.ip(ip)?.spec.phase).toBe('Held');
  });

  test('and is Ready all the same is not off: its agent speaks for itself', () => {
    const { all, ip, node } = aForcedEnd();
    all.find(node, { ready: true, taints: [OUT_OF_SERVICE] });
    all.run(100);
    expect(all.ip(ip)?.spec.phase).toBe('Bound');
  });

  test('gives them back where its Node is gone, by what is said on the address of that very pod', () => {
    const { all, ip, node, uid } = aForcedEnd();
    all.lose(node);
    all.annotate(ip, { 'gala.internal/fenced': aUid() });
    all.run(100);
    expect(all.ip(ip)?.spec.phase).toBe('Bound');
    all.api.off.add(node);
    all.annotate(ip, { 'gala.internal/fenced': uid });
    all.run(1);
    expect([all.ip(ip)?.spec.phase, all.ip(ip)?.metadata.annotations]).toEqual(['Held', { 'gala.internal/owner-kind': 'StatefulSet' }]);
  });

  test('keeps what a pod has whose object is still there', () => {
    const all = aSmallCluster();
    all.api.createPod(anOrdinal());
    all.run(3);
    const { ip, node } = all.wire('redis-0');
    all.find(node, { ready: false, taints: [OUT_OF_SERVICE] });
    all.run(100);
    expect(all.ip(ip)?.spec.phase).toBe('Bound');
  });
});

test('L13, S17 the slot of a Lock whose pod is still wired is nobody else’s, and is its next pod’s afterwards', () => {
  const all = aSmallCluster();
  all.api.createLock('feed/night', { ...aNight(), count: 1, holdSeconds: 10 });
  all.run(3);
  all.api.createPod(aPod({ name: 'a', uid: aUid(), lock: 'night', gated: true }));
  all.run(3);
  const { ip } = all.wire('a');
  all.run(1);
  all.api.remove('Pod', 'feed/a');
  all.api.createPod(aPod({ name: 'b', uid: aUid(), lock: 'night', gated: true }));
  all.run(100);
  expect([all.pod('b')?.gated, all.slots('night').length]).toEqual([true, 1]);
  all.says(ip, 'Wired', 'False');
  all.run(3);
  expect([all.pod('b')?.gated, all.ofPod('b')]).toEqual([false, { [ip]: 'Locked' }]);
});
