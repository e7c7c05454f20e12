/**
 * `gala cloud` and the instances of a pool, with the rights and behind the policies that synth renders, on a real API server with its
 * controllers, and on the strict EC2 by AWS's own SDK. Kubelets are played: a Node is made for each instance that runs. Time at EC2, and
 * the program's, runs thirty times as fast.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DescribeInstanceAttributeCommand, DescribeInstancesCommand, type Instance, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../constructs/testing.ts';
import { ec2 } from '../../lib/api/authoring.ts';
import { ec2Account } from '../../lib/cloud/account.ts';
import { DEFAULT_PART } from '../../lib/cloud/budget.ts';
import { launches } from '../../lib/cloud/launches.ts';
import { runCloud } from '../../lib/cloud/program.ts';
import { connect } from '../../lib/kube/client.ts';
import type { Clock } from '../../lib/kube/clock.ts';
import { logger } from '../../lib/kube/log.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { anAccount, IMAGE, type TestAccount } from '../bed/ec2/an-account.ts';
import { until } from '../bed/process.ts';
import { anIPLock } from '../scheduling/builders.ts';
import { aKubeletsRequest } from './a-kubelets-request.ts';

const SPEED = 30;
const GALA = '/apis/gala.internal/v1alpha1';
const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const ENVIRONMENT = { AWS_ACCESS_KEY_ID: 'bed', AWS_SECRET_ACCESS_KEY: 'bed', AWS_EC2_METADATA_DISABLED: 'true' };
const POD_UID = '0b6c1a52-1f0e-4c1d-9b6a-3f2d5c7e8a90';
const MERGE = { 'content-type': 'application/merge-patch+json' };

describeBed('gala cloud, instances', ['etcd', 'kube-apiserver', 'kube-controller-manager', 'moto'], () => {
  let bed: Bed;
  let account: TestAccount;
  let joining: NodeJS.Timeout | undefined;
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

  async function startCloud() {
    const ending = new AbortController();
    const kubeconfig = await kubeconfigOf(bed, 'gala-system', 'gala-cloud');
    const options = { leaseNamespace: 'gala-system', bindAddress: '127.0.0.1', healthPort: 0, cluster: 'cloud-t', part: DEFAULT_PART };
    const ended = runCloud(await connect({ kubeconfig }), { ...options, orphans: 'delete', instances: 'manage' }, ending.signal, log, {
      clock,
    });
    ended.catch((error) => lines.push(`gala-cloud ended: ${error}`));
    const stop = async () => {
      ending.abort();
      await ended;
    };
    programs.push({ stop });
    return stop;
  }

  const instances = async (pool = 'burst'): Promise<Instance[]> => {
    const asked = { Filters: [{ Name: 'tag:gala.internal/pool', Values: [pool] }] };
    const { Reservations = [] } = await account.client.send(new DescribeInstancesCommand(asked));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  };
  const userDataOf = async (InstanceId: string): Promise<string> => {
    const { UserData } = await account.client.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute: 'userData' }));
    return Buffer.from(UserData?.Value ?? '', 'base64').toString();
  };
  const living = async () => (await instances()).filter(({ State }) => State?.Name === 'pending' || State?.Name === 'running');
  const nodes = async (): Promise<string[]> =>
    (await bed.request('GET', '/api/v1/nodes')).body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name).sort();
  const node = async (name: string) => (await bed.request('GET', `/api/v1/nodes/${name}`)).body;
  /** As the kubelet of each instance that runs does, by the name that its user data gives it. */
  const join = async () => {
    for (const { InstanceId: name = '', State } of await instances()) {
      if (State?.Name !== 'running') continue;
      const spec = { providerID: `aws:///${account.zones.a}/${name}` };
      const metadata = { name, labels: { 'gala.internal/pool': 'burst' } };
      const made = await bed.request('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata, spec });
      if (made.status !== 201 && made.status !== 409) throw new Error(`node ${name}: HTTP ${made.status}`);
    }
  };
  const scale = async (replicas: number) => {
    const done = await bed.request('PATCH', `${GALA}/hostpools/burst/scale`, { spec: { replicas } }, MERGE);
    expect([done.status, done.body.spec?.replicas ?? 0]).toEqual([200, replicas]);
  };
  const status = async () => (await bed.request('GET', `${GALA}/hostpools/burst`)).body.status;
  const condition = async (type: string) => (await status())?.conditions?.find((each: { type: string }) => each.type === type);
  const events = async (): Promise<string[]> =>
    (await bed.request('GET', '/apis/events.k8s.io/v1/namespaces/default/events')).body.items
      .filter(({ regarding }: { regarding: { kind: string } }) => regarding.kind === 'HostPool')
      .map(({ reason, note }: { reason: string; note: string }) => `${reason} ${note}`);
  const tokens = async (): Promise<{ metadata: { name: string }; data: Record<string, string> }[]> =>
    (await bed.request('GET', '/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io/token')).body.items;
  const eventually = async (what: string, right: () => Promise<boolean>) => {
    try {
      await until(what, [], 120, right, 300);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}\n${lines.slice(-30).join('\n')}`);
    }
  };

  beforeAll(async () => {
    [bed, account] = await Promise.all([
      startControlPlane({
        without: ['kube-scheduler'],
        flags: {
          'kube-apiserver': ['--enable-bootstrap-token-auth=true'],
          // No kubelet renews a played Node: its pods would be evicted for that.
          'kube-controller-manager': ['--controllers=*,-node-lifecycle-controller'],
        },
      }),
      anAccount({ buckets: undefined }),
    ]);
    Object.assign(process.env, ENVIRONMENT, { AWS_ENDPOINT_URL_EC2: account.ec2.endpoint });
    const common = {
      region: account.ec2.region,
      instanceTypes: ['c5.large', 'm5.large'],
      zones: { [account.zones.a]: { nodeSubnetId: account.subnets.a, podSubnetId: account.subnets.a } },
      securityGroupIds: { node: [account.groupId], pod: [account.groupId] },
      ...{ imageId: IMAGE, instanceProfile: 'gala-node', size: { min: 0, max: 5 }, warmEnis: 1 },
    };
    const pools = { burst: ec2({ ...common, join: { bootstrap: true } }), managed: ec2({ ...common, join: { eks: 'cloud-t' } }) };
    const services = { services: 'kube-proxy', serviceCidr: '10.96.0.0/16' };
    const concerns = ['scheduling', 'network', 'cloud'];
    const out = rendered({ name: 'cloud-t', kubernetes: '1.37', apiServer: bed.url, ...services, concerns, pools } as never);
    const applied = await bed.apply(out.objects.filter(({ kind }) => kind !== 'Deployment' && kind !== 'DaemonSet'));
    expect(applied.filter(({ result }) => result === 'refused')).toEqual([]);
    await startCloud();
    account.ec2.clock.run(SPEED);
    joining = setInterval(() => void join().catch((error) => lines.push(`join: ${error}`)), 500);
    await eventually('the first look', async () => (await condition('InstancesMissing')) !== undefined);
  }, 300_000);
  afterAll(async () => {
    clearInterval(joining);
    account?.ec2.clock.pause();
    await Promise.all(programs.map(({ stop }) => stop()));
    process.env = before;
    await Promise.all([account?.stop(), bed?.stop()]);
  });

  test('a pool that is scaled to 3 has three instances, as the definition describes them, and three Nodes; its tokens are gone then', async () => {
    await scale(3);
    await eventually('a token for each launch', async () => (await tokens()).length > 0);
    const [token] = await tokens();
    expect(Buffer.from(token?.data['auth-extra-groups'] ?? '', 'base64').toString()).toBe('system:bootstrappers:gala');
    await eventually('three Nodes', async () => (await nodes()).length === 3);
    const made = await living();
    expect(made).toHaveLength(3);
    for (const each of made)
      expect(each).toMatchObject({
        ...{ InstanceType: 'c5.large', ImageId: IMAGE, SubnetId: account.subnets.a },
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      });
    expect(new Set(made.map(({ Tags = [] }) => Tags.find(({ Key }) => Key === 'gala.internal/launch')?.Value))).toEqual(
      new Set(['0-0', '1-0', '2-0']),
    );
    expect(account.ec2.counts.of('RunInstances').calls).toBe(3);
    await eventually('no tokens', async () => (await tokens()).length === 0);
    await eventually('status', async () => (await condition('InstancesMissing'))?.status === 'False');
    expect(await status()).toMatchObject({ replicas: 3, hosts: { known: 3 } });
    expect((await bed.request('GET', `${GALA}/hostpools/burst/scale`)).body.status.replicas).toBe(3);
    expect(lines.filter((line) => /forbidden/i.test(line))).toEqual([]);
  }, 300_000);

  test('a kubelet’s serving certificate is approved for what EC2 shows of its instance, and for nothing else', async () => {
    const [{ InstanceId: id = '', PrivateIpAddress: ip = '' }] = (await living()) as [Instance];
    const ask = async (name: string, addresses: readonly string[]) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const request = await aKubeletsRequest(id, addresses, privateKey);
      const spec = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'], request };
      const asNode = { 'impersonate-user': `system:node:${id}`, 'impersonate-group': 'system:nodes' };
      const made = await bed.request(
        'POST',
        CSRS,
        { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec },
        asNode,
      );
      expect([made.status, made.body.message]).toEqual([201, undefined]);
    };
    await ask('theirs', ['10.99.0.1']);
    await ask('its-own', [ip]);
    const conditions = async (name: string) => (await bed.request('GET', `${CSRS}/${name}`)).body.status?.conditions ?? [];
    await eventually('the approval', async () => (await conditions('its-own')).length > 0);
    expect((await conditions('its-own'))[0]).toMatchObject({ type: 'Approved', reason: 'InstanceOfGala' });
    await eventually('a look at the other', async () =>
      lines.some((line) => line.includes('certificate request left alone') && line.includes('theirs')),
    );
    expect(await conditions('theirs')).toEqual([]);
  }, 300_000);

  test('an instance has its first certificate by the token of its launch, and not by that of another', async () => {
    clearInterval(joining);
    await scale(5);
    await eventually('two instances more', async () => (await living()).length === 5);
    await eventually('their tokens', async () => (await tokens()).length === 2);
    const known = new Set(await nodes());
    const fresh = (await living()).filter(({ InstanceId = '' }) => !known.has(InstanceId));
    const placeOf = ({ Tags = [] }: Instance) => Tags.find(({ Key }) => Key === 'gala.internal/launch')?.Value;
    const text = (data: Record<string, string>, key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
    const made = (await tokens()).map(({ data }) => ({
      token: `${text(data, 'token-id')}.${text(data, 'token-secret')}`,
      instance: fresh.find((each) => text(data, 'description').endsWith(` ${placeOf(each)}`))?.InstanceId ?? '',
    }));
    expect(new Set(made.map(({ instance }) => instance))).toEqual(new Set(fresh.map(({ InstanceId }) => InstanceId)));
    for (const { token, instance } of made) expect(await userDataOf(instance)).toContain(`token: ${token}`);
    const [one, other] = made as [(typeof made)[0], (typeof made)[0]];
    const ask = async (name: string, instance: string, token: string) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const spec = {
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['digital signature', 'client auth'],
        request: await aKubeletsRequest(instance, undefined, privateKey),
      };
      const body = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec };
      const answer = await bed.request('POST', CSRS, body, { authorization: `Bearer ${token}` });
      expect([answer.status, answer.body.message]).toEqual([201, undefined]);
    };
    // Another process leads by then, which made none of the tokens.
    await programs.at(-1)?.stop();
    await startCloud();
    await ask('by-another', one.instance, other.token);
    await ask('by-its-own', one.instance, one.token);
    await eventually(
      'the approval',
      async () => (await bed.request('GET', `${CSRS}/by-its-own`)).body.status?.conditions?.[0]?.type === 'Approved',
    );
    await eventually('a look at the other', async () =>
      lines.some((line) => line.includes('certificate request left alone') && line.includes('by-another')),
    );
    expect((await bed.request('GET', `${CSRS}/by-another`)).body.status?.conditions ?? []).toEqual([]);
    joining = setInterval(() => void join().catch((error) => lines.push(`join: ${error}`)), 500);
    await scale(3);
    await eventually('three Nodes', async () => (await nodes()).length === 3 && (await living()).length === 3);
  }, 300_000);

  test('it may touch no Secret of kube-system but bootstrap tokens', async () => {
    const api = await connect({ kubeconfig: await kubeconfigOf(bed, 'gala-system', 'gala-cloud') });
    const made = api.request({
      ...{ method: 'POST', path: '/api/v1/namespaces/kube-system/secrets' },
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'somebody-elses' }, type: 'Opaque' },
    });
    await expect(made).rejects.toThrow('it makes and deletes bootstrap tokens, and touches no other Secret');
    api.close();
  });

  test('a launch that is asked for again has a token that is good for an hour from then on', async () => {
    const api = await connect({ kubeconfig: await kubeconfigOf(bed, 'gala-system', 'gala-cloud') });
    const launch = { pool: 'burst', place: 99, generation: 0 };
    let wallMs = Date.now();
    const making = launches({ api, tags: { cluster: 'cloud-t', clusterUid: 'another' }, namespace: 'gala-system', wallMs: () => wallMs });
    const { spec } = (await bed.request('GET', `${GALA}/hostpools/burst`)).body;
    const ec2 = ec2Account({ region: account.ec2.region, part: DEFAULT_PART, signal: AbortSignal.timeout(60_000), clock });
    const prepare = async () => {
      const { userData } = await making.prepare({ ...ec2, keepTemplate: async () => {} }, launch, spec.ec2);
      const its = (await tokens()).find(({ data }) =>
        Buffer.from(data.description ?? '', 'base64')
          .toString()
          .endsWith(' 99-0'),
      );
      return { userData, expires: Date.parse(Buffer.from(its?.data.expiration ?? '', 'base64').toString()) };
    };
    const first = await prepare();
    wallMs += 50 * 60_000;
    const again = await prepare();
    expect([again.userData, again.expires - first.expires]).toEqual([first.userData, 50 * 60_000]);
    await making.deleteToken(launch);
    ec2.close();
    api.close();
  });

  test('a capacity reservation that EC2 does not know any more has no room, and fails no look', async () => {
    const ec2 = ec2Account({ region: account.ec2.region, part: DEFAULT_PART, signal: AbortSignal.timeout(60_000), clock });
    expect(await ec2.reservations(['cr-0123456789abcdef0'])).toEqual([]);
    ec2.close();
  });

  test('fewer: the pods of the one that goes are evicted first, and a disruption budget holds it', async () => {
    await scale(3);
    for (const name of await nodes()) {
      const metadata = { name: `feed-${name}`, namespace: 'default', labels: { app: 'feed' } };
      const spec = { nodeName: name, containers: [{ name: 'feed', image: 'feed:1' }], terminationGracePeriodSeconds: 0 };
      expect((await bed.request('POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec })).status).toBe(
        201,
      );
      // As its kubelet reports it: a budget counts what is Ready.
      const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      await bed.request('PATCH', `/api/v1/namespaces/default/pods/${metadata.name}/status`, { status: ready }, MERGE);
    }
    const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'feed', namespace: 'default' } };
    await bed.request('POST', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', {
      ...budget,
      spec: { minAvailable: 3, selector: { matchLabels: { app: 'feed' } } },
    });
    await eventually('the budget', async () => {
      const seen = (await bed.request('GET', '/apis/policy/v1/namespaces/default/poddisruptionbudgets/feed')).body.status;
      return seen?.currentHealthy === 3 && seen.disruptionsAllowed === 0;
    });
    await scale(1);
    await eventually('the condition', async () => (await condition('Draining'))?.reason === 'BudgetHolds');
    expect((await condition('Draining')).message).toContain('Held by disruption budgets: default/feed-i-');
    expect(await living()).toHaveLength(3);
    const leaving = (await Promise.all((await nodes()).map(node))).filter(({ spec }) => spec.unschedulable);
    expect(leaving.map(({ metadata }) => metadata.annotations['gala.internal/leaving'])).toEqual(
      leaving.map(({ metadata }) => metadata.name),
    );
    expect(leaving).toHaveLength(2);

    await bed.request('DELETE', '/apis/policy/v1/namespaces/default/poddisruptionbudgets/feed');
    await eventually('one instance', async () => (await living()).length === 1);
    await eventually('one Node', async () => (await nodes()).length === 1);
    const left = (await bed.request('GET', '/api/v1/namespaces/default/pods')).body.items;
    expect(left.map((pod: { spec: { nodeName: string } }) => pod.spec.nodeName)).toEqual(await nodes());
    const told = await events();
    for (const reason of ['Launched', 'Draining', 'DrainHeld', 'Terminated', 'NodeDeleted'])
      expect(told).toContainEqual(expect.stringMatching(new RegExp(`^${reason} `)));
  }, 300_000);

  test('an instance that ends from outside takes its Node along, and another is launched; where its type has no capacity, of the next', async () => {
    const [gone = ''] = await nodes();
    const writer = JSON.parse(readFileSync(await kubeconfigOf(bed, 'gala-system', 'gala-scheduler'), 'utf8')).users[0].user.token;
    const address = anIPLock('10.0.1.200', { node: gone, phase: 'Locked', podUID: POD_UID });
    const locked = await bed.request('POST', `${GALA}/iplocks`, address, { authorization: `Bearer ${writer}` });
    expect([locked.status, locked.body.message]).toEqual([201, undefined]);
    account.ec2.setCapacity('c5.large', account.zones.a, 0);
    await account.client.send(new TerminateInstancesCommand({ InstanceIds: [gone] }));
    await eventually('another', async () => (await living()).some(({ InstanceType }) => InstanceType === 'm5.large'));
    await eventually('its Node to go', async () => !(await nodes()).includes(gone));
    // Its address is told that the machine is off, or it would be kept for want of anybody who says so.
    expect((await bed.request('GET', `${GALA}/iplocks/10.0.1.200`)).body.metadata.annotations).toMatchObject({
      'gala.internal/fenced': POD_UID,
    });
    expect((await living()).length).toBe(1);
    expect((await events()).some((event) => event.startsWith(`NoCapacity c5.large in ${account.zones.a}`))).toBe(true);
    account.ec2.setCapacity('c5.large', account.zones.a, undefined);
  }, 300_000);

  test('a process that ends between RunInstances and its answer leaves a launch that the next one finds: nothing is launched twice', async () => {
    await programs.at(-1)?.stop();
    // EC2 does it and nobody hears: as if the process had ended then.
    account.ec2.fail('RunInstances', { do: 'lose reply' }, { times: 2 });
    const stop = await startCloud();
    const launched = account.ec2.counts.of('RunInstances').calls;
    await scale(3);
    await eventually('two launches', async () => account.ec2.counts.of('RunInstances').calls >= launched + 2);
    await stop();
    account.ec2.heal();
    await startCloud();
    await eventually('three Nodes', async () => (await nodes()).length === 3);
    await eventually('status', async () => (await condition('InstancesMissing'))?.status === 'False');
    expect(await living()).toHaveLength(3);
    const places = (await living()).map(({ Tags = [] }) => Tags.find(({ Key }) => Key === 'gala.internal/launch')?.Value?.split('-')[0]);
    expect(new Set(places).size).toBe(3);
  }, 300_000);

  test('what EC2 refuses stands in the status of the pool, in its words', async () => {
    account.ec2.fail('RunInstances', { do: 'error', code: 'UnauthorizedOperation', message: 'You are not authorized' }, { times: 1_000 });
    await scale(4);
    await eventually('the condition', async () => (await condition('LaunchesRefused'))?.status === 'True');
    expect((await condition('LaunchesRefused')).message).toContain('RunInstances: UnauthorizedOperation: You are not authorized');
    account.ec2.heal();
    await eventually('four Nodes', async () => (await nodes()).length === 4);
  }, 300_000);

  test('an instance that joins EKS has what nodeadm asks for, and no token', async () => {
    await bed.request('PATCH', `${GALA}/hostpools/managed/scale`, { spec: { replicas: 1 } }, MERGE);
    await eventually('its launch', async () => (await instances('managed')).length === 1);
    const text = await userDataOf((await instances('managed'))[0]?.InstanceId ?? '');
    const { data } = (await bed.request('GET', '/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt')).body;
    const [cidr] = (await bed.request('GET', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes')).body.spec.cidrs;
    expect(text).toContain(`certificateAuthority: ${Buffer.from(data['ca.crt']).toString('base64')}\n`);
    expect(text).toContain(`cidr: ${cidr}\n`);
    expect([await tokens(), text.includes('__GALA')]).toEqual([[], false]);
    await bed.request('PATCH', `${GALA}/hostpools/managed/scale`, { spec: { replicas: 0 } }, MERGE);
    await eventually('its end', async () => (await instances('managed')).every(({ State }) => State?.Name === 'terminated'));
  }, 300_000);

  test('down to none, nothing is left: no instance, no Node, no token', async () => {
    await scale(0);
    await eventually('no Node', async () => (await nodes()).length === 0);
    expect([await living(), await tokens()]).toEqual([[], []]);
  }, 300_000);
});
