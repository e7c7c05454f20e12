/**
 * The network as synth rendered it, on two hosts with real kubelets and containerds behind a VLAN trunk: pods get the addresses that
 * were locked for them, and keep them.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defineCluster, intranet } from '../../lib/api/definition.ts';
import { IPLock } from '../../lib/api/kinds.ts';
import { WIRED } from '../../lib/api/network.ts';
import { connect } from '../../lib/kube/client.ts';
import { kindOf } from '../../lib/kube/kinds.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type BedCluster, startCluster } from '../bed/cluster.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { BUSINESS, BUSINESS_PORT } from '../bed/images.ts';
import type { BedNode } from '../bed/node.ts';
import { ready } from '../bed/nodes.ts';
import { standInNetwork } from '../bed/stand-in-network.ts';
import { gala } from '../cli/gala.ts';

const TRUNK = 'bond0';
/** On a machine that is busy otherwise; an idle one needs a tenth. */
const BUSY_MS = 420_000;

const definition = defineCluster({
  name: 'bed',
  kubernetes: '1.37',
  apiServer: 'https://the-bed.internal:6443',
  concerns: ['network', 'scheduling'],
  pools: {
    web: intranet({
      racks: { r1: 'node-[1-2]' },
      trunk: TRUNK,
      vlans: { 110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.10-10.110.0.29' } },
      machine: { cpu: 1, memory: '1Gi', reserved: { cpu: '100m', memory: '256Mi' } },
    }),
  },
});

/** Control-plane nodes keep the network that they have. */
const onSystem = (node: string): Record<string, string> =>
  node === 'system'
    ? standInNetwork({ trunk: TRUNK, vlan: 110, subnet: '10.110.0.0/24', first: '10.110.0.200', last: '10.110.0.209' })
    : {};

describeBed('the network of a cluster as synth rendered it', ['control-plane', 'nodes', 'containernetworking-plugins'], () => {
  let cluster: BedCluster;
  let hosts: readonly BedNode[];
  beforeAll(async () => {
    cluster = await startCluster({ definition, files: onSystem });
    hosts = cluster.hosts;
  }, BUSY_MS);
  afterAll(async () => {
    if (process.env.SHOW)
      process.stderr.write(await kubectl('logs', '-n', 'gala-system', '--tail=60', '--selector=app.kubernetes.io/name=gala-cni'));
    await cluster?.stop();
  });

  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.bed.kubectl(args, { seconds: 290 });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  const waitFor = async (what: string, object: string, namespace = 'default') =>
    expect(await kubectl('wait', '-n', namespace, `--for=${what}`, object, '--timeout=200s')).toMatch(/ met$|deleted$/m);
  const get = async (path: string) => (await cluster.bed.request('GET', path)).body;
  const podOf = (name: string) => get(`/api/v1/namespaces/default/pods/${name}`);
  const addressOf = async (name: string) => {
    const { metadata } = await podOf(name);
    const { items } = await get('/apis/gala.internal/v1alpha1/iplocks');
    return items.find((one: { spec: { podUID?: string } }) => one.spec.podUID === metadata.uid);
  };
  const aPod = async (name: string, { host, annotations = {} }: { host?: BedNode; annotations?: Record<string, string> } = {}) => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations },
      spec: {
        schedulerName: 'gala-scheduler',
        ...(host && { nodeSelector: { 'kubernetes.io/hostname': host.name } }),
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'main',
            image: BUSINESS,
            resources: { requests: { cpu: '10m', memory: '16Mi' } },
            readinessProbe: { httpGet: { path: '/', port: BUSINESS_PORT }, periodSeconds: 1 },
          },
        ],
      },
    };
    const [applied] = await cluster.bed.apply([pod as never]);
    expect(applied).toMatchObject({ result: 'created' });
    await waitFor('condition=Ready', `pod/${name}`);
  };
  const asked = (from: string, ip: string) => kubectl('exec', from, '--', 'wget', '-qO-', `http://${ip}:${BUSINESS_PORT}/`);

  test(
    'pods on two hosts get addresses of the VLAN that were locked for them, answer the kubelet, and reach each other',
    async () => {
      await waitFor('jsonpath={.status.numberReady}=2', 'daemonset/gala-cni', 'gala-system');
      for (const host of hosts) await ready(cluster.bed, host);
      for (const [at, host] of hosts.entries()) await aPod(`web-${at}`, { host });
      const [one, two] = await Promise.all(['web-0', 'web-1'].map(addressOf));
      expect(one.spec).toMatchObject({ phase: 'Bound', node: hosts[0]!.name });
      expect(one.status.conditions).toContainEqual(expect.objectContaining({ type: WIRED, status: 'True' }));
      expect((await podOf('web-0')).status.podIP).toBe(one.metadata.name);
      expect(await asked('web-0', two.metadata.name)).toBe('web-1\n');
      expect(await asked('web-1', one.metadata.name)).toBe('web-0\n');
      // Of the pod's own link, and not of a NAT's.
      expect(await kubectl('exec', 'web-0', '--', 'ip', 'link', 'show', 'eth0')).toContain(one.spec.mac);
      expect(await hosts[0]!.mustExec(['cat', '/proc/net/ip_tables_names']).catch(() => '')).toBe('');
    },
    BUSY_MS,
  );

  test(
    'a pod that is deleted leaves nothing on its host, and its address says that nobody has it',
    async () => {
      await aPod('brief', { host: hosts[0]! });
      const { metadata } = await addressOf('brief');
      const links = async () =>
        (await hosts[0]!.mustExec(['ls', '/sys/class/net'])).split('\n').filter((name) => name.startsWith('gala')).length;
      const before = await links();
      await kubectl('delete', 'pod', 'brief');
      // A bare pod's address waits a while for the next of its name.
      await waitFor('jsonpath={.spec.phase}=Held', `iplock/${metadata.name}`);
      expect(await links()).toBe(before - 1);
      expect(await hosts[0]!.mustExec(['ip', 'route'])).not.toContain(`${metadata.name} dev`);
    },
    BUSY_MS,
  );

  test(
    'an agent that is ended costs no pod its network, and what went meanwhile is taken down by the next one',
    async () => {
      await aPod('gone', { host: hosts[1]! });
      const { metadata } = await addressOf('gone');
      const one = await addressOf('web-0');
      await kubectl('delete', 'pod', '-n', 'gala-system', '--selector=app.kubernetes.io/name=gala-cni', '--wait=false');
      await kubectl('delete', 'pod', 'gone', '--wait=false');
      expect(await asked('web-1', one.metadata.name)).toBe('web-0\n');
      await waitFor('delete', 'pod/gone');
      await waitFor('jsonpath={.spec.phase}=Held', `iplock/${metadata.name}`);
      await waitFor('jsonpath={.status.numberReady}=2', 'daemonset/gala-cni', 'gala-system');
      expect(await asked('web-1', one.metadata.name)).toBe('web-0\n');
      expect(await hosts[1]!.mustExec(['ip', 'route'])).not.toContain(`${metadata.name} dev`);
    },
    BUSY_MS,
  );

  test(
    'IPLocks that are lost, as by a backup of etcd that is older, are made anew of what the hosts have wired, and no pod notices',
    async () => {
      for (const host of hosts) await ready(cluster.bed, host);
      const before = await Promise.all(['web-0', 'web-1'].map(addressOf));
      const writer = await connect({ kubeconfig: await kubeconfigOf(cluster.bed, 'gala-system', 'gala-scheduler') });
      for (const { metadata } of before) await writer.delete(kindOf(IPLock), { name: metadata.name });
      writer.close();
      const said = await gala('ips', 'rebuild', '-o', 'json', '--timeout', '3m', '--kubeconfig', cluster.bed.kubeconfig);
      expect(said).toMatchObject({ code: 0, err: expect.stringMatching(/\d of 2 nodes/) });
      expect(JSON.parse(said.out)).toMatchObject({ nodes: { asked: 2, answered: 2, silent: [] }, lost: [] });
      for (const [at, { metadata, spec }] of before.entries()) {
        const after = await addressOf(`web-${at}`);
        expect(after.metadata.name).toBe(metadata.name);
        expect(after.metadata.uid).not.toBe(metadata.uid);
        expect(after.spec).toMatchObject({ phase: 'Bound', node: spec.node, mac: spec.mac, owner: spec.owner, podUID: spec.podUID });
      }
      expect(await asked('web-1', before[0].metadata.name)).toBe('web-0\n');
      // And what comes next gets what is free.
      await aPod('next', { host: hosts[0]! });
      expect(before.map(({ metadata }) => metadata.name)).not.toContain((await addressOf('next')).metadata.name);
    },
    BUSY_MS,
  );

  test(
    'gala-system is deleted and applied again: no pod notices, and every address is as it was',
    async () => {
      const before = await Promise.all(['web-0', 'web-1'].map(addressOf));
      await kubectl('delete', 'namespace', 'gala-system', '--timeout=240s');
      expect(await asked('web-1', before[0].metadata.name)).toBe('web-0\n');
      const applied = await cluster.bed.apply(cluster.rendered.objects);
      expect(applied.filter(({ result }) => result === 'refused')).toEqual([]);
      await waitFor('jsonpath={.status.numberReady}=2', 'daemonset/gala-cni', 'gala-system');
      expect(await asked('web-1', before[0].metadata.name)).toBe('web-0\n');
      expect((await Promise.all(['web-0', 'web-1'].map(addressOf))).map(({ spec }) => spec)).toEqual(before.map(({ spec }) => spec));
      await aPod('after', { host: hosts[1]! });
    },
    BUSY_MS,
  );

  test(
    'after a reboot of its host a pod has its address again',
    async () => {
      const before = await addressOf('web-0');
      const since = Date.now();
      await hosts[0]!.reboot();
      await ready(cluster.bed, hosts[0]!, since);
      await waitFor('jsonpath={.status.containerStatuses[0].restartCount}=1', 'pod/web-0');
      await waitFor('condition=Ready', 'pod/web-0');
      const after = await addressOf('web-0');
      expect(after.metadata.name).toBe(before.metadata.name);
      expect(await asked('web-1', after.metadata.name)).toBe('web-0\n');
    },
    BUSY_MS,
  );
});
