import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCluster } from '../../lib/api/parse.ts';
import { type Problem, sentence } from '../../lib/api/problem.ts';
import { aDefinition, anEc2Pool, aRackedPool, aVlan } from './a-definition.ts';

const problemsOf = (definition: unknown): readonly Problem[] => parseCluster(definition).problems;
const withPool = (parts: object) => aDefinition({ pools: { web: aRackedPool(parts as never) } });
const withVlan = (parts: object) => withPool({ vlans: { 110: aVlan(parts as never) } });
const withEc2 = (parts: object) => aDefinition({ services: 'kube-proxy', pools: { burst: anEc2Pool(parts as never) } });

test('a right definition has no problem and becomes a cluster', () => {
  const { problems, cluster } = parseCluster(aDefinition());
  expect(problems).toEqual([]);
  expect(cluster?.intranetPools[0]?.racks).toEqual([
    { name: 'r1', nodeset: 'dc1-r1-[1-4]', hosts: ['dc1-r1-1', 'dc1-r1-2', 'dc1-r1-3', 'dc1-r1-4'] },
    { name: 'r2', nodeset: 'dc1-r2-[1-4]', hosts: ['dc1-r2-1', 'dc1-r2-2', 'dc1-r2-3', 'dc1-r2-4'] },
  ]);
});

/** One mistake each: where it is found, and words that its sentence must hold. */
const MISTAKES: readonly (readonly [string, unknown, string, string])[] = [
  [
    'a VLAN id above 4094',
    withPool({ vlans: { 5000: aVlan() } }),
    'pools.web.vlans.5000',
    'VLAN id is 5000; an 802.1Q id is 1 to 4094. Use the id',
  ],
  ['VLAN 0', withPool({ vlans: { 0: aVlan() } }), 'pools.web.vlans.0', 'an 802.1Q id is 1 to 4094'],
  ['an unknown key, with the nearest known one', aDefinition({ kubernets: '1.37' }), 'kubernets', "Did you mean 'kubernetes'?"],
  ['an unknown key deep inside', withVlan({ gatway: '10.110.0.1' }), 'pools.web.vlans.110.gatway', "Did you mean 'gateway'?"],
  ['an unknown Kubernetes minor', aDefinition({ kubernetes: '1.20' }), 'kubernetes', 'allowed are 1.35, 1.36, 1.37'],
  ['a minor that YAML read as a number', aDefinition({ kubernetes: 1.37 }), 'kubernetes', "Write it in quotes: '1.37'."],
  ['a name that is no DNS label', aDefinition({ name: 'BJ_a' }), 'name', "name is 'BJ_a'"],
  ['an API server without https', aDefinition({ apiServer: 'http://10.8.0.10' }), 'apiServer', 'https://<IPv4 or DNS name>[:<port>]'],
  [
    'a password in a URL',
    aDefinition({ metrics: { remoteWrite: 'https://me:secret@prom/api' } }),
    'metrics.remoteWrite',
    'Secrets never stand in a definition.',
  ],
  ['a pool of no shape', aDefinition({ pools: { web: { trunk: 'bond0' } } }), 'pools.web.shape', 'intranet({ … }) or ec2({ … })'],
  ['a pool that is text', aDefinition({ pools: { web: 'bond0' } }), 'pools.web', "web is 'bond0'"],
  ['a missing gateway', withVlan({ gateway: undefined }), 'pools.web.vlans.110.gateway', "Add it, for example gateway: '10.110.0.1'."],
  [
    'a gateway outside the subnet',
    withVlan({ gateway: '10.111.0.1' }),
    'pools.web.vlans.110.gateway',
    'in 10.110.0.0/24 it is 10.110.0.1-10.110.0.254',
  ],
  ['the network address as gateway', withVlan({ gateway: '10.110.0.0' }), 'pools.web.vlans.110.gateway', 'the network address'],
  ['the broadcast address as gateway', withVlan({ gateway: '10.110.0.255' }), 'pools.web.vlans.110.gateway', 'the broadcast address'],
  ['a gateway among the addresses', withVlan({ gateway: '10.110.0.70' }), 'pools.web.vlans.110.addresses', 'hold the gateway 10.110.0.70'],
  [
    'a range with the broadcast address',
    withVlan({ addresses: '10.110.0.64-10.110.0.255' }),
    'pools.web.vlans.110.addresses',
    'the broadcast address 10.110.0.255',
  ],
  [
    'a range with the network address',
    withVlan({ gateway: '10.110.0.200', addresses: '10.110.0.0/26' }),
    'pools.web.vlans.110.addresses',
    'the network address 10.110.0.0',
  ],
  ['a range outside the subnet', withVlan({ addresses: '10.110.1.0-10.110.1.9' }), 'pools.web.vlans.110.addresses', 'inside 10.110.0.0/24'],
  [
    'a range that runs backwards',
    withVlan({ addresses: '10.110.0.99-10.110.0.64' }),
    'pools.web.vlans.110.addresses',
    'Write 10.110.0.64-10.110.0.99.',
  ],
  ['a subnet with host bits', withVlan({ subnet: '10.110.0.7/24' }), 'pools.web.vlans.110.subnet', 'Write 10.110.0.0/24.'],
  ['a subnet without room', withVlan({ subnet: '10.110.0.0/31', addresses: undefined }), 'pools.web.vlans.110.subnet', '/30 or wider'],
  [
    'one subnet under two VLAN ids',
    withPool({ vlans: { 110: aVlan(), 120: { ...aVlan(), addresses: '10.110.0.128/27' } } }),
    'pools.web.vlans.120.subnet',
    'is VLAN 120 here and VLAN 110 in pools.web.vlans.110',
  ],
  [
    'a VLAN on a rack that is not there',
    withVlan({ racks: ['r1', 'r3'] }),
    'pools.web.vlans.110.racks[1]',
    'the pool’s racks'.replace('’', "'"),
  ],
  [
    'an address that is the API server',
    aDefinition({ apiServer: 'https://10.110.0.70:6443' }),
    'pools.web.vlans.110.addresses',
    'hold the API server 10.110.0.70',
  ],
  ['brackets that do not match', withPool({ racks: { r1: 'a-[1-4' } }), 'pools.web.racks.r1', 'brackets do not match'],
  ['a nodeset that runs backwards', withPool({ racks: { r1: 'a-[9-4]' } }), 'pools.web.racks.r1', '[9-4] runs backwards'],
  [
    'a host in two racks',
    withPool({ racks: { r1: 'a-[1-4]', r2: 'a-[4-6]' } }),
    'pools.web.racks.r2',
    'host a-4 stands in pools.web.racks.r1 too',
  ],
  ['a host twice in one rack', withPool({ racks: { r1: 'a-[1-4],a-2' } }), 'pools.web.racks.r1', 'host a-2 stands in'],
  ['more hosts than a cluster can have', withPool({ racks: { r1: 'a-[1-99999]' } }), 'pools.web.racks.r1', 'at most 5000'],
  [
    'reservations above the machine',
    withPool({ machine: { cpu: 4, memory: '8Gi', reserved: { cpu: 4, memory: '1Gi' } } }),
    'pools.web.machine.reserved.cpu',
    "less than the machine's 4",
  ],
  [
    'a quota above its volume',
    withPool({ volumes: { log: { path: '/data1', size: '2Ti', maxQuota: '3Ti' } } }),
    'pools.web.volumes.log.maxQuota',
    "at most the volume's size, 2Ti",
  ],
  [
    'two volumes in one place',
    withPool({ volumes: { a: { path: '/data1', size: '2Ti' }, b: { path: '/data1/b', size: '1Ti' } } }),
    'pools.web.volumes.b.path',
    'a filesystem of its own',
  ],
  [
    'names too long once composed',
    aDefinition({ pools: { ['w'.repeat(40)]: aRackedPool({ volumes: { ['v'.repeat(40)]: { path: '/d', size: '1Ti' } } }) } }),
    `pools.${'w'.repeat(40)}.volumes.${'v'.repeat(40)}`,
    '86 characters',
  ],
  [
    'more pod ENIs than the type has',
    withEc2({ instanceTypes: ['c5.large'], warmEnis: 4 }),
    'pools.burst.warmEnis',
    '4 pod ENIs, but a c5.large attaches 3 and the node keeps one',
  ],
  [
    'types with different ENI plans',
    withEc2({ instanceTypes: ['c5.4xlarge', 'c5.large'] }),
    'pools.burst.instanceTypes',
    'all types of a pool carry the same ENI plan',
  ],
  ['a type nobody knows', withEc2({ instanceTypes: ['c5.5xlarge'] }), 'pools.burst.instanceTypes[0]', 'Did you mean'],
  [
    'a zone of another region',
    withEc2({ zones: { 'us-east-1a': { nodeSubnetId: 'subnet-0a', podSubnetId: 'subnet-0b' } } }),
    'pools.burst.zones.us-east-1a',
    'a zone of ap-northeast-1 is its name and a letter',
  ],
  [
    'two ways to join',
    withEc2({ join: { eks: 'a', bootstrap: true } }),
    'pools.burst.join',
    'either { eks: <cluster> } or { bootstrap: true }',
  ],
  ['sizes the wrong way round', withEc2({ size: { min: 9, max: 3 } }), 'pools.burst.size', 'Swap them.'],
  ['a pool in the capacity order that is not there', aDefinition({ capacityOrder: ['wbe'] }), 'capacityOrder[0]', "Did you mean 'web'?"],
  ['no pool at all', aDefinition({ pools: {} }), 'pools', 'pools is empty'],
  ['a number of MACs beyond port security', withPool({ macsPerPort: 100000 }), 'pools.web.macsPerPort', 'is 1 to 4096'],
  [
    'an API server’s port that is none',
    aDefinition({ apiServer: 'https://10.8.4.10:99999' }),
    'apiServer',
    "apiServer is 'https://10.8.4.10:99999'",
  ],
  ['an API server’s address that is none', aDefinition({ apiServer: 'https://10.8.4' }), 'apiServer', "apiServer is 'https://10.8.4'"],
  [
    'a token in a URL',
    aDefinition({ metrics: { remoteWrite: 'https://prom/api?token=abc' } }),
    'metrics.remoteWrite',
    'Secrets never stand in a definition.',
  ],
  ['a pool without racks', withPool({ racks: {} }), 'pools.web.racks', 'has 0 entries; at least 1 is needed'],
  ['a pool without VLANs', withPool({ vlans: {} }), 'pools.web.vlans', 'has 0 entries; at least 1 is needed'],
  [
    'memory where CPUs belong',
    withPool({ machine: { cpu: '64Gi', memory: '256Gi' } }),
    'pools.web.machine.cpu',
    "CPUs, such as 64 or '500m'",
  ],
  ['memory without its unit', withPool({ machine: { cpu: 64, memory: 256 } }), 'pools.web.machine.memory', 'Mind the unit'],
  ['a machine without CPUs', withPool({ machine: { cpu: 0, memory: '256Gi' } }), 'pools.web.machine.cpu', 'cpu is 0'],
  ['the loopback as a trunk', withPool({ trunk: 'lo' }), 'pools.web.trunk', 'trunk is lo'],
  [
    'a volume on the system',
    withPool({ volumes: { log: { path: '/var/lib/kubelet', size: '1Ti' } } }),
    'pools.web.volumes.log.path',
    "/var/lib is the system's",
  ],
  [
    'a volume that climbs out',
    withPool({ volumes: { log: { path: '/data/../etc', size: '1Ti' } } }),
    'pools.web.volumes.log.path',
    'whose parts do not begin with a dot',
  ],
  ['a name that is a word of JavaScript', aDefinition({ pools: { constructor: aRackedPool() } }), 'pools.constructor', 'Rename it.'],
  [
    'a time zone that is not there',
    withPool({ lends: { upTo: '50%', reclaimMinutes: 5, windows: ['18:00-02:00 Mars/Phobos'] } }),
    'pools.web.lends.windows[0]',
    'time zone is Mars/Phobos',
  ],
  [
    'a lending window without length',
    withPool({ lends: { upTo: '50%', reclaimMinutes: 5, windows: ['18:00-18:00 Asia/Shanghai'] } }),
    'pools.web.lends.windows[0]',
    'opens and closes at 18:00',
  ],
  [
    'types of two architectures',
    withEc2({ instanceTypes: ['c5.4xlarge', 'm6g.4xlarge'] }),
    'pools.burst.instanceTypes',
    'one architecture',
  ],
  ['a machine above its type', withEc2({ machine: { cpu: 640, memory: '32Gi' } }), 'pools.burst.machine.cpu', 'a c5.4xlarge has 16'],
  [
    'a zone that only begins like its region',
    withEc2({ region: 'us-east-1', zones: { 'us-east-10z': { nodeSubnetId: 'subnet-0a', podSubnetId: 'subnet-0b' } } }),
    'pools.burst.zones.us-east-10z',
    'Write us-east-1a',
  ],
  ['EKS without kube-proxy', aDefinition({ pools: { burst: anEc2Pool() } }), 'services', "Write services: 'kube-proxy'."],
  ['a definition that is null', null, '', 'the definition is null; it is an object with name'],
];

describe('a definition is refused, with path and remedy, for', () => {
  test.each(MISTAKES)('%s', (_, definition, path, words) => {
    const problems = problemsOf(definition);
    const found = problems.find((problem) => problem.path === path && problem.severity === 'error');
    expect(found && sentence(found)).toContain(words);
    expect(found?.allowed).toBeTruthy();
    expect(found?.remedy).toBeTruthy();
  });
});

test('twelve planted mistakes are twelve problems in one run, each with path, value, what is allowed and a remedy', () => {
  const problems = problemsOf({
    ...aDefinition(),
    name: 'Bad Name', // 1
    kubernetes: '1.12', // 2
    replicas: 3, // 3
    services: 'kube-proxy',
    pools: {
      web: aRackedPool({
        racks: { r1: 'a-[1-4]', r2: 'a-[4-8]' }, // 4
        vlans: {
          5000: aVlan({ subnet: '10.150.0.0/24', gateway: '10.150.0.1', addresses: '10.150.0.64/27' }), // 5
          110: aVlan({ gateway: '10.110.0.0' }), // 6
          120: aVlan({ subnet: '10.120.0.0/24', gateway: '10.120.0.1', addresses: '10.120.0.9-10.120.0.5' }), // 7
          130: aVlan({ subnet: '10.130.0.0/24', gateway: '10.130.0.1', addresses: '10.130.0.64/27', racks: ['r9'] }), // 8
        },
        machine: { cpu: 4, memory: '8Gi', reserved: { cpu: 8, memory: '1Gi' } }, // 9
        volumes: { log: { path: '/data1', size: '2Ti', maxQuota: '3Ti' } }, // 10
      }),
      burst: anEc2Pool({ instanceTypes: ['c5.large'], warmEnis: 4 }), // 11
    },
    capacityOrder: ['web', 'burst', 'ml'], // 12
  });
  expect(
    problems
      .filter(({ severity }) => severity === 'error')
      .map(({ path }) => path)
      .sort(),
  ).toEqual([
    'capacityOrder[2]',
    'kubernetes',
    'name',
    'pools.burst.warmEnis',
    'pools.web.machine.reserved.cpu',
    'pools.web.racks.r2',
    'pools.web.vlans.110.gateway',
    'pools.web.vlans.120.addresses',
    'pools.web.vlans.130.racks[0]',
    'pools.web.vlans.5000',
    'pools.web.volumes.log.maxQuota',
    'replicas',
  ]);
  for (const problem of problems) {
    expect(problem).toMatchObject({
      what: expect.stringMatching(/./),
      allowed: expect.stringMatching(/./),
      remedy: expect.stringMatching(/[.?]$/),
    });
    expect(problem.got).toBeDefined();
  }
});

test('a value that breaks two rules of its field is one problem', () => expect(problemsOf(aDefinition({ name: '' }))).toHaveLength(1));

test('what stands under a wrong key is looked at too, also by the cross-checks', () => {
  const pool = aRackedPool({
    trunk: 'a-name-of-sixteen',
    vlans: { x: aVlan({ gateway: '10.110.0.0' }), 5000: { ...aVlan(), gatway: '' } },
  });
  expect(problemsOf(aDefinition({ pools: { Big_Pool: pool } })).map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      'pools.Big_Pool',
      'pools.Big_Pool.trunk',
      'pools.Big_Pool.vlans.x',
      'pools.Big_Pool.vlans.x.gateway',
      'pools.Big_Pool.vlans.5000.gatway',
    ]),
  );
});

test('what is missing comes with an example that could be pasted', () => {
  const { securityGroupIds: _, ...pool } = anEc2Pool() as unknown as Record<string, unknown>;
  const [found] = problemsOf(aDefinition({ services: 'kube-proxy', pools: { burst: pool } }));
  expect(found && sentence(found)).toBe(
    'pools.burst.securityGroupIds: securityGroupIds is missing; it is: security groups of the two kinds of interface. Add it, for example securityGroupIds: {"node":["sg-0a1b2c3d"],"pod":["sg-0a1b2c3d"]}.',
  );
});

test('a getter that throws is a problem like any other', () => {
  const definition = Object.defineProperty(aDefinition(), 'name', {
    enumerable: true,
    get: () => {
      throw new Error('no hall');
    },
  });
  expect(problemsOf(definition)).toMatchObject([{ what: 'reading it throws: Error: no hall', severity: 'error' }]);
});

test('more addresses than hosts × macsPerPort is a warning, not an error', () => {
  const { problems, cluster } = parseCluster(withPool({ racks: { r1: 'a-[1-2]' }, macsPerPort: 8 }));
  expect(problems).toMatchObject([
    { path: 'pools.web.macsPerPort', severity: 'warning', what: '64 addresses, but 2 hosts with 8 MACs a port wire 16 pods' },
  ]);
  expect(cluster).toBeDefined();
});

test('a VLAN may serve two pools, each with addresses of its own', () => {
  const pools = {
    web: aRackedPool(),
    ml: aRackedPool({ racks: { r9: 'b-[1-4]' }, vlans: { 110: aVlan({ addresses: '10.110.0.128/26' }) } }),
  };
  expect(problemsOf(aDefinition({ pools }))).toEqual([]);
});

test('the order a definition was typed in does not reach the cluster', () => {
  const racks = { r2: 'b-[1-2]', r1: 'a-[1-2]' };
  const turned = { r1: 'a-[1-2]', r2: 'b-[1-2]' };
  expect(parseCluster(withPool({ racks })).cluster?.pools[0]).toMatchObject({
    racks: parseCluster(withPool({ racks: turned })).cluster?.intranetPools[0]?.racks,
  });
  const routes = [{ to: '10.30.0.0/16' }, { to: '10.20.0.0/16', via: '10.110.0.2' }];
  expect(parseCluster(withVlan({ routes })).cluster?.intranetPools[0]?.vlans[0]?.routes).toEqual(routes.toReversed());
});

describe('who wires the pods of a pool', () => {
  const cniOf = (cni: string | undefined, existing: object | undefined) =>
    parseCluster(aDefinition({ existing, pools: { web: aRackedPool({ cni }) } })).cluster?.pools[0]?.cni;

  test('is Gala, unless the pool or the cluster says another', () => {
    expect(cniOf(undefined, undefined)).toBeUndefined();
    expect(cniOf(undefined, { cni: 'calico' })).toBe('calico');
    expect(cniOf('cilium', { cni: 'calico' })).toBe('cilium');
  });

  test('is Gala on a pool that says so beside another CNI', () => expect(cniOf('gala', { cni: 'calico' })).toBeUndefined());
});

test('concerns that are opt-in come where they are named', () => {
  const concerns = [{ name: 'scheduling' }, { name: 'network', optIn: true }];
  const installed = (asked?: string[]) => parseCluster(aDefinition({ concerns: asked }), concerns).cluster?.concerns;
  expect(installed()).toEqual(['scheduling']);
  expect(installed(['network'])).toEqual(['network']);
});

test('nothing that can be typed makes parsing throw, and what is refused has a problem', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4, withNullPrototype: true }), (input) => {
      const { problems, cluster } = parseCluster(input);
      expect(cluster === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
    }),
  );
});

test('a right definition with anything put in one place never throws, and finds every problem a path', () => {
  const places = ['name', 'pools', 'services', 'existing', 'concerns', 'capacityOrder', 'metrics', 'registry'];
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.anything({ maxDepth: 3 }), (place, value) => {
      for (const problem of problemsOf(aDefinition({ [place]: value }))) expect(problem.path).not.toBe('');
    }),
  );
});
