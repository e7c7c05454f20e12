/** Addresses that another machine answers for, before a pod is wired with them. */
import { describe, expect, test } from '@jest/globals';
import { aLock, aPod, aUid, aVlan } from '../builders.ts';
import { aSmallCluster } from './a-small-cluster.ts';

const aNight = (more: object = {}) => ({ ...aLock('night').spec, count: 2, ttlSeconds: 3_600, ...more });

function aReadyLock(options: Parameters<typeof aSmallCluster>[0] = {}, spec: object = {}) {
  const all = aSmallCluster(options);
  all.api.createLock('feed/night', aNight(spec));
  all.run(3);
  return all;
}

describe('L18 a slot whose address another machine answers for', () => {
  test('has another address of its node at once; the old one is Quarantined, and who answered is told', () => {
    const all = aReadyLock();
    const [first, second] = all.slots('night');
    all.says(first?.address ?? '', 'Probed', 'Conflict');
    all.run(3);
    expect(all.slots('night')).toEqual([{ ...first, address: '10.110.0.12' }, second]);
    expect(all.ip('10.110.0.12')?.spec).toMatchObject({ phase: 'Locked', node: first?.node, lock: { name: 'night' } });
    expect(all.ip(first?.address ?? '')?.spec.phase).toBe('Quarantined');
    const said = `${first?.address} on node ${first?.node} is Quarantined: 3c:fd:fe:11:22:33 answers for it. Nobody gets ${first?.address} before it is let go: find that machine, then gala ips free ${first?.address}`;
    expect(all.events('AddressConflict')).toEqual([`IPLock ${first?.address}: ${said}`, `Lock feed/night: ${said}`]);
    expect([...all.writer().inventory.promises()]).toEqual([]);
  });

  test('while the Lock is being planned is not waited for: it is Ready without that address', () => {
    const all = aSmallCluster();
    all.api.createLock('feed/night', aNight());
    for (let tries = 0; all.ip('10.110.0.10') === undefined && tries < 20; tries++) all.run(0.2);
    all.says('10.110.0.10', 'Probed', 'Conflict');
    all.run(3);
    expect(all.lock('night')?.status?.phase).toBe('Ready');
    expect(all.slots('night').map(({ address }) => address)).not.toContain('10.110.0.10');
    expect(all.ip('10.110.0.10')?.spec.phase).toBe('Quarantined');
  });

  test.each([
    [{ node: 1 }, 2],
    [{ rack: 1 }, 1],
    [{ rack: '50%' }, 1],
    [{}, 2],
  ])('moves to another node where its own has no address, within the caps of its Lock: %j', (maxPer, slots) => {
    const vlans = [aVlan(110, 1, { racks: ['r12'] }), aVlan(120, 3, { racks: ['r13'] })];
    const all = aReadyLock({ vlans, racks: { r12: ['r12-01'], r13: ['r13-01', 'r13-02'] } }, { maxPer });
    expect(all.slots('night').map(({ address }) => address)).toEqual(['10.110.0.10', '10.120.0.10']);
    all.says('10.110.0.10', 'Probed', 'Conflict');
    all.run(3);
    expect(all.slots('night')).toHaveLength(slots);
    expect(new Set(all.slots('night').map(({ node }) => node)).size).toBe(slots);
    for (const { address = '', node } of all.slots('night')) expect(all.ip(address)?.spec).toMatchObject({ phase: 'Locked', node });
  });

  test('goes elsewhere together with many others of its node, some at a time', () => {
    const vlans = [aVlan(110, 20, { racks: ['r12'] }), aVlan(120, 20, { racks: ['r13'] })];
    const hosts = (rack: string) => Array.from({ length: 5 }, (_, at) => `${rack}-0${at + 1}`);
    const all = aReadyLock({ vlans, racks: { r12: hosts('r12'), r13: hosts('r13') } }, { count: 20 });
    const before = all.slots('night');
    const ofRack = before.filter(({ address = '' }) => address.startsWith('10.110.')).map(({ address = '' }) => address);
    expect(ofRack).toHaveLength(10);
    // All that are free there are taken as well.
    for (let last = 10; last < 30; last++)
      if (!ofRack.includes(`10.110.0.${last}`)) all.stored(`10.110.0.${last}`, { phase: 'Quarantined', owner: 'feed/others' });
    all.run(1);
    for (const ip of ofRack) all.says(ip, 'Probed', 'Conflict');
    all.run(10);
    const after = all.slots('night');
    expect(after.length).toBe(20);
    expect(new Set(after.map(({ address }) => address)).size).toBe(20);
    for (const { address = '', node } of after) {
      expect(address).toMatch(/^10\.120\./);
      expect(all.ip(address)?.spec).toMatchObject({ phase: 'Locked', node });
    }
    expect([...all.writer().inventory.promises()]).toEqual([]);
  });

  test('is no slot any more where no address is free, and the Lock says why it has one less', () => {
    const all = aReadyLock({ addresses: 3, racks: { r12: ['r12-01', 'r12-02', 'r12-03'] } }, { count: 3, maxPer: { node: 1 } });
    const [first] = all.slots('night');
    all.says(first?.address ?? '', 'Probed', 'Conflict');
    all.run(3);
    expect(all.slots('night')).toHaveLength(2);
    expect(all.lock('night')?.status?.reasons).toEqual([
      { reason: 'AddressConflict', nodes: 1, message: 'other machines answer for addresses of its slots, and no other address was free' },
    ]);
  });

  test('with a pod that is pinned and not wired: the pod has another address of the same node, and the slot lists it', () => {
    const all = aReadyLock();
    all.api.createPod(aPod({ name: 'a', uid: aUid(), lock: 'night', gated: true }));
    all.run(3);
    const [[ip = ''] = []] = Object.entries(all.ofPod('a'));
    const node = all.ip(ip)?.spec.node;
    all.says(ip, 'Probed', 'Conflict');
    all.run(3);
    const now = all.ofPod('a');
    expect(now).toEqual({ [ip]: 'Quarantined', '10.110.0.12': 'Locked' });
    expect(all.ip('10.110.0.12')?.spec).toMatchObject({ node, podUID: all.pod('a')?.uid, lock: { name: 'night' } });
    expect(all.slots('night').map(({ address }) => address)).toContain('10.110.0.12');
    expect(all.events('AddressConflict')).toContainEqual(expect.stringMatching(/^Pod feed\/a: /));
    all.run(100);
    expect(all.ofPod('a')).toEqual(now);
  });

  test('with a pod that is wired stays as it is: what was looked for before is past', () => {
    const all = aReadyLock();
    all.api.createPod(aPod({ name: 'a', uid: aUid(), lock: 'night', gated: true }));
    all.run(3);
    const { ip } = all.wire('a');
    all.says(ip, 'Probed', 'Conflict');
    all.run(30);
    expect(all.ofPod('a')).toEqual({ [ip]: 'Bound' });
  });
});

describe('P18 a loose pod whose address another machine answers for', () => {
  function aLoosePod(addresses = 8) {
    const all = aSmallCluster({ addresses });
    all.api.createPod(aPod({ name: 'a', uid: aUid(), gated: true }));
    all.run(3);
    const [[ip = ''] = []] = Object.entries(all.ofPod('a'));
    return { all, ip };
  }

  test.each([false, true])('has another one of its node, be it bound yet (%s) or not', (isBound) => {
    const { all, ip } = aLoosePod();
    const { pinned: node } = all.pod('a') ?? {};
    if (isBound) all.api.change('Pod', 'feed/a', (it) => ({ ...it, node }));
    all.says(ip, 'Probed', 'Conflict');
    all.run(3);
    expect(all.ofPod('a')).toEqual({ [ip]: 'Quarantined', '10.110.0.11': 'Locked' });
    expect(all.ip('10.110.0.11')?.spec).toMatchObject({ node, owner: 'feed/a' });
    all.run(100);
    expect(all.ofPod('a')).toEqual({ [ip]: 'Quarantined', '10.110.0.11': 'Locked' });
    expect([...all.writer().inventory.promises()]).toEqual([]);
  });

  test('and whose node has no other is told so, and gets the next one that is freed', () => {
    const { all, ip } = aLoosePod(2);
    all.api.createPod(aPod({ name: 'b', uid: aUid(), gated: true }));
    all.run(3);
    all.says(ip, 'Probed', 'Conflict');
    all.run(30);
    expect(all.events('AddressConflict')).toContainEqual(
      expect.stringMatching(/^Pod feed\/a: somebody else answers for its address .* no other that is free/),
    );
    all.api.remove('Pod', 'feed/b');
    all.run(700);
    expect(all.ofPod('a')).toEqual({ [ip]: 'Quarantined', '10.110.0.11': 'Locked' });
  });

  test('behind the gate is placed anew', () => {
    const all = aSmallCluster();
    all.api.createPod(aPod({ name: 'a', uid: aUid(), gated: true }));
    for (let tries = 0; all.ip('10.110.0.10') === undefined && tries < 20; tries++) all.run(0.2);
    all.says('10.110.0.10', 'Probed', 'Conflict');
    all.run(3);
    expect([all.pod('a')?.gated, Object.values(all.ofPod('a')).sort()]).toEqual([false, ['Locked', 'Quarantined']]);
  });
});

test('S20 a Quarantined address that a person lets go is given out again, and no sooner', () => {
  const all = aReadyLock({ addresses: 3 });
  const [first] = all.slots('night');
  const ip = first?.address ?? '';
  all.says(ip, 'Probed', 'Conflict');
  all.run(3);
  all.api.createLock('feed/more', { ...aNight(), count: 1 });
  all.run(3);
  expect(all.lock('more')?.status?.phase).toBe('Failed');
  all.annotate(ip, { 'gala.internal/free': 'true' });
  all.run(1);
  expect(all.ip(ip)).toBeUndefined();
  all.api.createLock('feed/again', { ...aNight(), count: 1 });
  all.run(3);
  expect(all.slots('again').map(({ address }) => address)).toEqual([ip]);
});

test('L19 a Held address of a slot that a person lets go takes the slot with it', () => {
  const all = aReadyLock({}, { holdSeconds: 0 });
  all.api.createPod(aPod({ name: 'a', uid: aUid(), lock: 'night', gated: true }));
  all.run(3);
  const [[ip = ''] = []] = Object.entries(all.ofPod('a'));
  all.api.remove('Pod', 'feed/a');
  all.run(3);
  expect(all.ip(ip)?.spec.phase).toBe('Held');
  all.annotate(ip, { 'gala.internal/free': 'true' });
  all.run(3);
  expect([all.ip(ip), all.slots('night').length]).toEqual([undefined, 1]);
});

describe('L20 the condition Probed of a Lock', () => {
  const probed = (all: ReturnType<typeof aSmallCluster>) => all.lock('night')?.status?.conditions?.find(({ type }) => type === 'Probed');
  test('says whether all addresses that wait for a pod were looked for; without agents that look there is none', () => {
    const all = aReadyLock();
    expect(probed(all)).toBeUndefined();
    const [first = '', second = ''] = all.slots('night').map(({ address }) => address);
    all.says(first, 'Probed', 'True');
    all.run(3);
    expect(probed(all)).toMatchObject({
      status: 'Unknown',
      reason: 'Probing',
      message: '1 of 2 addresses that wait for a pod were looked for',
    });
    all.says(second, 'Probed', 'True');
    all.run(3);
    expect(probed(all)).toMatchObject({ status: 'True', reason: 'Free' });
  });

  test('is not True while the address that came in place of another one is not looked for', () => {
    const all = aReadyLock();
    const [first = '', second = ''] = all.slots('night').map(({ address }) => address);
    all.says(second, 'Probed', 'True');
    all.says(first, 'Probed', 'Conflict');
    all.run(5);
    expect(probed(all)).toMatchObject({ status: 'Unknown' });
    all.says('10.110.0.12', 'Probed', 'True');
    all.run(3);
    expect(probed(all)).toMatchObject({ status: 'True' });
  });

  test('is False where a gateway is silent, which an event of the Lock tells once; nothing is Quarantined', () => {
    const all = aReadyLock();
    for (const { address = '' } of all.slots('night')) all.says(address, 'Probed', 'GatewaySilent');
    all.run(5);
    const [first] = all.slots('night');
    const message = `${first?.address} on ${first?.node}: the gateway does not answer. And 1 more.`;
    expect(probed(all)).toMatchObject({ status: 'False', reason: 'GatewaySilent', message });
    expect(all.events('GatewaySilent')).toEqual([`Lock feed/night: ${message}`]);
    expect(all.ip(first?.address ?? '')?.spec.phase).toBe('Locked');
  });

  test('is Unknown where a machine answers for every address: nothing is Quarantined, no slot moves, and its pods have them', () => {
    const all = aReadyLock();
    const before = all.slots('night');
    const [first = '', second = ''] = before.map(({ address }) => address);
    all.says(first, 'Probed', 'AnsweredForAll');
    all.says(second, 'Probed', 'True');
    all.run(5);
    expect(probed(all)).toMatchObject({ status: 'Unknown', reason: 'AnsweredForAll' });
    expect([all.slots('night'), all.ip(first)?.spec.phase]).toEqual([before, 'Locked']);
    all.says(first, 'Probed', 'GatewaySilent');
    all.says(second, 'Probed', 'AnsweredForAll');
    all.run(5);
    expect(probed(all)).toMatchObject({ status: 'False', reason: 'GatewaySilent' });
  });

  test('a pod whose gateway is silent is told, once', () => {
    const all = aReadyLock();
    all.api.createPod(aPod({ name: 'a', uid: aUid(), lock: 'night', gated: true }));
    all.run(3);
    const [[ip = ''] = []] = Object.entries(all.ofPod('a'));
    all.says(ip, 'Probed', 'GatewaySilent');
    all.run(30);
    expect(all.events('GatewaySilent').filter((said) => said.startsWith('Pod feed/a'))).toHaveLength(1);
  });
});
