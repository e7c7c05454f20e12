/** What `gala stock` says of facts: screens small enough to read. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { notThere, withLaunches } from '../../lib/cli/not-there.ts';
import { type Facts, stockAnswer } from '../../lib/cli/stock-answer.ts';
import { type Source, type StockAnswer, stockText } from '../../lib/cli/stock-text.ts';
import { inventory } from '../../lib/scheduling/inventory.ts';
import type { Ask, Demand } from '../../lib/scheduling/types.ts';
import { aDemand, aLock, aNode, anEc2Pool, anIPLock, aPool, aVlan } from '../scheduling/builders.ts';
import { gala } from './gala.ts';

const HOSTS = ['r12-01', 'r12-02', 'r13-01', 'r13-02'];
const RACKS = { r12: 'r12-[01-02]', r13: 'r13-[01-02]' };

/** Four hosts of 60 CPUs in two racks behind one VLAN. */
function aCluster({ addresses = 32, bandwidth = '', hosts = HOSTS } = {}) {
  const all = inventory();
  all.set('HostPool', 'web', aPool('web', { racks: RACKS, vlans: [aVlan(110, addresses)], ...(bandwidth === '' ? {} : { bandwidth }) }));
  for (const name of hosts)
    all.set('Node', name, aNode(name, { pool: 'web', rack: name.slice(0, 3), hard: true, cpu: 60, memory: '240Gi' }));
  return all;
}

const FEED = { cpu: 2, memory: '4Gi', egress: '200M', owner: 'feed/feed-api' };
const DEFINITION: Source = { from: 'definition', name: 'hello' };
const CLUSTER: Source = { from: 'cluster', name: 'https://10.8.0.10:6443', by: 'library', ageSeconds: 0.4, samplesAgeSeconds: 11 };

interface Asking extends Partial<Omit<Ask, 'demand'>> {
  readonly demand?: Demand;
  readonly want?: number;
  readonly source?: Source;
  readonly revision?: string;
}
function answer(
  all: ReturnType<typeof aCluster>,
  { demand = aDemand(FEED), want, source = DEFINITION, revision, ...how }: Asking = {},
): StockAnswer {
  const question = { strategy: 'spread' as const, ...how };
  const of = <K extends 'HostPool' | 'NodeNetwork' | 'IPLock'>(kind: K) => [...all.objects(kind).values()];
  const facts: Facts = { terrain: all, hostPools: of('HostPool'), nodeNetworks: of('NodeNetwork'), ipLocks: of('IPLock') };
  const pods = {
    name: 'feed-api',
    namespace: 'feed',
    wants: Object.fromEntries(demand.requests),
    address: demand.address,
    ...(revision && { revision }),
  };
  return { pods, question, source, ...stockAnswer(facts, { demand, ...question }, want) };
}
const screen = (...args: Parameters<typeof answer>) => stockText(answer(...args));

test('of a definition one line says how many, where, and the next limit', () => {
  expect(screen(aCluster({ bandwidth: '25G' }))).toBe('32 fit (16 per rack). limited by addresses; cpu alone would allow 120');
});

test('what no host says is not counted, and that is said', () => {
  expect(screen(aCluster()).split('\n').slice(1)).toEqual(['Not counted, for no host says how much it has: egress.']);
});

test('racks that differ are told one by one', () => {
  expect(screen(aCluster({ addresses: 500, bandwidth: '25G', hosts: ['r12-01', 'r12-02', 'r13-01'] }))).toBe(
    '90 fit (r12 60, r13 30). limited by cpu; memory alone would allow 180',
  );
});

test('a spec that no host could ever take says which rule refuses it', () => {
  expect(screen(aCluster({ bandwidth: '25G' }), { demand: aDemand({ cpu: 128 }) })).toBe(
    [
      '0 fit. limited by cpu (4 hosts)',
      'No host could ever take such a pod, however empty: cpu on 4 hosts (asks 128, the largest has 60).',
    ].join('\n'),
  );
});

test('no host at all is told as such', () => {
  expect(screen(aCluster({ hosts: [], bandwidth: '25G' }))).toBe('0 fit: there is no host to count on');
});

test('of a cluster a table says it pool by pool, with ages, and who holds addresses', () => {
  const all = aCluster({ bandwidth: '25G' });
  all.set(
    'Lock',
    'shop/shop-1',
    aLock('shop-1', { namespace: 'shop', owner: 'shop', slots: [{ slot: 0, node: 'r12-01', address: '10.110.0.10' }] }),
  );
  all.set('IPLock', '10.110.0.10', anIPLock('10.110.0.10', { node: 'r12-01', owner: 'shop/shop', lock: 'shop-1' }));
  for (const ip of ['10.110.0.20', '10.110.0.21'])
    all.set('IPLock', ip, anIPLock(ip, { phase: 'Held', owner: 'feed/feed-old', lock: 'feed-old-1187' }));
  all.set('Node', 'cp1', aNode('cp1', { unschedulable: true }));
  expect(screen(all, { source: CLUSTER, revision: '1188', maxPer: { rack: '60%' }, near: 'bj-a' })).toBe(
    `snapshot 0.4 s old · live metrics 11 s old
feed-api rev 1188   cpu 2 · memory 4Gi · egress 200M · spread, at most 60 % per rack, bj-a first
  POOL      HOSTS   FIT NOW   LOCKED BY OTHERS   LIMITED BY (hosts)
  no pool   1       0         0                  cordoned 1
  web       4       29        1                  addresses 4
29 now.  More on web: 2 addresses are Held for feed/feed-old (gala unlock feed-old-1187 -n feed).`,
  );
});

test('pools without a Node say what they lack: a label, or a launch', async () => {
  const all = aCluster({ bandwidth: '25G' });
  all.set('HostPool', 'ml', aPool('ml'));
  all.set('HostPool', 'burst', anEc2Pool('burst', { bandwidth: '10G' }));
  const hostPools = [...all.objects('HostPool').values()];
  const found = answer(all, { source: CLUSTER, pools: undefined });
  const absent = await withLaunches(notThere(found.pools, hostPools), hostPools, aDemand(FEED));
  expect(absent).toEqual([{ pool: 'ml' }, { pool: 'burst', instances: 60, instanceType: 'c5.4xlarge', fit: 420 }]);
  expect(
    stockText({ ...found, notThere: absent })
      .split('\n')
      .slice(2),
  ).toEqual([
    '  POOL    HOSTS   FIT NOW   LOCKED BY OTHERS   LIMITED BY (hosts)',
    '  burst   0/60    +420      0                  not launched: 60 × c5.4xlarge',
    '  ml      0       0         0                  no hosts',
    '  web     4       32        0                  addresses 4',
    '32 now, 452 with EC2.',
    'ml has no hosts: no Node is labelled gala.internal/pool=ml. kubectl label node <node> gala.internal/pool=ml gives a host to it, with its addresses.',
  ]);
});

test('of a saved snapshot the file is named', () => {
  const source: Source = { from: 'snapshot', name: 'monday.json', ageSeconds: 7500 };
  expect(screen(aCluster(), { source })).toMatch(/^snapshot monday\.json 2 h 5 m old · no live metrics\n/);
});

test.each([
  [30, '30 are there.'],
  [40, '32 of 40 are there.'],
])('asked for %i it says whether they are there', (want, says) => {
  expect(
    screen(aCluster({ bandwidth: '25G' }), { want })
      .split('\n')
      .at(-1),
  ).toBe(says);
});

test('what it prints as JSON is plain data', () => {
  const found = answer(aCluster());
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

describe('of the definitions of this repository', () => {
  const ask = (...args: string[]) => gala('stock', '-f', 'examples/feed.yaml', ...args);
  const NO_DISK = 'Not counted, for no host says how much it has: ephemeral-storage.';

  test.each([
    [
      'hello',
      '768 fit (384 per rack). limited by addresses; cpu alone would allow 992',
      'Not counted, for no host says how much it has: ephemeral-storage, egress.',
    ],
    ['bj-a', '600 fit (150 per rack). limited by addresses; cpu alone would allow 1240', NO_DISK],
    ['cloud-a', '21 fit. limited by cpu; memory alone would allow 21', '420 with 57 more instances of EC2 launched.', NO_DISK],
    [
      'hybrid-a',
      '1080 fit (ml 480, web 600). limited by addresses; cpu alone would allow 4060',
      '1500 with 60 more instances of EC2 launched.',
      NO_DISK,
    ],
    ['prod-2', '0 fit: there is no host to count on'],
  ])('%s answers without a cluster', async (name, ...lines) => {
    expect(await ask('--definition', name)).toEqual({ code: 0, out: `${lines.join('\n')}\n`, err: '' });
  });

  test('a place can be thought away, and a pool asked for alone', async () => {
    expect((await ask('--definition', 'bj-a', '--without', 'rack=r14')).out).toMatch(/^600 fit \(200 per rack\)\. /);
    expect((await ask('--definition', 'hybrid-a', '--pool', 'ml')).out).toMatch(/^480 fit \(240 per rack\)\. /);
  });

  test('so many as are wanted are there, or exit code 3', async () => {
    expect(await ask('--definition', 'bj-a', '--count', '600')).toMatchObject({
      code: 0,
      out: expect.stringContaining('\n600 are there.\n'),
    });
    expect(await ask('--definition', 'bj-a', '--count', '601')).toMatchObject({
      code: 3,
      out: expect.stringContaining('\n600 of 601 are there.\n'),
    });
  });

  test('JSON and YAML say the same', async () => {
    const json = JSON.parse((await ask('--definition', 'bj-a', '-o', 'json')).out);
    expect(parse((await ask('--definition', 'bj-a', '-o', 'yaml')).out)).toEqual(json);
    expect(json).toMatchObject({
      source: { from: 'definition', name: 'bj-a' },
      count: 600,
      limit: 'addresses',
      pods: { name: 'feed-api', namespace: 'feed' },
    });
    expect(json.nodes).toHaveLength(40);
  });

  test('a percentage that is less than all on the racks that there are is told beside the number', async () => {
    const { code, out } = await ask('--definition', 'hello', '--max-per', 'rack=30%');
    expect([code, ...out.split('\n').slice(0, 2)]).toEqual([
      0,
      '4 fit (2 per rack). limited by cap a rack; addresses alone would allow 768',
      'rack=30% on 2 racks is less than all: never more than 4 can lie so, whatever is free. rack=50% or more does, or more racks.',
    ]);
    // What would be if a rack were dark is asked of the racks that are left.
    const dark = await ask('--definition', 'bj-a', '--max-per', 'rack=30%', '--count', '200', '--without', 'rack=r14');
    expect(dark).toMatchObject({
      code: 3,
      err: '',
      out: expect.stringMatching(/\n180 of 200 are there\.\nrack=30% on 3 racks is less than all: /),
    });
  });

  test('everything wrong with the question is told at once', async () => {
    expect(await ask('--definition', 'bj-a', '--count', '0', '--max-per', 'rak=3', '--snapshot', 'x.json')).toEqual({
      code: 2,
      out: '',
      err: [
        '--max-per rak=3: it is <place>=<cap>, where place is one of node, rack, zone, datacenter. For example rack=30%.',
        "--count is '0'; it is 1 to 5000, as many as one Lock takes. For example 200.",
        '--definition and --snapshot: facts come from one of the two. Leave one out.',
        '',
      ].join('\n'),
    });
  });

  test.each([
    ['an unknown pool', ['--definition', 'bj-a', '--pool', 'wbe'], "--pool wbe: no such pool; there are web. Did you mean 'web'?\n"],
    [
      'a datacenter that is not there',
      ['--definition', 'bj-a', '--near', 'bj-c'],
      "--near bj-c: no such datacenter; there are bj-a. Did you mean 'bj-a'?\n",
    ],
    [
      'a place that is not there',
      ['--definition', 'bj-a', '--without', 'rack=r41'],
      "--without 'rack=r41': no node is there. Did you mean 'r12'?\n",
    ],
    [
      'a percentage that is less than all on the racks that there are',
      ['--definition', 'hello', '--max-per', 'rack=30%', '--count', '200'],
      "--max-per rack: rack is '30%', which is 60 of 200; 2 racks could ever take these pods: 120 in all; on 2 racks a percentage is 50% or more. Ask for 50%, or add racks.\n",
    ],
    [
      'another namespace than the file’s',
      ['--definition', 'bj-a', '-n', 'ads'],
      '-n ads: the file says namespace feed. Leave -n out, or change the file.\n',
    ],
    [
      'two whose pods',
      ['feed-api'],
      'gala stock: got feed-api beside -f examples/feed.yaml; one of them says whose pods. Leave the other out.\n',
    ],
  ])('%s is bad input', async (_what, args, err) => {
    expect(await ask(...args)).toEqual({ code: 2, out: '', err });
  });
});
