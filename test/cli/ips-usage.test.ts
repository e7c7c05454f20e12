/** What `gala ips` counts and lists, of books made by hand. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { POOL_LABEL, RACK_LABEL } from '../../lib/api/model.ts';
import { toAddress, toNumber } from '../../lib/api/range.ts';
import { addressBook, type BookFacts, takenOf } from '../../lib/cli/address-book.ts';
import { type Asked, rowsOf } from '../../lib/cli/ips-rows.ts';
import { type By, usageOf } from '../../lib/cli/ips-usage.ts';
import { usageText } from '../../lib/cli/ips-usage-text.ts';
import { type AnIPLockOptions, aNodeNetwork, anEc2Pool, anIPLock, aPool, aVlan } from '../scheduling/builders.ts';

/** VLAN 110: 10.110.0.10 to .25, everywhere; VLAN 130: 10.130.0.10 to .13, rack r13 and namespace ads only. */
const WEB = aPool('web', {
  racks: { r12: 'r12-[01-02]', r13: 'r13-01' },
  vlans: [aVlan(110, 16), aVlan(130, 4, { racks: ['r13'], namespaces: ['ads'] })],
  macsPerPort: 5,
});
const NODES = [
  ['r12-01', 'r12'],
  ['r12-02', 'r12'],
  ['r13-01', 'r13'],
].map(([name, rack]) => ({ name: name!, labels: { [POOL_LABEL]: 'web', [RACK_LABEL]: rack! } }));
const BURST = anEc2Pool();
const INSTANCE = { name: 'i-1', labels: { [POOL_LABEL]: 'burst', 'topology.kubernetes.io/zone': 'ap-northeast-1a' } };
const NETWORK = aNodeNetwork('i-1', ['10.16.4.21', '10.16.4.22']);

const book = (taken: readonly [string, AnIPLockOptions?][], more: Partial<BookFacts> = {}) =>
  addressBook({
    pools: [WEB, BURST],
    networks: [NETWORK],
    nodes: [...NODES, INSTANCE],
    taken: taken.map(([ip, options]) => takenOf(anIPLock(ip, options))),
    ...more,
  });
const rows = (by: By, taken: readonly [string, AnIPLockOptions?][] = [], only?: readonly string[]) => usageOf(book(taken), by, only).rows;
const list = (asked: Asked, taken: readonly [string, AnIPLockOptions?][] = []) => [...rowsOf(book(taken), asked)];

test('a VLAN and a subnet each have a row, with what is free first', () => {
  const taken: [string, AnIPLockOptions?][] = [
    ['10.110.0.10'],
    ['10.110.0.12', { phase: 'Held' }],
    ['10.130.0.11', { phase: 'Quarantined' }],
    ['10.16.4.21', { phase: 'Bound', node: 'i-1', podUID: 'u' }],
  ];
  const none = { locked: 0, bound: 0, held: 0, quarantined: 0 };
  expect(rows('vlan', taken)).toEqual([
    {
      ...{ ...none, pools: ['burst'], subnet: 'subnet-0d1', zone: 'ap-northeast-1a' },
      ...{ total: 2, free: 1, bound: 1, usedPercent: 50, firstFree: '10.16.4.22' },
    },
    {
      ...{ ...none, pools: ['web'], vlan: 110, range: '10.110.0.10-10.110.0.25' },
      ...{ total: 16, free: 14, locked: 1, held: 1, usedPercent: 13, firstFree: '10.110.0.11' },
    },
    {
      ...{ ...none, pools: ['web'], vlan: 130, range: '10.130.0.10-10.130.0.13' },
      ...{ total: 4, free: 3, quarantined: 1, usedPercent: 25, firstFree: '10.130.0.10' },
    },
  ]);
});

test('the gateway inside the range is nobody’s', () => {
  const pools = [aPool('web', { vlans: [aVlan(110, 4, { gateway: '10.110.0.11' })] })];
  const [row] = usageOf(book([['10.110.0.10']], { pools }), 'vlan').rows;
  expect(row).toMatchObject({ total: 3, free: 2, firstFree: '10.110.0.12' });
});

test('a VLAN that two pools describe alike is one row, and counts for each of them', () => {
  const pools = [aPool('ml', { vlans: [aVlan(110, 16)] }), aPool('web', { vlans: [aVlan(110, 16)] })];
  const shared = book([['10.110.0.10']], { pools, networks: [] });
  expect(usageOf(shared, 'vlan').rows).toMatchObject([{ pools: ['ml', 'web'], total: 16, free: 15 }]);
  expect(usageOf(shared, 'pool').rows).toMatchObject([
    { pools: ['ml'], total: 16, free: 15, locked: 1 },
    { pools: ['web'], total: 16, free: 15, locked: 1 },
  ]);
});

test('a rack reaches the VLANs that are trunked to it; the states are of what is on its hosts', () => {
  const taken: [string, AnIPLockOptions?][] = [['10.110.0.10'], ['10.110.0.11', { phase: 'Held', node: 'r13-01' }]];
  expect(rows('rack', taken, ['web'])).toMatchObject([
    { pools: ['web'], rack: 'r12', total: 16, free: 14, locked: 1, held: 0 },
    { pools: ['web'], rack: 'r13', total: 20, free: 18, locked: 0, held: 1 },
  ]);
  expect(rows('rack', taken, ['burst'])).toMatchObject([{ pools: ['burst'], zone: 'ap-northeast-1a', total: 2, free: 2 }]);
});

test('a node reaches at most one address a MAC on its port, an instance its own ENIs', () => {
  const on = (ip: string, phase: AnIPLockOptions['phase']): [string, AnIPLockOptions] => [ip, { phase, node: 'r12-01' }];
  const taken = [on('10.110.0.10', 'Locked'), on('10.110.0.11', 'Locked'), on('10.110.0.12', 'Held')];
  expect(rows('node', [...taken, ['10.16.4.22', { node: 'i-1' }]])).toMatchObject([
    { pools: ['burst'], node: 'i-1', total: 2, free: 1, locked: 1, firstFree: '10.16.4.21' },
    { node: 'r12-01', total: 5, free: 3, locked: 2, held: 1, macs: { used: 2, most: 5 } },
    { node: 'r12-02', total: 5, free: 5, macs: { used: 0, most: 5 } },
    { node: 'r13-01', total: 5, free: 5, rack: 'r13' },
  ]);
});

test('a node whose port shows more MACs than it has addresses has so many fewer free', () => {
  const seen = { ...aNodeNetwork('r12-01', [], 'web'), status: { macsInUse: 5 } };
  const [row] = usageOf(book([], { networks: [seen] }), 'node', ['web']).rows;
  expect(row).toMatchObject({ node: 'r12-01', free: 1, macs: { used: 4, most: 5 } });
});

test('what lies in no VLAN, or on a node that is gone, has a row of its own', () => {
  const stray = { pools: [], total: 0, free: 0, locked: 1 };
  expect(rows('vlan', [['10.9.9.9']]).at(-1)).toMatchObject(stray);
  expect(rows('pool', [['10.9.9.9']]).at(-1)).toMatchObject(stray);
  expect(rows('node', [['10.110.0.10', { node: 'r12-07' }]]).at(-1)).toMatchObject({ ...stray, node: 'r12-07' });
  expect(rows('rack', [['10.110.0.10', { node: 'r12-07' }]]).at(-1)).toMatchObject(stray);
});

test('where nodes may not be listed, pools and NodeNetworks say which there are', () => {
  const network = { ...aNodeNetwork('r13-01', [], 'web'), status: {} };
  const seen = book([['10.110.0.10', { node: 'r13-01' }]], { nodes: undefined, networks: [network] });
  expect(usageOf(seen, 'node').rows).toMatchObject([{ pools: ['web'], rack: 'r13', node: 'r13-01', locked: 1 }]);
});

test('a pool that another CNI wires has no addresses of Gala', () => {
  const pools = [aPool('web', { cni: 'calico' })];
  const seen = usageOf(book([], { pools, networks: [] }), 'vlan');
  expect(seen.rows).toEqual([]);
  expect(usageText(seen)).toMatch(/^No pool has addresses of Gala\./);
});

test('what is nearly full says who holds some, and how they come free', () => {
  const held = (from: number, count: number, owner: string): [string, AnIPLockOptions][] =>
    Array.from({ length: count }, (_, at) => [toAddress(toNumber('10.110.0.10') + from + at), { phase: 'Held', owner }]);
  const taken: [string, AnIPLockOptions?][] = [
    ...held(0, 9, 'feed/feed-old'),
    ...held(9, 5, 'shop/shop'),
    ['10.110.0.24', { phase: 'Quarantined' }],
  ];
  const usage = usageOf(book(taken), 'vlan');
  expect(usage.nearlyFull).toEqual([
    {
      ...{ pools: ['web'], vlan: 110, total: 16, free: 1, usedPercent: 94, quarantined: 1 },
      held: [
        { owner: 'feed/feed-old', addresses: 9 },
        { owner: 'shop/shop', addresses: 5 },
      ],
    },
  ]);
  expect(usageText(usage).split('\n').at(-1)).toBe(
    'VLAN 110 of web: 1 of 16 free. Held: 9 for feed/feed-old (gala ips free --held feed/feed-old), 5 for shop/shop (gala ips free --held shop/shop). Quarantined: 1 (gala ips list --quarantined).',
  );
});

test('where nothing is Held, the definition gives more', () => {
  const all: [string, AnIPLockOptions?][] = [
    ...book([])
      .blocks.find(({ vlan }) => vlan === 130)!
      .all(),
  ].map((address) => [toAddress(address)]);
  expect(
    usageText(usageOf(book(all), 'vlan'))
      .split('\n')
      .at(-1),
  ).toBe('VLAN 130 of web: 0 of 4 free. None is Held: give the VLAN more (pools.web.vlans.130.addresses), or the pool another VLAN.');
});

const anAddress = fc.integer({ min: 0, max: 15 }).map((at) => toAddress(toNumber('10.110.0.10') + at));
const someTaken = fc.uniqueArray(
  fc.tuple(anAddress, fc.record({ phase: fc.constantFrom('Locked' as const, 'Held' as const, 'Quarantined' as const) })),
  { selector: ([ip]) => ip },
);

test('every address of a VLAN is free or in one state, and 100 % is when none is free', () =>
  fc.assert(
    fc.property(someTaken, (taken) => {
      const row = rows('vlan', taken).find(({ vlan }) => vlan === 110)!;
      expect(row.free + row.locked + row.bound + row.held + row.quarantined).toBe(row.total);
      expect(row.usedPercent === 100).toBe(row.free === 0);
      expect(row.firstFree).toBe(list({ states: ['Free'], vlans: [110] }, taken)[0]?.address);
    }),
  ));

test('free ones and taken ones are all that there are, once each, lowest first', () =>
  fc.assert(
    fc.property(someTaken, (taken) => {
      const all = list({ states: ['Free', 'Locked', 'Bound', 'Held', 'Quarantined'], vlans: [110] }, taken).map(({ address }) => address);
      expect(all).toEqual(Array.from({ length: 16 }, (_, at) => toAddress(toNumber('10.110.0.10') + at)));
    }),
  ));

test('without a state those are listed that are taken', () => {
  const taken: [string, AnIPLockOptions?][] = [['10.110.0.11'], ['10.110.0.10', { phase: 'Held' }]];
  expect(list({}, taken).map(({ address, state }) => [address, state])).toEqual([
    ['10.110.0.10', 'Held'],
    ['10.110.0.11', 'Locked'],
  ]);
});

test('a node, pool, VLAN and namespace choose among those that are taken', () => {
  const taken: [string, AnIPLockOptions?][] = [
    ['10.110.0.10', { node: 'r13-01', owner: 'ads/bid' }],
    ['10.130.0.10', { node: 'r13-01' }],
    ['10.16.4.21', { node: 'i-1' }],
  ];
  const found = (asked: Asked) => list(asked, taken).map(({ address }) => address);
  expect(found({ nodes: ['r13-01'] })).toEqual(['10.110.0.10', '10.130.0.10']);
  expect(found({ pools: ['burst'] })).toEqual(['10.16.4.21']);
  expect(found({ vlans: [130] })).toEqual(['10.130.0.10']);
  expect(found({ namespaces: ['ads'] })).toEqual(['10.110.0.10']);
});

test('free ones of a node are those that it reaches, of a namespace those that its pods may have', () => {
  const vlansOf = (asked: Asked) => [...new Set(list({ states: ['Free'], pools: ['web'], ...asked }).map(({ vlan }) => vlan))];
  expect(vlansOf({ nodes: ['r12-01'] })).toEqual([110]);
  expect(vlansOf({ nodes: ['r13-01'] })).toEqual([110, 130]);
  expect(vlansOf({ nodes: ['r13-01'], namespaces: ['feed'] })).toEqual([110]);
  expect(vlansOf({ nodes: ['r13-01'], namespaces: ['ads'] })).toEqual([110, 130]);
  expect(list({ states: ['Free'], nodes: ['i-1'] })).toMatchObject([
    { address: '10.16.4.21', node: 'i-1', subnet: 'subnet-0d1' },
    { address: '10.16.4.22', node: 'i-1', mac: '06:00:00:00:00:02' },
  ]);
});

test('a row tells pod, Lock, when it was written and made, and what agents found out', () => {
  const bare = anIPLock('10.110.0.10', { phase: 'Bound', podUID: 'u', lock: 'feed-1188' });
  const condition = (type: string, status: 'True' | 'False', reason: string) => ({
    type,
    status,
    reason,
    lastTransitionTime: '2027-02-16T19:51:00Z',
  });
  const taken = takenOf({
    ...bare,
    metadata: {
      name: '10.110.0.10',
      creationTimestamp: '2027-02-13T16:00:00Z',
      annotations: { 'gala.internal/pod': 'feed-0611' },
      managedFields: [{ time: '2027-02-16T19:51:00Z' }, { time: '2027-02-13T16:00:00Z' }],
    },
    status: {
      conditions: [
        condition('Wired', 'True', 'Wired'),
        { ...condition('Probed', 'False', 'Conflict'), message: '3c:fd:fe:11:22:33 answers' },
      ],
    },
  });
  expect([...rowsOf(book([], { taken: [taken] }), {})]).toEqual([
    {
      ...{ address: '10.110.0.10', state: 'Bound', pools: ['web'], vlan: 110, node: 'r12-01', owner: 'feed/feed-api' },
      ...{ pod: 'feed/feed-0611', lock: 'feed/feed-1188', mac: '02:67:0a:6e:00:0a' },
      ...{ since: '2027-02-16T19:51:00.000Z', takenAt: '2027-02-13T16:00:00.000Z' },
      wired: { status: 'True', reason: 'Wired', since: '2027-02-16T19:51:00Z' },
      probed: { status: 'False', reason: 'Conflict', message: '3c:fd:fe:11:22:33 answers', since: '2027-02-16T19:51:00Z' },
    },
  ]);
});

test('ENIs of a definition are counted and have no address yet', () => {
  const planned = book([], { nameless: true });
  expect(usageOf(planned, 'vlan', ['burst']).rows).toMatchObject([{ subnet: 'subnet-0d1', zone: 'ap-northeast-1a', total: 2, free: 2 }]);
  expect(usageOf(planned, 'vlan', ['burst']).rows[0]).not.toHaveProperty('firstFree');
  expect([...rowsOf(planned, { states: ['Free'], pools: ['burst'] })]).toEqual([]);
});
