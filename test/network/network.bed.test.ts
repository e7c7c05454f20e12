/** What `gala controller` does for the network, on a real API server: nodes come, go and come back as others; pools are counted. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/crd.ts';
import { HostPool, IPLock, NodeNetwork } from '../../lib/api/kinds.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { unlessMissing } from '../../lib/kube/error.ts';
import type { Stored } from '../../lib/kube/kinds.ts';
import { NODES } from '../../lib/kube/kinds.ts';
import { reflect } from '../../lib/kube/reflector.ts';
import { keepNodeNetworks } from '../../lib/network/node-network-keeper.ts';
import { writePoolStatus } from '../../lib/network/pool-status-writer.ts';
import { HOST_POOLS, IP_LOCKS, NODE_NETWORKS, watchNetwork } from '../../lib/network/watched.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { type Fault, startFaultProxy } from '../bed/proxy.ts';
import { dice } from '../scheduling/dice.ts';
import { INTRANET } from './a-pool.ts';

const POD = '0f8fad5b-d9cb-469f-a165-70867728950e';

describeBed('NodeNetworks and pools on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  const stops: (() => Promise<void>)[] = [];
  /** What was said at objects: `h-r12-01 NoSuchPool: …`. */
  let said: string[] = [];

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    await bed.apply([HostPool, NodeNetwork, IPLock].map((kind) => crd(kind)));
    api = await connect({ kubeconfig: bed.kubeconfig });
    await aPool('web');
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    said = [];
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  /** One controller, as the one that leads runs it. */
  function working(through: Api = api): { steps: string[] } {
    const ending = new AbortController();
    const { signal } = ending;
    const watched = watchNetwork(through, { signal });
    const steps: string[] = [];
    const common = { api: through, watched, signal, mayWrite: () => true };
    const recorder = {
      event: (object: { metadata: { name: string } }, reason: string, message: string) =>
        void said.push(`${object.metadata.name} ${reason}: ${message}`),
      flush: async () => {},
    };
    const both = [keepNodeNetworks({ ...common, recorder, onStep: (did) => steps.push(did) }), writePoolStatus(common)];
    stops.push(async () => {
      ending.abort();
      await Promise.all([...both, watched].map(({ stopped }) => stopped));
    });
    return { steps };
  }

  const aPool = (name: string, intranet: object = INTRANET) =>
    api.create(HOST_POOLS, { metadata: { name }, spec: { shape: 'intranet', intranet } as never });

  async function aNode(
    name: string,
    { machineID = '9f2c', pool = 'web', rack = /r\d+/.exec(name)?.[0] }: { machineID?: string; pool?: string; rack?: string } = {},
  ) {
    const nodeInfo = { machineID, ...Object.fromEntries(NODE_INFO.map((key) => [key, 'x'])) } as never;
    const labels = { 'gala.internal/pool': pool, ...(rack === undefined ? {} : { 'gala.internal/rack': rack }) };
    const status = { nodeInfo, conditions: [{ type: 'Ready', status: 'True' }] } as never;
    return api.create(NODES, { metadata: { name, labels }, status });
  }

  const anIPLock = (ip: string, node: string) =>
    api.create(IP_LOCKS, {
      metadata: { name: ip },
      spec: { phase: 'Bound', node, mac: '02:67:0a:6e:00:01', owner: 'feed/feed-api', podUID: POD },
    });

  const networkOf = (name: string) => unlessMissing(api.get(NODE_NETWORKS, { name }));
  const poolOf = (name: string) => api.get(HOST_POOLS, { name });
  const vlan = async (id: number, pool = 'web') => (await poolOf(pool)).status?.vlans?.find((vlan) => vlan.id === id);
  const condition = async (type: string, pool = 'web') => (await poolOf(pool)).status?.conditions?.find((one) => one.type === type);

  describe('NodeNetworks', () => {
    test('a node gets one, with its machine, pool and trunk, and it goes with the node', async () => {
      working();
      await aNode('h-r12-01');
      const made = await eventually(() => networkOf('h-r12-01'), Boolean);
      expect(made).toMatchObject({
        metadata: { labels: { 'app.kubernetes.io/part-of': 'gala' } },
        spec: { machineID: '9f2c', pool: 'web', trunk: 'bond0' },
      });
      await api.delete(NODES, { name: 'h-r12-01' });
      await eventually(
        () => networkOf('h-r12-01'),
        (found) => found === undefined,
      );
    });

    test('what the cloud and the agent wrote into it stays when its pool gets another trunk', async () => {
      working();
      await aPool('ads');
      await aNode('n1', { pool: 'ads' });
      await eventually(() => networkOf('n1'), Boolean);
      await api.patch(NODE_NETWORKS, { name: 'n1' }, { status: { macsInUse: 7 } }, { subresource: 'status' });
      await api.patch(HOST_POOLS, { name: 'ads' }, { spec: { intranet: { trunk: 'bond1' } } });
      const changed = await eventually(
        () => networkOf('n1'),
        (found) => found?.spec.trunk === 'bond1',
      );
      expect(changed).toMatchObject({ spec: { machineID: '9f2c', pool: 'ads' }, status: { macsInUse: 7 } });
    });

    test('a node that comes back as another machine gets a new one, and the addresses of the old one stay taken', async () => {
      working();
      await aNode('n2');
      const old = await eventually(() => networkOf('n2'), Boolean);
      await anIPLock('10.110.0.130', 'n2');
      await api.delete(NODES, { name: 'n2' });
      await eventually(
        async () => said,
        (lines) => lines.some((line) => line.startsWith('n2 AddressesTaken: the Node n2 is gone, and 1 address is')),
      );
      // It alone says which machine has the address.
      expect(await networkOf('n2')).toEqual(old);
      await aNode('n2', { machineID: '3c3c' });
      const anew = await eventually(
        () => networkOf('n2'),
        (found) => found?.spec.machineID === '3c3c',
      );
      expect(anew?.metadata.uid).not.toBe(old?.metadata.uid);
      expect(await api.get(IP_LOCKS, { name: '10.110.0.130' })).toMatchObject({ spec: { phase: 'Bound', node: 'n2' } });
      expect(said.at(-1)).toMatch(/^n2 MachineReplaced: n2 is another machine: 9f2c → 3c3c\. 1 address is still Locked or Bound there/);
      // Once the lock writer has freed it, nothing keeps the record of a node that is gone.
      await api.delete(NODES, { name: 'n2' });
      await api.delete(IP_LOCKS, { name: '10.110.0.130' });
      await eventually(
        () => networkOf('n2'),
        (found) => found === undefined,
      );
    });

    test('a label that names no pool is told at the Node, and mended by a HostPool that comes', async () => {
      working();
      await aNode('n3', { pool: 'wep' });
      await eventually(
        async () => said,
        (lines) => lines.some((line) => line.startsWith("n3 NoSuchPool: Label gala.internal/pool is 'wep'")),
      );
      expect(await networkOf('n3')).toBeUndefined();
      await aPool('wep');
      await eventually(() => networkOf('n3'), Boolean);
    });

    test('nobody’s deletion by hand lasts', async () => {
      working();
      await aNode('n4');
      await eventually(() => networkOf('n4'), Boolean);
      await api.delete(NODE_NETWORKS, { name: 'n4' });
      await eventually(() => networkOf('n4'), Boolean);
    });

    test('what happened while nobody was there is made up for', async () => {
      await aNode('n5');
      await api.create(NODE_NETWORKS, { metadata: { name: 'left-over' }, spec: { machineID: '9f2c', pool: 'web', trunk: 'bond0' } });
      working();
      await eventually(() => networkOf('n5'), Boolean);
      await eventually(
        () => networkOf('left-over'),
        (found) => found === undefined,
      );
    });

    test('two at a time, and people who meddle: each node ends with one that is right, made once', async () => {
      const both = [working(), working()];
      const names = Array.from({ length: 30 }, (_, index) => `storm-${index}`);
      await Promise.all(names.map((name) => aNode(name)));
      const meddle = async (name: string, index: number) => {
        await eventually(() => networkOf(name), Boolean);
        if (index % 3 === 0) await api.delete(NODES, { name });
        else if (index % 3 === 1) await api.patch(NODE_NETWORKS, { name }, { spec: { pool: 'strange' } });
        else await api.patch(NODES, { name }, { metadata: { labels: { 'gala.internal/pool': 'ads' } } });
      };
      await Promise.all(names.map(meddle));
      for (const [index, name] of names.entries()) {
        const right = (found: Stored<NodeNetwork> | undefined) =>
          index % 3 === 0 ? found === undefined : found?.spec.pool === (index % 3 === 1 ? 'web' : 'ads');
        await eventually(() => networkOf(name), right);
      }
      const created = both.flatMap(({ steps }) => steps).filter((step) => step === 'create');
      expect(created).toHaveLength(names.length);
    });

    test('an API server that fails one call in four, before or after it did what was asked: the same end', async () => {
      const chance = dice(7);
      const faults: Fault[] = [{ do: 'answer', status: 429 }, { do: 'answer', status: 500 }, { do: 'cut before' }, { do: 'cut after' }];
      const proxy = await startFaultProxy(bed, () => (chance.chance(0.25) ? chance.pick(faults) : undefined));
      const faulty = await connect({ kubeconfig: proxy.kubeconfig });
      stops.push(async () => {
        faulty.close();
        await proxy.stop();
      });
      working(faulty);
      const names = Array.from({ length: 30 }, (_, index) => `faulty-${index}`);
      await Promise.all(names.map((name) => aNode(name)));
      for (const name of names) await eventually(() => networkOf(name), Boolean);
      await Promise.all(names.map((name) => api.delete(NODES, { name })));
      for (const name of names)
        await eventually(
          () => networkOf(name),
          (found) => found === undefined,
        );
      expect(proxy.counts.faults).toBeGreaterThan(20);
    });

    test('hundreds of nodes at once', async () => {
      working();
      const names = Array.from({ length: 300 }, (_, index) => `many-${index}`);
      await Promise.all(names.map((name) => aNode(name, { rack: 'many' })));
      const many = async () => (await api.list(NODE_NETWORKS)).items.filter(({ metadata }) => metadata.name.startsWith('many-')).length;
      await eventually(many, (count) => count === 300, 500);
      await bed.request('DELETE', '/api/v1/nodes?labelSelector=gala.internal/rack=many');
      await eventually(many, (count) => count === 0, 500);
    });
  });

  describe('the status of an intranet pool', () => {
    const POOL = 'status';
    const intranet = {
      ...INTRANET,
      racks: [
        { name: 's12', hosts: 's12-[01-02]' },
        { name: 's13', hosts: 's13-[01-02]' },
      ],
      vlans: [
        { id: 210, subnet: '10.210.0.0/24', gateway: '10.210.0.1', addresses: '10.210.0.128-10.210.0.191' },
        { id: 230, subnet: '10.230.0.0/16', gateway: '10.230.0.1', addresses: '10.230.8.0/21', racks: ['s13'] },
      ],
    };
    beforeAll(() => aPool(POOL, intranet));

    test('hosts are counted, and those that are missing are named', async () => {
      working();
      await aNode('s12-01', { pool: POOL, rack: 's12' });
      await aNode('s99-01', { pool: POOL, rack: 's13' });
      const told = await eventually(
        () => condition('HostsMissing', POOL),
        (found) => found?.message?.includes('(3 of 4)') === true,
      );
      expect(told).toMatchObject({ status: 'True', message: expect.stringContaining('s12-02, s13-01, s13-02') });
      expect((await poolOf(POOL)).status).toMatchObject({ observedGeneration: 1, hosts: { known: 4, ready: 1 } });
      // The two Nodes may be heard of one after the other.
      const outside = await eventually(
        () => condition('NodesOutsideRacks', POOL),
        (found) => found?.status === 'True',
      );
      expect(outside?.message).toContain('s99-01');
      await api.delete(NODES, { name: 's99-01' });
      await eventually(
        () => condition('NodesOutsideRacks', POOL),
        (found) => found?.status === 'False',
      );
    });

    test('while an address is taken the API server lets nobody pull its VLAN away', async () => {
      working();
      await anIPLock('10.210.0.140', 's12-01');
      await eventually(
        () => vlan(210, POOL),
        (found) => found?.taken?.bound === 1,
      );
      expect((await vlan(210, POOL))?.taken).toEqual({
        locked: 0,
        bound: 1,
        held: 0,
        lowest: '10.210.0.140',
        highest: '10.210.0.140',
        racks: ['s12'],
      });
      const without210 = { spec: { intranet: { vlans: [intranet.vlans[1]] } } };
      await expect(api.patch(HOST_POOLS, { name: POOL }, without210)).rejects.toThrow(
        /vlans\[210\] keeps its subnet and gateway while 1 address/,
      );
      await api.delete(IP_LOCKS, { name: '10.210.0.140' });
      await eventually(
        () => vlan(210, POOL),
        (found) => found?.taken === undefined,
      );
      await api.patch(HOST_POOLS, { name: POOL }, without210);
      await eventually(
        () => poolOf(POOL),
        ({ status }) => status?.observedGeneration === 2 && status.vlans?.length === 1,
      );
      await api.patch(HOST_POOLS, { name: POOL }, { spec: { intranet } });
    });

    test('an address that slipped through the window is told as cut off', async () => {
      // Nobody counts yet: what the API server refuses by is old.
      await anIPLock('10.210.0.141', 's12-01');
      const shrunk = { ...intranet.vlans[0], addresses: '10.210.0.150-10.210.0.191' };
      await api.patch(HOST_POOLS, { name: POOL }, { spec: { intranet: { vlans: [shrunk, intranet.vlans[1]] } } });
      working();
      const told = await eventually(
        () => condition('AddressesCutOff', POOL),
        (found) => found?.status === 'True',
      );
      expect(told?.message).toContain('10.210.0.141 (Bound on s12-01, outside the addresses of VLAN 210)');
      expect((await vlan(210, POOL))?.taken).toMatchObject({ bound: 1, lowest: '10.210.0.141' });
      await api.delete(IP_LOCKS, { name: '10.210.0.141' });
      await eventually(
        () => condition('AddressesCutOff', POOL),
        (found) => found?.status === 'False',
      );
    });

    test('heartbeats and what does not count write nothing', async () => {
      working();
      await eventually(
        () => poolOf(POOL),
        ({ status }) => status?.observedGeneration !== undefined,
      );
      await settle();
      const before = (await poolOf(POOL)).metadata.resourceVersion;
      for (let beat = 0; beat < 20; beat++) {
        const conditions = [{ type: 'Ready', status: 'True', message: `beat ${beat}` }];
        await api.patch(NODES, { name: 's12-01' }, { status: { conditions } }, { subresource: 'status' });
      }
      await settle();
      expect((await poolOf(POOL)).metadata.resourceVersion).toBe(before);
    });

    test('five hundred addresses locked at once are a few writes, and all are counted', async () => {
      working();
      await settle();
      const ending = new AbortController();
      let writes = 0;
      const pools = reflect(api, HOST_POOLS, { signal: ending.signal });
      await pools.synced;
      pools.on({
        updated: (_, pool) => {
          if (pool.metadata.name === POOL) writes += 1;
        },
      });
      const begun = performance.now();
      const addresses = Array.from({ length: 500 }, (_, index) => `10.230.${8 + (index >> 8)}.${index & 255}`);
      await Promise.all(addresses.map((ip) => anIPLock(ip, 's13-01')));
      await eventually(
        () => vlan(230, POOL),
        (found) => found?.taken?.bound === 500,
      );
      ending.abort();
      await pools.stopped;
      // The first at once, then one a second at most.
      expect(writes).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - begun) / 1000));
      expect((await vlan(230, POOL))?.taken).toMatchObject({ lowest: '10.230.8.0', highest: '10.230.9.243', racks: ['s13'] });
    });

    test('two writers for a moment end in the same as one', async () => {
      working();
      working();
      await anIPLock('10.210.0.150', 's12-01');
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          api.patch(HOST_POOLS, { name: POOL }, { metadata: { annotations: { storm: `${index}` } } }),
        ),
      );
      await eventually(
        () => vlan(210, POOL),
        (found) => found?.taken?.bound === 1,
      );
      await api.delete(IP_LOCKS, { name: '10.210.0.150' });
      await eventually(
        () => vlan(210, POOL),
        (found) => found?.taken === undefined,
      );
    });
  });

  test('the API server away and back: what happened meanwhile is made up for, by the same process', async () => {
    working();
    await aNode('before-outage');
    await eventually(() => networkOf('before-outage'), Boolean);
    await bed.end('kube-apiserver');
    bed.again('kube-apiserver');
    await eventually(() => unlessMissing(aNode('after-outage')).catch(() => undefined), Boolean);
    await api.delete(NODES, { name: 'before-outage' });
    await eventually(() => networkOf('after-outage'), Boolean);
    await eventually(
      () => networkOf('before-outage'),
      (found) => found === undefined,
    );
  });
});

const NODE_INFO = [
  'architecture',
  'bootID',
  'containerRuntimeVersion',
  'kernelVersion',
  'kubeProxyVersion',
  'kubeletVersion',
  'operatingSystem',
  'osImage',
  'systemUUID',
];

/** Longer than the writers wait between two looks. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 1_500));

/** Asks until the answer is right; the last answer where it never is. */
async function eventually<T>(ask: () => Promise<T>, right: (answer: T) => boolean, everyMs = 25): Promise<T> {
  const deadline = performance.now() + 40_000;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`not within 40 s; the last answer was ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
