import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../constructs/testing.ts';
import { defineCluster, intranet } from '../../lib/api/definition.ts';
import type { KubeObject } from '../../lib/api/manifest.ts';

import { hostFilesOf } from './cluster.ts';
import { type Bed, startControlPlane } from './control-plane.ts';
import { describeBed } from './describe-bed.ts';
import { BUSINESS, BUSINESS_PORT, GALA, galaImage } from './images.ts';
import type { BedNode } from './node.ts';
import { ready, startNodes } from './nodes.ts';
import { sweep } from './records.ts';
import { environment, jestOn } from './samples/a-run.ts';
import { processesIn } from './samples/processes.ts';
import { standInNetwork } from './stand-in-network.ts';

const TRUNK = 'bond0';
const VLAN = 110;
const VERSION = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version;

const definition = (apiServer: string) =>
  defineCluster({
    name: 'bed',
    kubernetes: '1.37',
    apiServer,
    pools: {
      web: intranet({
        racks: { r1: 'node-[1-2]' },
        trunk: TRUNK,
        vlans: { [VLAN]: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.10-10.110.0.29' } },
        machine: { cpu: 1, memory: '1Gi', reserved: { cpu: '250m', memory: '256Mi' } },
        kubelet: { podPidsLimit: 512 },
      }),
    },
  });

/** On a machine that is busy otherwise; an idle one needs a tenth. */
const BUSY_MS = 300_000;

/** Of each node, `10.110.0.10` to 19 and so on. */
const standIn = (node: string) => {
  const tens = Number(node.at(-1));
  return standInNetwork({ trunk: TRUNK, vlan: VLAN, subnet: '10.110.0.0/24', first: `10.110.0.${tens}0`, last: `10.110.0.${tens}9` });
};

const aPod = (name: string, nodeName: string, more: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'main', image: BUSINESS, ...more }],
      restartPolicy: 'args' in more ? 'Never' : 'Always',
    },
  }) as KubeObject;

describeBed('two nodes', ['control-plane', 'nodes', 'containernetworking-plugins'], () => {
  let bed: Bed;
  let one: BedNode;
  let two: BedNode;

  beforeAll(async () => {
    bed = await startControlPlane({ nodes: true, without: ['kube-scheduler'] });
    const out = rendered(definition(bed.url));
    const files = (name: string) => ({ ...hostFilesOf(out, name), ...standIn(name) });
    [one, two] = (await startNodes(bed, { names: ['node-1', 'node-2'], trunk: TRUNK, files })) as [BedNode, BedNode];
  }, BUSY_MS);
  afterAll(async () => await bed?.stop());

  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await bed.kubectl(args, { seconds: 110 });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  const pod = async (name: string) => (await bed.request('GET', `/api/v1/namespaces/default/pods/${name}`)).body;
  const waitFor = async (what: string, name: string) => expect(await kubectl('wait', what, `pod/${name}`, '--timeout=100s')).toMatch('met');
  const ask = async (from: string, to: string) =>
    kubectl('exec', from, '--', 'wget', '-qO-', `http://${(await pod(to)).status.podIP}:${BUSINESS_PORT}/`);

  test('are Ready as the hosts that synth rendered: labels, taint, what its drop-ins say, sysctls', async () => {
    const { metadata, spec, status } = (await bed.request('GET', `/api/v1/nodes/${one.name}`)).body;
    expect(metadata.labels).toMatchObject({ 'gala.internal/pool': 'web', 'gala.internal/rack': 'r1' });
    expect(spec.taints).toEqual([{ key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' }]);
    expect(status.addresses).toContainEqual({ type: 'InternalIP', address: one.address });
    // What can be wired, gala-cni itself, and the five that others bring.
    expect(status.allocatable).toMatchObject({ cpu: '750m', pods: '26' });
    const { kubeletconfig } = (await bed.request('GET', `/api/v1/nodes/${one.name}/proxy/configz`)).body;
    expect(kubeletconfig).toMatchObject({ podPidsLimit: 512, systemReserved: { memory: '256Mi' }, authorization: { mode: 'Webhook' } });
    expect(await one.mustExec(['cat', '/proc/sys/fs/inotify/max_user_instances'])).toBe('8192\n');
  });

  test('are each known by a certificate of their own, which lets them write of themselves only', async () => {
    const as = (node: BedNode, ...args: string[]) =>
      kubectl(...args, '--kubeconfig', join(node.folder, 'root/etc/kubernetes/kubelet.conf'));
    expect(await as(one, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')).toBe('system:node:node-1');
    expect(await as(one, 'annotate', 'node', 'node-1', 'mine=yes')).toMatch('annotated');
    expect(await as(one, 'annotate', 'node', 'node-2', 'mine=no')).toMatch(/^1: .*Forbidden.*node 'node-1' cannot read 'node-2'/);
  });

  test('run pods, which answer each other across nodes over the VLAN', async () => {
    await bed.apply([aPod('here', one.name), aPod('there', two.name)]);
    await Promise.all([waitFor('--for=condition=Ready', 'here'), waitFor('--for=condition=Ready', 'there')]);
    expect([await ask('here', 'there'), await ask('there', 'here')]).toEqual(['there\n', 'here\n']);
    expect(await two.mustExec(['ip', '-d', '-br', 'link', 'show', 'type', 'vlan'])).toMatch(`${TRUNK}.${VLAN}@${TRUNK}`);
  });

  test('show what a container says, and let a command be run in it', async () => {
    expect(await kubectl('logs', 'here')).toBe('serving as here\n');
    expect(await kubectl('exec', 'there', '--', 'sh', '-c', 'hostname; exit 7')).toMatch(/^7: /);
  });

  test(
    "run Gala's image as its Dockerfile describes it",
    async () => {
      await one.import(await galaImage(join(bed.folder, 'images')));
      await bed.apply([aPod('gala', one.name, { image: GALA, args: ['--version'] })]);
      await waitFor('--for=jsonpath={.status.phase}=Succeeded', 'gala');
      expect(await kubectl('logs', 'gala')).toBe(`${VERSION}\n`);
    },
    BUSY_MS,
  );

  test('run commands for the bed, each with its end', async () => {
    expect(await one.exec(['sh', '-c', 'cat; echo no >&2; exit 3'], { stdin: 'a line\n' })).toEqual({
      code: 3,
      stdout: 'a line\n',
      stderr: 'no\n',
    });
    expect(await one.exec(['nothing-like-it'])).toMatchObject({ code: 127, stderr: 'nothing-like-it: No such file or directory\n' });
    const late = /^sh -c echo begun; sleep 600 in node-1: did not end within 2 s and was killed\. It had said:\nbegun$/;
    await expect(one.exec(['sh', '-c', 'echo begun; sleep 600'], { seconds: 2 })).rejects.toThrow(late);
    expect(await one.mustExec(['sh', '-c', 'pidof sleep || echo none'])).toBe('none\n');
    const many = await Promise.all(['a', 'b', 'c'].map((word) => one.mustExec(['echo', word])));
    expect(many).toEqual(['a\n', 'b\n', 'c\n']);
  });

  test('load a kernel module when something needs it, as any host does', async () => {
    expect(await one.mustExec(['grep', '-c', '^ipvlan ', '/proc/modules']).catch(() => 'none')).toBe('none');
    await one.mustExec(['ip', 'link', 'add', 'link', TRUNK, 'name', 'probe', 'type', 'ipvlan']);
    await one.mustExec(['ip', 'link', 'delete', 'probe']);
    expect(await one.mustExec(['grep', '-c', '^ipvlan ', '/proc/modules'])).toBe('1\n');
  });

  test('take a NIC while they run, known by its MAC, and give it back, out of a namespace too', async () => {
    const mac = '06:aa:bb:cc:dd:01';
    const { name } = await one.plugNic({ mac });
    expect(await one.mustExec(['cat', `/sys/class/net/${name}/address`])).toBe(`${mac}\n`);
    await one.mustExec(['sh', '-ec', `ip netns add pod; ip link set ${name} netns pod; ip -n pod link set ${name} up`]);
    await one.unplugNic({ mac });
    expect(await one.mustExec(['ip', '-n', 'pod', '-br', 'link'])).not.toContain(mac);
    await expect(one.unplugNic({ mac })).rejects.toThrow(`node-1 has no plugged NIC ${mac}; it has none`);
  });

  test(
    'that are killed come back as the same machines, with their disks and pods',
    async () => {
      const idOf = async () => (await bed.request('GET', `/api/v1/nodes/${two.name}`)).body.status.nodeInfo;
      const before = await idOf();
      await two.mustExec(['sh', '-c', 'echo kept > /var/kept; sync']);
      const asked = expect(two.exec(['sleep', '600'])).rejects.toThrow('sleep 600 in node-2: the node was ended by SIGKILL');
      await two.kill();
      await asked;
      await expect(two.exec(['true'])).rejects.toThrow('node-2 is switched off');

      await two.boot();
      await ready(bed, two, Date.now());
      expect(await two.mustExec(['cat', '/var/kept'])).toBe('kept\n');
      const after = await idOf();
      expect(after.machineID).toBe(before.machineID);
      expect(after.bootID).not.toBe(before.bootID);
      for (let tries = 0; tries < 200 && (await ask('here', 'there')) !== 'there\n'; tries++)
        await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await ask('here', 'there')).toBe('there\n');
    },
    BUSY_MS,
  );

  test('are switched off with what they have written, and leave nothing once the bed is stopped', async () => {
    await two.halt();
    expect([two.running(), processesIn(two.folder)]).toEqual([false, []]);
    expect(two.log('console')).toMatch(/System halted\s*$/);
    expect(processesIn(one.folder)).not.toEqual([]);
    await bed.stop();
    expect(processesIn(bed.folder)).toEqual([]);
    expect(existsSync(bed.folder)).toBe(false);
  });
});

describeBed('a bed that nodes cannot join', ['control-plane', 'nodes'], () => {
  test.each([
    ['was not told of them', {}, 'this bed knows no nodes. Start it with startControlPlane({ nodes: true })'],
    ['is on loopback', { network: 'loopback', nodes: true } as const, 'nodes need a network namespace, and this bed is on loopback'],
  ])('because it %s says so', async (_, options, message) => {
    const bed = await startControlPlane({ ...options, without: ['kube-controller-manager', 'kube-scheduler'] });
    try {
      await expect(startNodes(bed, { names: ['node-1'] })).rejects.toThrow(message);
    } finally {
      await bed.stop();
    }
  });
});

describeBed('a test run that is killed', ['control-plane', 'nodes'], () => {
  test('takes its nodes with it', async () => {
    const run = jestOn('holds-a-node', environment({ GALA_BED_BIN: process.env.GALA_BED_BIN ?? '' }), 110);
    const folder = await new Promise<string>((resolve, reject) => {
      let said = '';
      run.stderr?.on('data', (data) => {
        said += data;
        const holds = /^HOLDS (.*)$/m.exec(said)?.[1];
        if (holds) resolve(holds);
      });
      run.once('exit', () => reject(new Error(said)));
    });
    expect(processesIn(folder).length).toBeGreaterThan(0);
    run.kill('SIGKILL');
    for (let tries = 0; tries < 1200 && processesIn(folder).length > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(processesIn(folder)).toEqual([]);
    sweep();
    expect(existsSync(folder)).toBe(false);
  });
});
