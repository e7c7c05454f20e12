/**
 * What gala-cni is given is what its work takes, on a node with a real kubelet and containerd: its pod as it was rendered, but with a shell
 * in place of the program.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../../constructs/testing.ts';
import { defineCluster, intranet } from '../../../lib/api/definition.ts';
import type { KubeObject } from '../../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { BUSINESS, businessImage, galaImage, REGISTRY } from '../../bed/images.ts';
import { startNodes } from '../../bed/nodes.ts';
import { standInNetwork } from '../../bed/stand-in-network.ts';

/** On a machine that is busy otherwise. */
const BUSY_MS = 400_000;
const TRUNK = 'bond0';
const NODE = 'node-1';

const definition = (apiServer: string) =>
  defineCluster({
    name: 'bed',
    kubernetes: '1.37',
    apiServer,
    registry: REGISTRY,
    concerns: ['scheduling', 'network'],
    pools: {
      web: intranet({
        racks: { r1: NODE },
        trunk: TRUNK,
        vlans: { 110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.10-10.110.0.29' } },
        machine: { cpu: 1, memory: '1Gi', reserved: { cpu: '250m', memory: '256Mi' } },
      }),
    },
  });

describeBed('the pod of gala-cni on a node', ['control-plane', 'nodes', 'containernetworking-plugins'], () => {
  let bed: Bed;
  let agent: string;

  beforeAll(async () => {
    bed = await startControlPlane({ nodes: true, without: ['kube-scheduler'] });
    const out = rendered(definition(bed.url));
    const folder = `${bed.folder}/images`;
    const [image] = out.images;
    const images = [businessImage(folder), await galaImage(folder, image)];
    // Another network: Gala's own is not what is tested, only what it would be made with.
    const network = standInNetwork({ trunk: TRUNK, vlan: 110, subnet: '10.110.0.0/24', first: '10.110.0.10', last: '10.110.0.19' });
    await startNodes(bed, { names: [NODE], trunk: TRUNK, images, files: () => network });
    const made = out.objects.filter(({ metadata, kind }) => metadata.name === 'gala-cni' || kind === 'Namespace');
    const applied = await bed.apply(made.map((object) => (object.kind === 'DaemonSet' ? withShell(object) : object)));
    expect(applied.filter(({ result }) => result === 'refused')).toEqual([]);
    // It stands for the scheduler that this bed does without; the controller of DaemonSets pins its pods by affinity.
    await kubectl('label', 'node', NODE, 'gala.internal/pool=web');
    agent = await bound('gala-system', 'app.kubernetes.io/name=gala-cni');
    await kubectl('-n', 'gala-system', 'wait', '--for=condition=Ready', `pod/${agent}`, '--timeout=100s');
    // After the agent, so that its network namespace is mounted while the agent runs.
    await bed.apply([aPod('business')]);
    expect(await kubectl('wait', '--for=condition=Ready', 'pod/business', '--timeout=100s')).toMatch('met');
  }, BUSY_MS);
  afterAll(async () => await bed?.stop());

  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await bed.kubectl(args, { seconds: 110 });
    return code === 0 ? stdout : `${code}: ${stderr}${stdout}`;
  };
  const run = (script: string) => kubectl('-n', 'gala-system', 'exec', agent, '--', 'sh', '-c', script);

  /** The pod of a selector, once it is there, bound to the node. */
  async function bound(namespace: string, selector: string): Promise<string> {
    for (let tries = 0; tries < 600; tries++) {
      const { body } = await bed.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`);
      const [pod] = body.items ?? [];
      if (pod !== undefined) {
        const target = { apiVersion: 'v1', kind: 'Node', name: NODE };
        const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.metadata.name }, target };
        await bed.request('POST', `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/binding`, binding);
        return pod.metadata.name;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`no pod of ${selector}`);
  }

  const NETNS = 'for ns in /var/run/netns/*; do :; done';

  test('enters the network namespace of a pod that came after it, and makes a link there', async () => {
    expect(await run(`${NETNS}; nsenter --net=$ns ip -o -4 addr show dev eth0`)).toContain('10.110.0.1');
    expect(
      await run(
        `${NETNS}; set -e; ip link add name galat0 type veth peer name galat1 netns $ns; nsenter --net=$ns ip link show galat1; ip link del galat0`,
      ),
    ).toContain('galat1');
  });

  test("writes settings of the pod's namespace, and the host's own stay as they are", async () => {
    const value = '/host/proc/sys/net/ipv4/conf/default/arp_notify';
    const told = await run(`${NETNS}; set -e; nsenter --net=$ns sh -c 'echo 1 > ${value}'; nsenter --net=$ns cat ${value}; cat ${value}`);
    expect(told).toBe('1\n0\n');
  });

  test('shapes what a pod sends', async () => {
    const told = await run(
      `${NETNS}; set -e; nsenter --net=$ns tc qdisc replace dev eth0 root tbf rate 10mbit burst 32kb latency 25ms; nsenter --net=$ns tc qdisc show dev eth0; nsenter --net=$ns tc qdisc del dev eth0 root`,
    );
    expect(told).toContain('tbf');
  });

  test('asks on the wire with packet sockets', async () => {
    const answer = await run(`/opt/gala/cni/gala-probe ${TRUNK}.110 300 free:10.110.0.29`);
    expect(JSON.parse(answer).silent).toEqual(['10.110.0.29']);
  });

  test('talks to containerd over a socket that is mounted read-only', async () => {
    const connect = "require('net').connect('/run/containerd/containerd.sock', () => { console.log('connected'); process.exit(); })";
    expect(await run(`node -e "${connect}"`)).toBe('connected\n');
    expect(await run(': > /run/containerd/mine')).toContain('Read-only file system');
  });

  test('writes where it installs and keeps its journal, and nowhere else', async () => {
    const put = "fs.writeFileSync('mine.part', ''); fs.renameSync('mine.part', 'mine'); fs.rmSync('mine')";
    const folders = "['/opt/cni/bin', '/etc/cni/net.d', '/run/gala']";
    expect(await run(`node -e "for (const folder of ${folders}) { process.chdir(folder); ${put}; console.log('done') }"`)).toBe(
      'done\n'.repeat(3),
    );
    expect(await run(': > /usr/mine')).toContain('Read-only file system');
    expect(await run('echo 1 > /proc/sys/net/ipv4/ip_forward')).toContain('Read-only file system');
  });
});

/** A container of the same kind that waits to be asked; its probes would ask the program. */
function withShell(object: KubeObject): KubeObject {
  // biome-ignore lint/suspicious/noExplicitAny: a plain object as it was rendered
  const copy = structuredClone(object) as any;
  const [container] = copy.spec.template.spec.containers;
  Object.assign(container, { command: ['sh', '-c', 'sleep 100000'], args: undefined });
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) delete container[probe];
  return JSON.parse(JSON.stringify(copy));
}

const aPod = (name: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName: NODE, tolerations: [{ operator: 'Exists' }], containers: [{ name: 'main', image: BUSINESS }] },
  }) as KubeObject;
