/**
 * A pod on EC2, from the lock of its address to its answer: `gala cloud` as synth rendered it makes ENIs at the strict EC2, they are
 * plugged into the machine that plays the instance, and `gala cni` moves one into the pod. A release then calls EC2 for nothing.
 */
import { DescribeNetworkInterfacesCommand, DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ec2 } from '../../lib/api/authoring.ts';
import { type BedCluster, startCluster } from '../bed/cluster.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { anAccount, IMAGE, type TestAccount } from '../bed/ec2/an-account.ts';
import { ec2ForNodes } from '../bed/ec2/for-nodes.ts';
import { metadataForNodes } from '../bed/ec2/metadata.ts';
import { type Playing, playInstance } from '../bed/ec2/play-instance.ts';
import { BUSINESS, BUSINESS_PORT } from '../bed/images.ts';
import type { BedNode } from '../bed/node.ts';
import { ready } from '../bed/nodes.ts';
import { until } from '../bed/process.ts';
import { standInNetwork } from '../bed/stand-in-network.ts';

/** On a machine that is busy otherwise; an idle one needs a tenth. */
const BUSY_MS = 420_000;
const GALA = '/apis/gala.internal/v1alpha1';

/** Control-plane nodes keep the network that they have. */
const onSystem = (node: string): Record<string, string> =>
  node === 'system'
    ? standInNetwork({ trunk: 'bond0', vlan: 110, subnet: '10.110.0.0/24', first: '10.110.0.200', last: '10.110.0.209' })
    : {};

describeBed('a pod on EC2', ['control-plane', 'nodes', 'containernetworking-plugins', 'moto'], () => {
  let account: TestAccount;
  let cluster: BedCluster;
  let host: BedNode;
  let playing: Playing;

  beforeAll(async () => {
    account = await anAccount();
    const { zones, subnets, groupId, ec2: region } = account;
    const { InstanceId: id = '', InstanceType: type = '' } = await account.instance();
    const burst = ec2({
      ...{ region: region.region, instanceTypes: ['c5.large'], imageId: IMAGE, instanceProfile: 'gala-node', join: { bootstrap: true } },
      zones: {
        // Its network is for the node to ask for.
        [zones.a]: { nodeSubnetId: subnets.a, podSubnetId: subnets.a, routes: [{ to: '10.64.0.0/12' }] },
      },
      securityGroupIds: { node: [groupId], pod: [groupId] },
      ...{ size: { min: 0, max: 20 }, warmEnis: 'all' },
    });
    const definition = {
      ...{ name: 'bed', kubernetes: '1.37', apiServer: 'https://the-bed.internal:6443', concerns: ['scheduling', 'network', 'cloud'] },
      pools: { burst },
    };
    cluster = await startCluster({
      definition: definition as never,
      files: onSystem,
      instances: [{ pool: 'burst', id, type, zone: zones.a, region: region.region }],
      env: async (bed) => {
        await metadataForNodes(bed, subnetOf);
        return {
          'gala-cloud': {
            ...{ AWS_ENDPOINT_URL_EC2: await ec2ForNodes(bed, region), AWS_EC2_METADATA_DISABLED: 'true' },
            ...{ AWS_ACCESS_KEY_ID: 'bed', AWS_SECRET_ACCESS_KEY: 'bed' },
          },
        };
      },
    });
    host = cluster.hosts[0]!;
    playing = await playInstance(region, host, id);
    region.clock.run();
  }, BUSY_MS);
  afterAll(async () => {
    account?.ec2.clock.pause();
    if (process.env.SHOW)
      for (const name of ['gala-cni', 'gala-cloud', 'gala-scheduler'])
        process.stderr.write(
          await kubectl('logs', '-n', 'gala-system', '--tail=40', '--all-containers', `--selector=app.kubernetes.io/name=${name}`),
        );
    playing?.end();
    await cluster?.stop();
    await account?.stop();
  });

  const subnetOf = async (mac: string) => {
    const { NetworkInterfaces = [] } = await account.client.send(new DescribeNetworkInterfacesCommand({ MaxResults: 1000 }));
    const id = NetworkInterfaces.find(({ MacAddress }) => MacAddress === mac)?.SubnetId;
    if (id === undefined) return undefined;
    return (await account.client.send(new DescribeSubnetsCommand({ SubnetIds: [id] }))).Subnets?.[0]?.CidrBlock;
  };
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.bed.kubectl(args, { seconds: 290 });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  const waitFor = async (what: string, object: string, namespace = 'default') =>
    expect(await kubectl('wait', '-n', namespace, `--for=${what}`, object, '--timeout=200s')).toMatch(/ met$|deleted$/m);
  const get = async (path: string) => (await cluster.bed.request('GET', path)).body;
  const slots = async (): Promise<{ eniId: string; mac: string; ip: string }[]> =>
    (await get(`${GALA}/nodenetworks/${host.name}`)).spec?.eniSlots ?? [];
  const addressOf = async (pod: string) => {
    const { metadata } = await get(`/api/v1/namespaces/default/pods/${pod}`);
    const { items } = await get(`${GALA}/iplocks`);
    return items.find((one: { spec: { podUID?: string } }) => one.spec.podUID === metadata.uid);
  };
  /** MACs of the host's own links, those in pods not among them. */
  const onHost = async () => [...(await host.mustExec(['ip', '-o', 'link'])).matchAll(/link\/ether (\S+)/g)].map(([, mac]) => mac);
  const aPod = async (name: string) => {
    const container = {
      ...{ name: 'main', image: BUSINESS, resources: { requests: { cpu: '10m', memory: '16Mi' } } },
      // The kubelet asks from the node.
      readinessProbe: { httpGet: { path: '/', port: BUSINESS_PORT }, periodSeconds: 1 },
    };
    const [applied] = await cluster.bed.apply([
      {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
        spec: { schedulerName: 'gala-scheduler', terminationGracePeriodSeconds: 1, containers: [container] },
      } as never,
    ]);
    expect(applied).toMatchObject({ result: 'created' });
    await waitFor('condition=Ready', `pod/${name}`);
  };

  test(
    'its instance gets the ENIs of its type, and they are NICs of the node',
    async () => {
      await ready(cluster.bed, host);
      await until('ENIs in the NodeNetwork', [], 240, async () => (await slots()).length === 2, 500);
      const macs = (await slots()).map(({ mac }) => mac);
      expect((await onHost()).filter((mac) => macs.includes(mac ?? '')).sort()).toEqual([...macs].sort());
      expect((await get(`${GALA}/hostpools/burst`)).status).toMatchObject({ hosts: { known: 1, ready: 1 }, replicas: 1 });
    },
    BUSY_MS,
  );

  test(
    'it has an ENI of its own, answers its node, reaches another pod over theirs, and no metadata service',
    async () => {
      for (const name of ['web-0', 'web-1']) await aPod(name);
      const [one, two] = await Promise.all(['web-0', 'web-1'].map(addressOf));
      expect((await slots()).map(({ ip, mac }) => `${ip} ${mac}`).sort()).toEqual(
        [one, two].map(({ metadata, spec }) => `${metadata.name} ${spec.mac}`).sort(),
      );
      expect((await get('/api/v1/namespaces/default/pods/web-0')).status.podIP).toBe(one.metadata.name);
      expect(await kubectl('exec', 'web-0', '--', 'ip', 'link', 'show', 'eth0')).toContain(one.spec.mac);
      expect(await onHost()).not.toContain(one.spec.mac);
      expect(await kubectl('exec', 'web-1', '--', 'wget', '-qO-', `http://${one.metadata.name}:${BUSINESS_PORT}/`)).toBe('web-0\n');
      const routes = await kubectl('exec', 'web-0', '--', 'ip', 'route');
      expect(routes).toContain('10.64.0.0/12 via 10.0.1.1 dev eth0');
      expect(routes).toContain('unreachable 169.254.169.254');
    },
    BUSY_MS,
  );

  test(
    'deleted and made again on the held lock it has the same address and MAC, and EC2 was asked to change nothing',
    async () => {
      const before = await addressOf('web-0');
      const mutating = account.ec2.counts.mutating;
      await kubectl('delete', 'pod', 'web-0');
      await waitFor('jsonpath={.spec.phase}=Held', `iplock/${before.metadata.name}`);
      // Given back: it is the node's until the next pod comes.
      expect(await onHost()).toContain(before.spec.mac);
      await aPod('web-0');
      const after = await addressOf('web-0');
      expect([after.metadata.name, after.metadata.uid, after.spec.mac]).toEqual([
        before.metadata.name,
        before.metadata.uid,
        before.spec.mac,
      ]);
      expect(await kubectl('exec', 'web-0', '--', 'ip', 'link', 'show', 'eth0')).toContain(before.spec.mac);
      expect(await kubectl('exec', 'web-1', '--', 'wget', '-qO-', `http://${after.metadata.name}:${BUSINESS_PORT}/`)).toBe('web-0\n');
      expect(account.ec2.counts.mutating - mutating).toBe(0);
    },
    BUSY_MS,
  );
});
