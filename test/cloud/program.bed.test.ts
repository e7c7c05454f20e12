/**
 * `gala cloud` beside `gala controller`, with the rights and behind the policies that synth renders, on a real API server and on the
 * strict EC2 by AWS's own SDK. Time at EC2, and the program's, runs thirty times as fast.
 */
import { readFileSync } from 'node:fs';
import { CreateNetworkInterfaceCommand, DescribeNetworkInterfacesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Rendered, rendered } from '../../constructs/testing.ts';
import { ec2 } from '../../lib/api/authoring.ts';
import { DEFAULT_PART } from '../../lib/cloud/budget.ts';
import { type CloudOptions, runCloud } from '../../lib/cloud/program.ts';
import { tagsOf } from '../../lib/cloud/tags.ts';
import { runController } from '../../lib/controller/program.ts';
import { connect } from '../../lib/kube/client.ts';
import type { Clock } from '../../lib/kube/clock.ts';
import { logger } from '../../lib/kube/log.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { anAccount, IMAGE, type TestAccount } from '../bed/ec2/an-account.ts';
import { until } from '../bed/process.ts';
import { gala } from '../cli/gala.ts';
import { anIPLock } from '../scheduling/builders.ts';

const SPEED = 30;
const GALA = '/apis/gala.internal/v1alpha1';
const ENVIRONMENT = { AWS_ACCESS_KEY_ID: 'bed', AWS_SECRET_ACCESS_KEY: 'bed', AWS_EC2_METADATA_DISABLED: 'true' };

describeBed('gala cloud', ['etcd', 'kube-apiserver', 'moto'], () => {
  let bed: Bed;
  let account: TestAccount;
  let out: Rendered;
  let uid: string;
  const lines: string[] = [];
  const log = logger({ level: 'debug', write: (line) => void lines.push(line) });
  const before = { ...process.env };
  const programs: { readonly stop: () => Promise<void> }[] = [];

  const clock: Clock = {
    now: () => account.ec2.clock.now(),
    after: (ms, act) => {
      const timer = setTimeout(act, ms / SPEED);
      return () => clearTimeout(timer);
    },
  };

  async function run(name: string, main: (kubeconfig: string, signal: AbortSignal) => Promise<void>) {
    const ending = new AbortController();
    const ended = main(await kubeconfigOf(bed, 'gala-system', name), ending.signal);
    ended.catch((error) => lines.push(`${name} ended: ${error}`));
    const program = {
      stop: async () => {
        ending.abort();
        await ended;
      },
    };
    programs.push(program);
    return program;
  }
  const common = { leaseNamespace: 'gala-system', bindAddress: '127.0.0.1', healthPort: 0 };
  const startCloud = (over: Partial<CloudOptions> = {}) =>
    run('gala-cloud', async (kubeconfig, signal) =>
      runCloud(
        await connect({ kubeconfig }),
        { ...common, cluster: 'cloud-t', orphans: 'delete', instances: 'leave', part: DEFAULT_PART, ...over },
        signal,
        log,
        { clock },
      ),
    );

  beforeAll(async () => {
    [bed, account] = await Promise.all([
      startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] }),
      // EC2's own buckets: what is asked too fast is refused.
      anAccount({ buckets: undefined }),
    ]);
    Object.assign(process.env, ENVIRONMENT, { AWS_ENDPOINT_URL_EC2: account.ec2.endpoint });
    const burst = ec2({
      region: account.ec2.region,
      instanceTypes: ['c5.large'],
      zones: { [account.zones.a]: { nodeSubnetId: account.subnets.a, podSubnetId: account.subnets.a } },
      securityGroupIds: { node: [account.groupId], pod: [account.groupId] },
      ...{ imageId: IMAGE, instanceProfile: 'gala-node', join: { bootstrap: true }, size: { min: 0, max: 20 }, warmEnis: 'all' },
    });
    const definition = {
      name: 'cloud-t',
      kubernetes: '1.37',
      apiServer: bed.url,
      concerns: ['scheduling', 'network', 'cloud'],
      pools: { burst },
    };
    out = rendered(definition as never);
    const applied = await bed.apply(out.objects.filter(({ kind }) => kind !== 'Deployment' && kind !== 'DaemonSet'));
    expect(applied.filter(({ result }) => result === 'refused')).toEqual([]);
    uid = (await bed.request('GET', '/api/v1/namespaces/kube-system')).body.metadata.uid;
    await run('gala-controller', async (kubeconfig, signal) => runController(await connect({ kubeconfig }), common, signal, log));
    await startCloud();
    account.ec2.clock.run(SPEED);
    // Both have read what they read when they begin: Jest lets nothing be imported between tests.
    await eventually('the first look', async () => (await condition('EnisMissing')) !== undefined);
  }, 300_000);
  afterAll(async () => {
    account?.ec2.clock.pause();
    await Promise.all(programs.map(({ stop }) => stop()));
    process.env = before;
    await Promise.all([account?.stop(), bed?.stop()]);
  });

  const eventually = async (what: string, right: () => Promise<boolean>) => {
    try {
      await until(what, [], 120, right, 200);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}\n${lines.slice(-30).join('\n')}`);
    }
  };
  const node = async (name: string) => {
    const { InstanceId: id = '' } = await account.instance();
    const made = await bed.request('POST', '/api/v1/nodes', {
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'gala.internal/pool': 'burst' } } },
      spec: { providerID: `aws:///${account.zones.a}/${id}` },
    });
    expect(made.status).toBe(201);
    return id;
  };
  const slotsOf = async (name: string) => (await bed.request('GET', `${GALA}/nodenetworks/${name}`)).body.spec?.eniSlots ?? [];
  const pool = async () => (await bed.request('GET', `${GALA}/hostpools/burst`)).body;
  const condition = async (type: string) => (await pool()).status?.conditions?.find((each: { type: string }) => each.type === type);
  const enis = async (tag: string) => {
    const asked = { Filters: [{ Name: 'tag:gala.internal/instance', Values: [tag] }] };
    return (await account.client.send(new DescribeNetworkInterfacesCommand(asked))).NetworkInterfaces ?? [];
  };
  const anOrphan = async (tags: Record<string, string>) => {
    const asked = { ResourceType: 'network-interface' as const, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
    const made = await account.client.send(
      new CreateNetworkInterfaceCommand({ SubnetId: account.subnets.a, Groups: [account.groupId], TagSpecifications: [asked] }),
    );
    return { id: made.NetworkInterface?.NetworkInterfaceId ?? '', ip: made.NetworkInterface?.PrivateIpAddress ?? '' };
  };
  const asWriter = async () => {
    const { token } = JSON.parse(readFileSync(await kubeconfigOf(bed, 'gala-system', 'gala-scheduler'), 'utf8')).users[0].user;
    return { authorization: `Bearer ${token}` };
  };
  const exists = async (id: string) =>
    ((await account.client.send(new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'network-interface-id', Values: [id] }] })))
      .NetworkInterfaces?.length ?? 0) > 0;

  test('instances get the ENIs that their type carries, the NodeNetworks name them, and the pool tells', async () => {
    const ids = [await node('n-1'), await node('n-2'), await node('n-3')];
    for (const name of ['n-1', 'n-2', 'n-3']) await eventually(`ENIs of ${name}`, async () => (await slotsOf(name)).length === 2);
    const made = await enis(ids[0]!);
    expect(made.map(({ Attachment }) => [Attachment?.Status, Attachment?.DeleteOnTermination]).sort()).toEqual([
      ['attached', true],
      ['attached', true],
    ]);
    const slots = await slotsOf('n-1');
    expect(slots.map((slot: { eniId: string }) => slot.eniId).sort()).toEqual(made.map((eni) => eni.NetworkInterfaceId).sort());
    expect(slots.map((slot: { deviceIndex: number }) => slot.deviceIndex)).toEqual([1, 2]);
    await eventually('status', async () => (await condition('EnisMissing'))?.status === 'False');
    expect((await pool()).status).toMatchObject({ hosts: { known: 3 }, replicas: 3 });
    expect(lines.filter((line) => /forbidden/i.test(line))).toEqual([]);
  });

  test('answers that are lost, calls that are throttled, a server in trouble and a place that is taken: the same ENIs in the end', async () => {
    account.ec2.fail('CreateNetworkInterface', { do: 'lose reply' }, { times: 2 });
    account.ec2.fail('AttachNetworkInterface', { do: 'error', code: 'RequestLimitExceeded' });
    account.ec2.fail('AttachNetworkInterface', { do: 'lose reply' });
    const taken = "Instance 'i-0' already has an interface attached at device index '1'.";
    account.ec2.fail('AttachNetworkInterface', { do: 'error', code: 'InvalidParameterValue', message: taken });
    account.ec2.fail('DescribeNetworkInterfaces', { do: 'error', code: 'Unavailable' }, { times: 2 });
    const id = await node('n-4');
    await eventually('ENIs of n-4', async () => (await slotsOf('n-4')).length === 2);
    account.ec2.heal();
    expect(await enis(id)).toHaveLength(2);
  });

  test('what EC2 refuses stands in the status of the pool, in its words, until it does not', async () => {
    account.ec2.fail(
      'CreateNetworkInterface',
      { do: 'error', code: 'UnauthorizedOperation', message: 'You are not authorized' },
      { times: 1_000 },
    );
    await node('n-5');
    await eventually('the condition', async () => (await condition('Ec2Refuses'))?.status === 'True');
    expect((await condition('Ec2Refuses')).message).toContain('CreateNetworkInterface: UnauthorizedOperation: You are not authorized');
    expect((await condition('EnisMissing')).message).toContain('n-5 has 0 of 2');
    account.ec2.heal();
    await eventually('ENIs of n-5', async () => (await slotsOf('n-5')).length === 2);
    await eventually('the condition', async () => (await condition('Ec2Refuses'))?.status === 'False');
  });

  test('another process that leads finds all there, and calls EC2 for nothing', async () => {
    await programs[1]?.stop();
    const looks = () => account.ec2.counts.of('DescribeNetworkInterfaces').calls;
    const [mutating, seen] = [account.ec2.counts.mutating, looks()];
    await startCloud();
    // Of two calls each.
    await eventually('three looks', async () => looks() >= seen + 6);
    expect(account.ec2.counts.mutating).toBe(mutating);
  });

  test('an instance that ends takes its ENIs along, and the pool names its Node', async () => {
    const { providerID } = (await bed.request('GET', '/api/v1/nodes/n-2')).body.spec;
    const id = providerID.split('/').at(-1);
    await account.client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await eventually('its ENIs to go', async () => (await enis(id)).length === 0);
    await bed.request(
      'PATCH',
      '/api/v1/nodes/n-2',
      { metadata: { labels: { looked: 'again' } } },
      { 'content-type': 'application/merge-patch+json' },
    );
    await eventually('the condition', async () => (await condition('InstancesGone'))?.message?.includes(`n-2 (${id})`));
    expect((await pool()).status.replicas).toBe(4);
  });

  test('an orphan is deleted; one whose address is locked, one of another cluster and one of nobody are not', async () => {
    const gone = 'i-0123456789abcdef0';
    const ours = { cluster: 'cloud-t', clusterUid: uid };
    const orphan = await anOrphan(tagsOf(ours, gone, 0));
    const locked = await anOrphan(tagsOf(ours, gone, 1));
    const others = [await anOrphan(tagsOf({ ...ours, clusterUid: 'another' }, gone, 0)), await anOrphan({})];
    const made = await bed.request('POST', `${GALA}/iplocks`, anIPLock(locked.ip, { node: 'n-1' }), await asWriter());
    expect([made.status, made.body.message]).toEqual([201, undefined]);
    await eventually('the orphan to go', async () => !(await exists(orphan.id)));
    expect(await Promise.all([locked, ...others].map(({ id }) => exists(id)))).toEqual([true, true, true]);
    expect(account.ec2.counts.of('DeleteNetworkInterface').calls).toBe(1);
  }, 300_000);

  test('gala cloud status tells of it, without credentials, and without rights that were not granted', async () => {
    await bed.apply(out.objects.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'gala-cloud'));
    const { code, out: said } = await gala('cloud', 'status', '-o', 'json', '--kubeconfig', bed.kubeconfig);
    // A Node is there whose instance has ended; the Deployment says that the program deletes it.
    expect(code).toBe(4);
    const { pools, regions, waits, wrong } = JSON.parse(said);
    expect(pools).toMatchObject([{ name: 'burst', region: account.ec2.region, enis: { wanted: 8, attached: 8, creating: 0 } }]);
    expect(regions).toMatchObject([{ name: account.ec2.region, budget: { AttachNetworkInterface: { of: 30 } } }]);
    expect([waits, wrong]).toEqual([[expect.stringContaining('n-2')], []]);
    expect(lines.filter((line) => /configmaps.*forbidden/i.test(line))).toEqual([]);
  });

  test('orphans of a region whose last pool is gone are deleted all the same, and then the region is forgotten', async () => {
    const orphan = await anOrphan(tagsOf({ cluster: 'cloud-t', clusterUid: uid }, 'i-0123456789abcdef1', 0));
    const status = async () => (await bed.request('GET', '/api/v1/namespaces/gala-system/configmaps/gala-cloud-status')).body.data;
    expect(Object.keys(await status())).toEqual([account.ec2.region]);
    const all = await bed.request('GET', `${GALA}/iplocks`);
    for (const { metadata } of all.body.items) {
      const { status } = await bed.request('DELETE', `${GALA}/iplocks/${metadata.name}`, undefined, await asWriter());
      expect(status).toBe(200);
    }
    const asked = await bed.request('DELETE', `${GALA}/hostpools/burst`);
    expect([asked.status, asked.body.message]).toEqual([200, undefined]);
    await eventually('the orphan to go', async () => !(await exists(orphan.id)));
    // Those on instances end with them.
    const ids = (await bed.request('GET', '/api/v1/nodes')).body.items.map((each: { spec: { providerID: string } }) =>
      each.spec.providerID.split('/').at(-1),
    );
    await account.client.send(new TerminateInstancesCommand({ InstanceIds: ids }));
    await eventually('the region to be forgotten', async () => Object.keys((await status()) ?? {}).length === 0);
  }, 600_000);
});
