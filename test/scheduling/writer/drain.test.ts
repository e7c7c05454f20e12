/** What becomes of addresses when a node is cordoned and drained, and where people want them elsewhere. */
import { describe, expect, test } from '@jest/globals';
import { OUT_OF_SERVICE } from '../../../lib/api/network.ts';
import { LATE_MS } from '../../../lib/scheduling/writer/sweep.ts';
import { aLock, aPod, aTemplate, aUid, aVlan } from '../builders.ts';
import { aSmallCluster } from './a-small-cluster.ts';

const gated = (name: string, lock?: string) => aPod({ name, uid: aUid(), gated: true, ...(lock === undefined ? {} : { lock }) });
/** Until nothing that a former lock writer wrote can still come. */
const LATE = LATE_MS / 1_000;

type Small = ReturnType<typeof aSmallCluster>;
const aNight = (all: Small, spec: object = {}) =>
  all.api.createLock('feed/night', { ...aLock('night').spec, count: 1, ttlSeconds: 3_600, ...spec });

/** A pod that is wired, on a node that is cordoned then, and deleted. */
function drained({
  lock,
  spec = {},
  all = aSmallCluster(),
  tolerant,
}: {
  lock?: string;
  spec?: object;
  all?: Small;
  tolerant?: true;
} = {}) {
  all.run(LATE);
  const pod = () => ({ ...gated('batch', lock), ...(tolerant && { demand: { ...gated('batch', lock).demand, tolerations: TOLERANT } }) });
  if (lock !== undefined) aNight(all, spec);
  all.run(3);
  all.api.createPod(pod());
  all.run(3);
  const { ip, node } = all.wire('batch');
  all.run(2);
  all.find(node, { unschedulable: true });
  all.api.remove('Pod', 'feed/batch');
  all.api.createPod(pod());
  all.run(3);
  return { all, ip, node };
}
const TOLERANT = [{ operator: 'Exists' as const }];

test('D1 a loose pod of a drained node has the same address on another node, and not before its node says that it is taken down', () => {
  const { all, ip, node } = drained();
  expect(all.pod('batch')?.gated).toBe(true);
  expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Bound', node });
  all.says(ip, 'Wired', 'False');
  all.run(4);
  expect(all.pod('batch')?.gated).toBe(false);
  expect(all.pod('batch')?.pinned).not.toBe(node);
  expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node: all.pod('batch')?.pinned, podUID: all.pod('batch')?.uid });
});

describe('the slot of a Lock whose node is drained', () => {
  test('D2 goes to another node of the VLAN, and its next pod has the same address there: not before its node says that it is taken down', () => {
    const { all, ip, node } = drained({ lock: 'night' });
    expect(all.slots('night')).toMatchObject([{ node, address: ip }]);
    expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Bound', node });
    all.says(ip, 'Wired', 'False');
    all.run(4);
    const { gated, pinned, uid } = all.pod('batch')!;
    expect({ gated, elsewhere: pinned !== node }).toEqual({ gated: false, elsewhere: true });
    expect(all.slots('night')).toMatchObject([{ node: pinned, address: ip }]);
    expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node: pinned, podUID: uid, lock: { name: 'night' } });
  });

  test('D2 goes where no other address is free, for it brings its own', () => {
    const { all, ip, node } = drained({ lock: 'night', all: aSmallCluster({ addresses: 1 }) });
    all.says(ip, 'Wired', 'False');
    all.run(4);
    expect(all.pod('batch')).toMatchObject({ gated: false, pinned: all.slots('night')[0]?.node });
    expect(all.ip(ip)?.spec.node).not.toBe(node);
  });

  test('D2 that never had a pod goes too, and its address is made anew there', () => {
    const all = aSmallCluster();
    all.run(LATE);
    aNight(all);
    all.run(3);
    const { node, address = '' } = all.slots('night')[0]!;
    all.find(node, { unschedulable: true });
    all.run(4);
    const [after] = all.slots('night');
    expect(after).toMatchObject({ address });
    expect(after?.node).not.toBe(node);
    expect(all.ip(address)?.spec).toMatchObject({ phase: 'Locked', node: after?.node, lock: { name: 'night' } });
  });

  test('D2 stays as long as no other node of its VLAN has room, and goes as soon as one has', () => {
    const all = aSmallCluster();
    all.find('r12-01', { unschedulable: true });
    const { ip, node } = drained({ lock: 'night', all });
    all.says(ip, 'Wired', 'False');
    all.run(20);
    expect(all.slots('night')).toMatchObject([{ node, address: ip, held: true }]);
    expect(all.events('SlotsRejectPod')).toHaveLength(1);
    all.find('r12-01');
    all.run(15);
    expect(all.pod('batch')).toMatchObject({ gated: false, pinned: 'r12-01' });
    expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node: 'r12-01' });
  });

  test('D2 keeps to the nodes that its VLAN is trunked to', () => {
    const vlans = [aVlan(110, 8, { racks: ['r12'] })];
    const all = aSmallCluster({ vlans, racks: { r12: ['r12-01', 'r12-02'], r13: ['r13-01'] } });
    const { ip, node } = drained({ lock: 'night', all });
    all.find(node === 'r12-01' ? 'r12-02' : 'r12-01', { unschedulable: true });
    all.says(ip, 'Wired', 'False');
    all.run(20);
    expect(all.slots('night')).toMatchObject([{ node, address: ip }]);
  });

  test('D2 keeps to the caps of its Lock', () => {
    const all = aSmallCluster();
    all.run(LATE);
    aNight(all, { count: 2, maxPer: { node: 1 } });
    all.run(3);
    const before = all.slots('night');
    all.find('r12-01', { unschedulable: true });
    all.run(20);
    expect(all.slots('night')).toEqual(before);
  });

  test('D3 stays on its node where it is to wait: its next pod waits too, and has the same address when the node is back', () => {
    const { all, ip, node } = drained({ lock: 'night', spec: { moveOnDrain: 'wait' } });
    all.says(ip, 'Wired', 'False');
    all.run(4);
    expect(all.pod('batch')?.gated).toBe(true);
    expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Held', node, lock: { name: 'night' } });
    expect(all.events('SlotsRejectPod')).toHaveLength(1);
    all.find(node, { unschedulable: false });
    all.run(15);
    expect(all.pod('batch')).toMatchObject({ gated: false, pinned: node });
    expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node, podUID: all.pod('batch')?.uid });
  });

  test('D4 is replaced where it says so: another address on another node, and the one it had is free', () => {
    const { all, ip, node } = drained({ lock: 'night', spec: { moveOnDrain: 'replace' } });
    all.says(ip, 'Wired', 'False');
    all.run(5);
    expect(all.pod('batch')?.gated).toBe(false);
    expect(all.pod('batch')?.pinned).not.toBe(node);
    expect(all.slots('night')[0]?.address).not.toBe(ip);
    expect(all.ip(ip)).toBeUndefined();
  });

  test('D5 stays where its pods tolerate the cordon, as those of node agents do', () => {
    const template = aTemplate({ spec: { tolerations: TOLERANT } });
    const { all, ip, node } = drained({ lock: 'night', spec: { template, maxPer: { node: 1 } }, tolerant: true });
    all.says(ip, 'Wired', 'False');
    all.run(4);
    expect(all.pod('batch')).toMatchObject({ gated: false, pinned: node });
    expect(all.ip(ip)?.spec).toMatchObject({ phase: 'Locked', node });
  });

  test('D6 goes when the machine is known to be off, and not before: it may still run the pod', () => {
    const { all, ip, node } = drained({ lock: 'night' });
    all.find(node, { ready: false });
    all.run(20);
    expect(all.slots('night')).toMatchObject([{ node, address: ip }]);
    all.api.off.add(node);
    all.find(node, { ready: false, taints: [{ key: OUT_OF_SERVICE, value: 'nodeshutdown', effect: 'NoExecute' }] });
    all.run(70);
    expect(all.pod('batch')).toMatchObject({ gated: false, pinned: all.slots('night')[0]?.node });
    expect(all.slots('night')[0]).toMatchObject({ address: ip });
    expect(all.slots('night')[0]?.node).not.toBe(node);
  });

  test('D7 stays for as long as a former lock writer may still write to it', () => {
    const all = aSmallCluster();
    aNight(all);
    all.run(3);
    const { node } = all.slots('night')[0]!;
    all.find(node, { unschedulable: true });
    all.run(LATE - 4);
    expect(all.slots('night')[0]?.node).toBe(node);
    all.run(4);
    expect(all.slots('night')[0]?.node).not.toBe(node);
  });
});

describe('an address that a person wants elsewhere', () => {
  function held(racks: Readonly<Record<string, readonly string[]>> = { r12: ['r12-01', 'r12-02', 'r12-03'] }) {
    const all = aSmallCluster({ racks });
    all.run(LATE);
    aNight(all, { holdSeconds: 0 });
    all.run(3);
    all.api.createPod(gated('batch', 'night'));
    all.run(3);
    const { ip, node } = all.wire('batch');
    all.run(1);
    all.api.remove('Pod', 'feed/batch');
    all.says(ip, 'Wired', 'False');
    all.run(3);
    return { all, ip, node };
  }
  const ask = (all: Small, ip: string, to: string) => {
    all.annotate(ip, { 'gala.internal/move': to });
    all.run(3);
  };

  test('L21 goes to the node that is named, slot and all, and the request goes with it', () => {
    const { all, ip, node } = held();
    const to = ['r12-01', 'r12-02', 'r12-03'].findLast((one) => one !== node)!;
    ask(all, ip, to);
    expect(all.slots('night')).toMatchObject([{ node: to, address: ip, held: true }]);
    expect(all.ip(ip)).toMatchObject({ spec: { phase: 'Held', node: to }, metadata: { annotations: {} } });
    expect(all.ip(ip)?.metadata.annotations).not.toHaveProperty(['gala.internal/move']);
    all.api.createPod(gated('next', 'night'));
    all.run(3);
    expect(all.pod('next')).toMatchObject({ gated: false, pinned: to });
  });

  test('L21 goes to any other node where none is named', () => {
    const { all, ip, node } = held();
    ask(all, ip, '*');
    expect(all.ip(ip)?.spec.node).not.toBe(node);
    expect(all.slots('night')).toMatchObject([{ node: all.ip(ip)?.spec.node, address: ip }]);
    all.run(30);
    expect(all.writer().notes.filter((note) => note.note === 'log' && note.sentence === 'slot moved to another node')).toHaveLength(1);
  });

  test('L21 stays, and says so once, where the node that is named has no room; and goes when it has', () => {
    const { all, ip, node } = held();
    const to = ['r12-01', 'r12-02'].find((one) => one !== node)!;
    all.find(to, { unschedulable: true });
    ask(all, ip, to);
    all.run(30);
    expect(all.ip(ip)?.spec.node).toBe(node);
    expect(all.events('NotMoved')).toEqual([
      `IPLock ${ip}: ${to} does not have its VLAN, and room for a slot of Lock feed/night within its caps. ${ip} stays on ${node}, and is tried again; gala stock says what nodes lack.`,
    ]);
    all.find(to);
    all.run(12);
    expect(all.ip(ip)?.spec.node).toBe(to);
  });

  test('L21 stays where a node says that a pod has it, though no IPLock does', () => {
    const { all, ip, node } = held();
    all.writer().networkIs(node, {
      metadata: { name: node },
      spec: {},
      status: { wired: [{ ip, mac: '02:67:0a:6e:00:0a', pod: 'feed/ghost', podUID: aUid() }] },
    } as never);
    ask(all, ip, '*');
    expect(all.ip(ip)?.spec.node).toBe(node);
  });
});
