import { expect, test } from '@jest/globals';
import { RELEASES } from '../../../lib/api/network.ts';
import { nodeStatus, type StatusSeen } from '../../../lib/network/agent/node-status.ts';
import { troubleOf } from '../../../lib/network/agent/trouble.ts';
import { aLink } from '../wiring/an-ask.ts';

const NOW = new Date('2026-11-27T20:00:00.500Z');
const seen = (over: Partial<StatusSeen> = {}): StatusSeen => ({
  ...{
    trunk: 'bond0',
    links: [aLink('bond0'), aLink('bond0.110'), aLink('bond0.130', { carrier: false })],
    attachments: [],
    conflicts: [],
    wired: [],
    generation: 3,
    now: NOW,
  },
  ...over,
});

test('says the VLANs that are up, and the MACs behind the port, the own one included', () => {
  const attachments = [{ mac: '02:67:0a:6e:00:82' }, { mac: '02:67:0a:6e:00:83' }];
  expect(nodeStatus(seen({ attachments }))).toMatchObject({
    ...{ observedGeneration: 3, vlansUp: [110], macsInUse: 3 },
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: 'Wires', status: 'True', lastTransitionTime: '2026-11-27T20:00:00Z' }),
    ]),
  });
});

test('says that it tells of each address when nothing of it is left: the lock writer gives them on that', () => {
  expect(nodeStatus(seen())?.conditions).toContainEqual(expect.objectContaining({ type: RELEASES, status: 'True' }));
});

test('what stands there already is not written again, and a condition keeps its time', () => {
  const before = nodeStatus(seen());
  const later = new Date('2026-11-27T21:00:00Z');
  expect(nodeStatus(seen({ before, now: later }))).toBeUndefined();
  const troubled = nodeStatus(seen({ before, now: later, trouble: 'HostPool web is not there.' }));
  expect(troubled?.conditions?.filter(({ type }) => type !== RELEASES)).toEqual([
    {
      type: 'Wires',
      status: 'False',
      reason: 'Trouble',
      message: 'HostPool web is not there.',
      lastTransitionTime: '2026-11-27T21:00:00Z',
    },
  ]);
});

test('who answers for every address is named with the remedy, as long as it does, and taken back after', () => {
  const of = (status: ReturnType<typeof nodeStatus>) => status?.conditions?.find(({ type }) => type === 'AnsweredForAll');
  expect(of(nodeStatus(seen()))).toBeUndefined();
  const before = nodeStatus(seen({ everybody: new Map([[110, '3c:fd:fe:11:22:33']]) }));
  expect(of(before)).toMatchObject({
    status: 'True',
    message: expect.stringMatching(/^3c:fd:fe:11:22:33 answers for every address of VLAN 110.*Switch proxy ARP off/),
  });
  expect(of(nodeStatus(seen({ before })))).toMatchObject({ status: 'False', reason: 'Nobody' });
});

test('an instance on EC2 has no port of a switch', () => {
  const eni = { mac: '06:3f:aa:00:00:01', device: 'ens6' };
  expect(nodeStatus(seen({ trunk: undefined, attachments: [{ mac: eni.mac, eni }] }))).toMatchObject({ vlansUp: [], macsInUse: 0 });
});

const view = (over: object = {}) =>
  ({ node: 'h-r12-01', hasSynced: () => true, unread: () => [], network: () => ({ pool: 'web' }), pool: () => ({}), ...over }) as never;

test.each([
  ['a conflist that the runtime takes first', { foreign: '00-multus.conf' }, '00-multus.conf'],
  ['an API server that was not read', { view: view({ hasSynced: () => false, unread: () => ['iplocks'] }) }, 'iplocks'],
  ['a node without NodeNetwork', { view: view({ network: () => undefined }) }, 'gala.internal/pool'],
  ['a pool that is not there', { view: view({ pool: () => undefined }) }, 'HostPool web'],
])('%s is trouble, in words', (_, over, words) => {
  expect(troubleOf({ view: view(), foreign: undefined, confDir: '/etc/cni/net.d', ...over } as never)).toContain(words);
});
