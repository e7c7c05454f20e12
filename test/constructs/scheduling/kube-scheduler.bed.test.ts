import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type KubeSchedulerProps, Scheduling } from 'cdk8s-gala';
import { parse, stringify } from 'yaml';
import { MINORS } from '../../../lib/api/pool.ts';
import { kubeconfigOf } from '../../bed/account.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { type Started, start, until } from '../../bed/process.ts';
import { strictlyDecode } from '../../bed/strict.ts';
import { aCluster, rendered } from '../a-cluster.ts';

const PODS = '/api/v1/namespaces/gala-system/pods';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces';

const aNode = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'r12-01' },
  status: {
    allocatable: { cpu: '4', memory: '8Gi', pods: '100' },
    capacity: { cpu: '4', memory: '8Gi', pods: '100' },
    conditions: [{ type: 'Ready', status: 'True' }],
  },
};

const aPod = (name: string, schedulerName?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'gala-system' },
  spec: { schedulerName, containers: [{ name: 'main', image: 'main:1' }] },
});

const everyOption: KubeSchedulerProps = {
  securePort: 10300,
  percentageOfNodesToScore: 30,
  qps: 100,
  burst: 150,
  plugins: { multiPoint: { disabled: [{ name: 'ImageLocality' }] }, score: { enabled: [{ name: 'NodeResourcesFit', weight: 5 }] } },
  pluginConfig: { NodeResourcesFit: { scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 1 }] } } },
};

describeBed('the stock kube-scheduler on the rendered configuration', ['etcd', 'kube-apiserver', 'kube-scheduler'], () => {
  let bed: Bed;
  let extenderPort: number;
  beforeAll(async () => {
    // No scheduler but ours, so that whatever is bound is bound by it.
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    extenderPort = await bed.network.port(10270);
  });
  afterAll(() => bed?.stop());

  /** Starts kube-scheduler as the rendered pod would: its command line, its file, the rights of its ServiceAccount and no others. */
  async function startScheduler(props: KubeSchedulerProps): Promise<Started> {
    const out = rendered(aCluster(), (scope) => {
      new Scheduling(scope, 'scheduler', { kubeScheduler: props });
    });
    const applied = await bed.apply(out.objects);
    expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
    const [, container] = out.get('Deployment/gala-system/gala-scheduler').spec.template.spec.containers;
    const config = parse(out.get('ConfigMap/gala-system/gala-scheduler-kube-scheduler-config').data['kube-scheduler.yaml']);
    const kubeconfig = await kubeconfigOf(bed, 'gala-system', 'gala-scheduler');
    // In a pod an absent kubeconfig means the pod's own account; and here the port may be somebody else's.
    config.clientConnection.kubeconfig = kubeconfig;
    config.extenders[0].urlPrefix = `http://127.0.0.1:${extenderPort}`;
    const file = join(bed.folder, 'gala-scheduler.yaml');
    writeFileSync(file, stringify(config));
    const args = container.args.map((arg: string) => (arg.startsWith('--config=') ? `--config=${file}` : arg));
    return bed.run('kube-scheduler', [...args, `--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`]);
  }

  const get = async (path: string) => (await bed.request('GET', path)).body;

  /** Pods that wait behind the gate, as far as kube-scheduler is concerned: let through by whoever may. */
  async function letThrough(pod: string): Promise<void> {
    const asWriter = { 'impersonate-user': 'system:serviceaccount:gala-system:gala-scheduler', 'impersonate-group': 'system:masters' };
    const patch = { spec: { schedulingGates: null } };
    await bed.request('PATCH', `${PODS}/${pod}`, patch, { ...asWriter, 'content-type': 'application/merge-patch+json' });
  }

  /** An extender to which every node is right, in another process of the pod's network. */
  function agreeing(): Started {
    const answer = `(JSON.parse(body)).NodeNames`;
    const serve = `require('node:http').createServer((request, response) => { let body = ''; request.on('data', (some) => { body += some; }); request.on('end', () => response.end(JSON.stringify({ NodeNames: ${answer} }))); }).listen(${extenderPort}, '127.0.0.1')`;
    const extender = start('extender', bed.network.within([process.execPath, '-e', serve]), join(bed.folder, 'extender.log'));
    bed.atEnd(extender.kill);
    return extender;
  }

  test('it starts, leads by its own Lease, and binds the pods that ask for it, with the consent of its extender, and no others', async () => {
    const scheduler = await startScheduler({ securePort: await bed.network.port(10269) });
    await until('leading', scheduler, 60, async () =>
      Boolean((await get(`${LEASES}/gala-system/leases/gala-scheduler`)).spec.holderIdentity),
    );
    await bed.request('POST', '/api/v1/nodes', aNode);
    await bed.request('PATCH', '/api/v1/nodes/r12-01', { spec: { taints: null } }, { 'content-type': 'application/merge-patch+json' });
    await bed.request('POST', '/api/v1/namespaces/gala-system/serviceaccounts', { metadata: { name: 'default' } });
    for (const pod of [aPod('other'), aPod('ours', 'gala-scheduler')]) await bed.request('POST', PODS, pod);
    await letThrough('ours');
    const waits = async () => JSON.stringify((await get(`${PODS}/ours`)).status.conditions ?? []).includes(`127.0.0.1:${extenderPort}`);
    await until('waiting for an extender that is not there', scheduler, 60, waits);
    const extender = agreeing();
    await until('binding', [scheduler, extender], 60, async () => (await get(`${PODS}/ours`)).spec.nodeName === 'r12-01');
    expect((await get(`${PODS}/other`)).spec.nodeName).toBeUndefined();
    expect((await bed.request('GET', `${LEASES}/kube-system/leases/kube-scheduler`)).status).toBe(404);
    expect(scheduler.log()).not.toMatch(/forbidden/i);
    await extender.kill();
    await scheduler.kill();
    // Killed, it gave nothing back, and the next one would wait for 15 s.
    await bed.request('DELETE', `${LEASES}/gala-system/leases/gala-scheduler`);
  }, 300_000);

  /** What a scheduler answers its kubelet's readiness probe. */
  function readyz(port: number): string {
    const ask = `fetch('https://127.0.0.1:${port}/readyz').then((it) => console.log(it.status), () => console.log('nobody'))`;
    const [program = '', ...args] = bed.network.within([process.execPath, '-e', ask]);
    // Its certificate is made in memory.
    const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    return execFileSync(program, args, { env, encoding: 'utf8', stdio: 'pipe' }).trim();
  }

  test('a second one is ready while it waits, and never leads beside the first', async () => {
    const leading = /successfully acquired lease/i;
    const ports = [await bed.network.port(10301), await bed.network.port(10302)];
    const both: Started[] = [];
    for (const securePort of ports) both.push(await startScheduler({ securePort }));
    for (const [index, port] of ports.entries()) await until('ready', both[index]!, 60, async () => readyz(port) === '200');
    await until('leading', both[0]!, 60, async () => both.some((one) => leading.test(one.log())));
    expect(both.filter((one) => leading.test(one.log()))).toHaveLength(1);
    const { spec } = await get(`${LEASES}/gala-system/leases/gala-scheduler`);
    expect(spec.leaseDurationSeconds).toBe(15);
    for (const one of both) await one.kill();
  }, 300_000);

  test('it starts with every option, the extender included', async () => {
    const securePort = await bed.network.port(10300);
    const scheduler = await startScheduler({ ...everyOption, securePort });
    // It says so only when the file was decoded strictly and its certificate made.
    await until('serving', scheduler, 60, async () => scheduler.log().includes(`Serving securely on 127.0.0.1:${securePort}`));
    expect(scheduler.log()).not.toMatch(/deprecated|unknown field|forbidden/i);
    await scheduler.kill();
  });

  test('a field that kube-scheduler does not know would have been found', async () => {
    const scheduler = await startScheduler({ pluginConfig: { NodeResourcesFit: { scoringStrategi: {} } } });
    expect(await scheduler.ended).toBe('ended with exit code 1');
    expect(scheduler.lastLines(1)).toContain('unknown field \\"scoringStrategi\\"');
  });
});

describeBed(
  'the rendered configuration in the eyes of every minor',
  ['kubelet-types-1.35', 'kubelet-types-1.36', 'kubelet-types-1.37'],
  () => {
    test.each(MINORS)('%s drops no field of it', async (minor) => {
      for (const props of [{}, everyOption]) {
        const out = rendered(aCluster({ kubernetes: minor }), (scope) => {
          new Scheduling(scope, 'scheduler', { kubeScheduler: props });
        });
        const { data } = out.get('ConfigMap/gala-system/gala-scheduler-kube-scheduler-config');
        expect(await strictlyDecode(minor, data['kube-scheduler.yaml'])).toEqual([]);
      }
    });

    test('a field that a minor does not know would have been found', async () => {
      const yaml = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nparalelism: 8\n';
      expect(await strictlyDecode('1.35', yaml)).toEqual([expect.stringContaining('paralelism')]);
    });
  },
);
