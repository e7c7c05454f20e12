import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PROBED, WIRED } from '../../lib/api/network.ts';
import { addressOfTwin, placeOf } from '../../lib/cli/address-place.ts';
import { ipv4In, twinOf } from '../../lib/cli/ip-text.ts';
import { type Clues, type IPLockSeen, whoHas, whoText } from '../../lib/cli/who-text.ts';

const NOW = Date.parse('2027-02-16T20:00:00Z');
const ADDRESS = '10.110.2.37';
const POOLS = [
  {
    metadata: { name: 'web' },
    spec: {
      shape: 'intranet' as const,
      locks: 'hard' as const,
      intranet: {
        trunk: 'bond0',
        macsPerPort: 64,
        racks: [{ name: 'r12', hosts: 'bj-a-r12-[01-10]' }],
        vlans: [
          { id: 110, subnet: '10.110.0.0/22', gateway: '10.110.0.1', addresses: '10.110.1.0-10.110.2.223' },
          {
            id: 130,
            subnet: '10.130.0.0/24',
            gateway: '10.130.0.1',
            addresses: '10.130.0.64-10.130.0.183',
            racks: ['r12'],
            namespaces: ['ads'],
          },
        ],
      },
    },
  },
];
const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const ipLock = (spec: Partial<IPLockSeen['spec']> = {}): IPLockSeen => ({
  metadata: {
    name: ADDRESS,
    creationTimestamp: '2027-02-13T16:00:00Z',
    annotations: { 'gala.internal/pod': 'feed-api-0611' },
    managedFields: [{ time: '2027-02-13T16:00:00Z' }, { time: '2027-02-16T19:51:00Z' }],
  },
  spec: {
    phase: 'Bound',
    node: 'bj-a-r12-03',
    mac: '02:67:0a:6e:02:25',
    owner: 'feed/feed-api',
    lock: { namespace: 'feed', name: 'feed-api-1188' },
    podUID: UID,
    ...spec,
  },
});
const POD = {
  namespace: 'feed',
  name: 'feed-api-0611',
  uid: UID,
  node: 'bj-a-r12-03',
  slot: '17',
  lock: 'feed-api-1188',
  startedAt: '2027-02-16T19:50:30Z',
};

const say = (clues: Partial<Clues>, address = ADDRESS) => {
  const place = placeOf(address, POOLS, []);
  return whoText(whoHas({ address, ...(place && { place }), ...clues }), NOW);
};

test('a Bound address tells pod, node, MAC, owner, Lock and since when', () => {
  expect(say({ ipLock: ipLock(), pod: POD })).toBe(`10.110.2.37   VLAN 110 of web
  state   Bound: wired in its pod, 9 m
  pod     feed/feed-api-0611, started 9 m 30 s ago
  node    bj-a-r12-03
  MAC     02:67:0a:6e:02:25
  owner   feed/feed-api
  lock    feed/feed-api-1188, slot 17
  taken   since 2027-02-13T16:00:00Z, 3 d 4 h`);
});

test('a Held address says for whom it waits, and has no pod', () => {
  const text = say({ ipLock: ipLock({ phase: 'Held', podUID: undefined }) });
  expect(text).toContain("  state   Held: for its owner's next pod; nobody else gets it, 9 m\n  node ");
  expect(text).toContain('  owner   feed/feed-api');
});

test('of a pod that is gone the name is still told; a new one of its name is another', () => {
  expect(say({ ipLock: ipLock() })).toContain('pod     feed/feed-api-0611, which is gone');
  expect(say({ ipLock: ipLock(), pod: { ...POD, uid: 'another' } })).toContain('pod     feed/feed-api-0611, which is gone');
});

test.each([
  ['Free', '10.110.2.1', 'Free: no IPLock of this name'],
  ['the network team’s', '10.110.0.9', 'not for pods: the definition leaves it to the network team'],
  ['nobody’s', '10.9.9.9', 'Unknown: in no VLAN or ENI of a pool, on no node and no pod'],
])('an address that is %s says so', (_what, address, says) => {
  expect(say({}, address)).toContain(says);
});

test('an address of another CNI is its pod’s, that of a node the node’s own', () => {
  expect(say({ pod: POD }, '10.9.9.9')).toContain("  state   a pod's, given by another CNI\n  pod     feed/feed-api-0611");
  expect(say({ node: 'cp1' }, '10.9.9.9')).toBe("10.9.9.9\n  state   the node's own\n  node    cp1");
});

test('a VLAN of some racks and namespaces says which', () => {
  expect(say({}, '10.130.0.70')).toMatch(/^10\.130\.0\.70 {3}VLAN 130 of web, trunked to r12, for ads\n/);
});

test('an ENI’s address belongs to its instance', () => {
  const slot = {
    networkCardIndex: 0,
    deviceIndex: 1,
    eniId: 'eni-0a1',
    mac: '06:3f:aa:00:00:01',
    ip: '10.16.4.21',
    subnetId: 'subnet-0d1',
  };
  const networks = [{ metadata: { name: 'i-1' }, spec: { pool: 'burst', providerID: 'aws:///a/i-1', eniSlots: [slot] } }];
  expect(placeOf('10.16.4.21', [], networks)).toEqual({
    is: 'eni',
    pool: 'burst',
    node: 'i-1',
    eniId: 'eni-0a1',
    mac: '06:3f:aa:00:00:01',
  });
});

const saying = (type: string, status: 'True' | 'False', reason: string, message?: string) => ({
  ...{ type, status, reason, lastTransitionTime: '2027-02-16T19:58:00Z' },
  ...(message && { message }),
});

test('whether it is wired, and what a probe found, is told as the agent of its node says it', () => {
  const conditions = [saying(WIRED, 'True', 'OnTheNode', 'A link of the node has it.'), saying(PROBED, 'True', 'Free', 'nobody answers')];
  expect(say({ ipLock: { ...ipLock(), status: { conditions } }, pod: POD })).toContain(`
  MAC      02:67:0a:6e:02:25
  wired    yes, 2 m
  probed   Free, 2 m
  owner    feed/feed-api
`);
});

test('one whose link is gone is Bound and no longer wired', () => {
  const text = say({ ipLock: { ...ipLock(), status: { conditions: [saying(WIRED, 'False', 'TakenDown')] } } });
  expect(text).toContain('  state   Bound: its pod was wired, and is no longer, 9 m\n');
  expect(text).toContain('  wired   no longer, 2 m\n');
});

test('of a Quarantined one it is told who else answers, and what frees it', () => {
  const conditions = [saying(PROBED, 'False', 'Conflict', '3c:fd:fe:11:22:33 answers for it.')];
  const text = say({ ipLock: { ...ipLock({ phase: 'Quarantined', podUID: undefined }), status: { conditions } } });
  expect(text).toContain(
    '  state    Quarantined: another machine answers for it, and no pod gets it; find that one, then gala ips free 10.110.2.37, 9 m\n',
  );
  expect(text).toContain('  probed   Conflict, 2 m: 3c:fd:fe:11:22:33 answers for it.\n');
});

const PREFIX = 'fd2c:7a41:d0e8:110::/96';
const [WEB] = POOLS;
const { intranet, ...rest } = WEB!.spec;
const DUAL = [
  { ...WEB!, spec: { ...rest, intranet: { ...intranet, vlans: intranet.vlans.map((vlan) => ({ ...vlan, ipv6Prefix: PREFIX })) } } },
];

test('the IPv6 address of a pod leads to the IPv4 one, however it is written', () => {
  for (const ipv6 of ['fd2c:7a41:d0e8:110::a6e:225', 'FD2C:7A41:D0E8:0110:0:0:0A6E:0225', 'fd2c:7a41:d0e8:110::10.110.2.37'])
    expect(addressOfTwin(ipv6, DUAL)).toBe(ADDRESS);
  const place = placeOf(ADDRESS, DUAL, []);
  expect(whoText(whoHas({ address: ADDRESS, ...(place && { place }), ipLock: ipLock(), pod: POD }), NOW)).toContain(
    '\n  IPv6    fd2c:7a41:d0e8:110::a6e:225\n',
  );
});

test('an IPv6 address of no VLAN is bad input, with the prefixes that there are', () => {
  expect(() => addressOfTwin('fd00::1', DUAL)).toThrow(
    'fd00::1: it is no IPv6 address of a pod: those of pods are in fd2c:7a41:d0e8:110::/96 (VLAN 110 of web), ',
  );
  expect(() => addressOfTwin('fd00::1', POOLS)).toThrow('no VLAN has an ipv6Prefix. Name the IPv4 address, or the pod.');
});

test('every IPv4 address is in its IPv6 one, and in that of no other prefix', () =>
  fc.assert(
    fc.property(fc.ipV4(), (ipv4) => {
      expect(ipv4In(PREFIX, twinOf(PREFIX, ipv4))).toBe(ipv4);
      expect(ipv4In('fd2c:7a41:d0e8:111::/96', twinOf(PREFIX, ipv4))).toBeUndefined();
    }),
  ));
