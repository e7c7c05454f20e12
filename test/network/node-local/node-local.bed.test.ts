/**
 * Without kube-proxy, as synth rendered it, on a host with a real kubelet: a client that knows nothing of Gala finds the API server
 * where Kubernetes tells every pod that it is, and names by the cache of its node.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defineCluster, intranet } from '../../../lib/api/definition.ts';
import { type BedCluster, startCluster } from '../../bed/cluster.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { BUSINESS, BUSINESS_PORT } from '../../bed/images.ts';
import { ready } from '../../bed/nodes.ts';
import { standInNetwork } from '../../bed/stand-in-network.ts';

const TRUNK = 'bond0';
/** On a machine that is busy otherwise; an idle one needs a tenth. */
const BUSY_MS = 420_000;

const definition = defineCluster({
  name: 'bed',
  kubernetes: '1.37',
  apiServer: 'https://the-bed.internal:6443',
  services: 'none',
  // The bed's own.
  dns: { upstream: ['198.18.0.2'] },
  concerns: ['network', 'scheduling'],
  pools: {
    web: intranet({
      racks: { r1: 'node-1' },
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

/** Reads of its namespace what anybody may who may view it. */
const objects = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'view', namespace: 'default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: BUSINESS_PORT }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client', namespace: 'default', labels: { app: 'web' } },
    spec: {
      schedulerName: 'gala-scheduler',
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
  },
];

describeBed('a cluster without kube-proxy', ['control-plane', 'nodes', 'containernetworking-plugins', 'coredns'], () => {
  let cluster: BedCluster;
  beforeAll(async () => {
    cluster = await startCluster({ definition, files: onSystem });
  }, BUSY_MS);
  afterAll(async () => {
    if (process.env.SHOW)
      process.stderr.write(
        await kubectl('logs', '-n', 'gala-system', '--tail=60', '--selector=app.kubernetes.io/name in (gala-cni, gala-node-dns)'),
      );
    await cluster?.stop();
  });

  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.bed.kubectl(args, { seconds: 290 });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  const asks = () => kubectl('exec', 'client', '--', '/usr/local/bin/kubectl', 'get', 'pods', '--output=name');
  const host = () => cluster.hosts[0]!;

  test(
    'a stock client in a pod lists its namespace by the ClusterIP of the Service kubernetes',
    async () => {
      expect(await kubectl('rollout', 'status', '-n', 'gala-system', 'daemonset/gala-cni', '--timeout=200s')).toContain('successfully');
      await ready(cluster.bed, host());
      await cluster.bed.apply(objects as never);
      expect(await kubectl('wait', '--for=condition=Ready', 'pod/client', '--timeout=200s')).toMatch(/ met$/m);
      const { body } = await cluster.bed.request('GET', '/api/v1/namespaces/default/services/kubernetes');
      expect(await kubectl('exec', 'client', '--', 'sh', '-c', 'echo $KUBERNETES_SERVICE_HOST')).toBe(`${body.spec.clusterIP}\n`);
      expect(await asks()).toBe('pod/client\n');
      // By the host's own routes, and no packet is rewritten on the way.
      const link = await host().mustExec(['ip', 'addr', 'show', 'dev', 'gala-api']);
      expect(link).toContain(`inet ${body.spec.clusterIP}/32 `);
      expect(link).toContain('inet 169.254.20.10/32 ');
      expect(
        await host()
          .mustExec(['cat', '/proc/net/ip_tables_names'])
          .catch(() => ''),
      ).toBe('');
    },
    BUSY_MS,
  );

  test(
    'a pod finds a headless Service by its name, asked of the cache on its node',
    async () => {
      expect(await kubectl('rollout', 'status', '-n', 'gala-system', 'daemonset/gala-node-dns', '--timeout=200s')).toContain(
        'successfully',
      );
      expect(await kubectl('exec', 'client', '--', 'cat', '/etc/resolv.conf')).toContain('nameserver 169.254.20.10\n');
      expect(await kubectl('exec', 'client', '--', 'wget', '-qO-', `http://web.default.svc.cluster.local:${BUSINESS_PORT}/`)).toBe(
        'client\n',
      );
      // Its search list too.
      expect(await kubectl('exec', 'client', '--', 'wget', '-qO-', `http://web:${BUSINESS_PORT}/`)).toBe('client\n');
      expect(await kubectl('exec', 'client', '--', 'wget', '-qO-', `http://nobody:${BUSINESS_PORT}/`)).toMatch(/bad address/);
    },
    BUSY_MS,
  );

  test(
    'the next agent forwards as the last one did, and puts right what was taken away meanwhile',
    async () => {
      await host().mustExec(['ip', 'link', 'del', 'gala-api']);
      await kubectl('delete', 'pod', '-n', 'gala-system', '--selector=app.kubernetes.io/name=gala-cni');
      expect(await kubectl('rollout', 'status', '-n', 'gala-system', 'daemonset/gala-cni', '--timeout=200s')).toContain('successfully');
      expect(await asks()).toBe('pod/client\n');
      expect(await kubectl('exec', 'client', '--', 'wget', '-qO-', `http://web:${BUSINESS_PORT}/`)).toBe('client\n');
    },
    BUSY_MS,
  );
});
