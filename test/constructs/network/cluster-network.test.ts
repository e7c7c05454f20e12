import { describe, expect, test } from '@jest/globals';
import { ClusterNetwork, type ClusterNetworkProps } from 'cdk8s-gala';
import { maxPods } from '../../../constructs/hosts.ts';
import { by, NODE_AGENT } from '../../../constructs/policies/accounts.ts';
import { wirablePods } from '../../../lib/api/allocatable.ts';
import { CNI_ACCOUNT, CNI_NAME } from '../../../lib/api/network.ts';
import { aCluster, anIntranetPool, rendered } from '../a-cluster.ts';

const pools = { web: anIntranetPool() };
const beside = { ml: anIntranetPool({ racks: { r20: 'test-a-r20-[01-02]' }, vlans: { 140: aVlan(140) } }) };
function aVlan(net: number) {
  return { subnet: `10.${net}.0.0/24`, gateway: `10.${net}.0.1`, addresses: `10.${net}.0.128-10.${net}.0.191` };
}

function aNetwork(over: object = {}, props: ClusterNetworkProps = {}) {
  const cluster = aCluster({ pools, ...over });
  const out = rendered(cluster, (scope) => {
    new ClusterNetwork(scope, 'network', props);
  });
  const daemonSet = out.get(`DaemonSet/gala-system/${CNI_NAME}`);
  const pod = daemonSet.spec.template.spec;
  return { cluster, out, daemonSet, template: daemonSet.spec.template, pod, container: pod.containers[0] };
}

describe('the agent', () => {
  test("runs on the host's network, is critical to its node, and is rolled a tenth of the nodes at a time", () => {
    const { daemonSet, pod } = aNetwork();
    expect(pod).toMatchObject({ hostNetwork: true, priorityClassName: 'system-node-critical', dnsPolicy: 'Default' });
    expect(daemonSet.spec.updateStrategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: '10%' });
    expect(pod.tolerations).toContainEqual({ key: 'gala.internal/pool', operator: 'Exists' });
    expect(pod.tolerations).toContainEqual({ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists' });
  });

  test('is told its node, finds the API server without a Service, and has room for 100 pods', () => {
    const { container } = aNetwork();
    expect(container).toMatchObject({
      args: ['cni', '--proc-sys=/host/proc/sys', '--api-server=10.8.0.10:6443'],
      resources: { limits: { memory: '160Mi' }, requests: { memory: '160Mi' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 10273, host: '127.0.0.1' } },
      ports: [{ hostPort: 10273, hostIP: '127.0.0.1' }],
    });
    expect(container.env).toEqual([
      { name: 'KUBERNETES_SERVICE_HOST', value: '10.8.0.10' },
      { name: 'KUBERNETES_SERVICE_PORT', value: '6443' },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ]);
  });

  test('beside kube-proxy pods reach the service range through their node', () => {
    expect(aNetwork({ services: 'kube-proxy', serviceCidr: '10.96.0.0/16' }).container.args).toContain('--through-node=10.96.0.0/16');
    expect(aNetwork({ serviceCidr: '10.96.0.0/16' }).container.args).not.toContain('--through-node=10.96.0.0/16');
  });

  test('without kube-proxy it forwards from the ClusterIP of `kubernetes`, the first of the range where that is said, to the API server', () => {
    expect(aNetwork({ serviceCidr: '10.96.0.0/16' }).container.args.slice(2)).toEqual([
      '--api-server=10.8.0.10:6443',
      '--kubernetes-service-ip=10.96.0.1',
    ]);
    const beside = aNetwork({ services: 'kube-proxy', serviceCidr: '10.96.0.0/16' }).container;
    expect(beside.args.join(' ')).not.toContain('--api-server');
    expect(beside.securityContext.capabilities.add).not.toContain('NET_BIND_SERVICE');
  });

  test('beside kube-proxy it is refused without the service range: no pod would reach a Service, and nothing would say so', () => {
    expect(() => aNetwork({ services: 'kube-proxy' })).toThrow(/serviceCidr is missing from the definition, and pods .*; the API server's/);
  });
});

describe('its nodes', () => {
  const where = ({ pod }: ReturnType<typeof aNetwork>) =>
    pod.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;

  test('are those of a pool, so none that only runs the programs of Gala', () => {
    expect(where(aNetwork())).toEqual([{ matchExpressions: [{ key: 'gala.internal/pool', operator: 'Exists' }] }]);
  });

  test('are not those of a pool that another CNI wires', () => {
    const some = aNetwork({ existing: { cni: 'calico' }, pools: { web: { ...pools.web, cni: 'gala' }, ...beside } });
    expect(where(some)[0].matchExpressions).toContainEqual({ key: 'gala.internal/pool', operator: 'NotIn', values: ['ml'] });
  });

  test('a new pool does not roll the agents of the others', () => {
    expect(aNetwork({ pools: { ...pools, ...beside } }).template).toEqual(aNetwork().template);
  });

  test('it counts in the pods of those and of no others', () => {
    const { cluster, out } = aNetwork({ existing: { cni: 'calico' }, pools: { web: { ...pools.web, cni: 'gala' }, ...beside } });
    const counted = cluster.pools.map((pool) => [pool.name, maxPods(pool, out.objects) - wirablePods(pool)]);
    expect(counted).toEqual([
      ['ml', 5],
      ['web', 6],
    ]);
  });
});

describe('its privileges', () => {
  test('are these, each with its reason', () => {
    const { annotations } = aNetwork().template.metadata;
    const names = Object.keys(annotations).map((key) => key.replace('because.gala.internal/', ''));
    expect(names).toEqual([
      'capability.NET_ADMIN',
      'capability.NET_BIND_SERVICE',
      'capability.NET_RAW',
      'capability.SYS_ADMIN',
      'host-network',
      'host-path.etc-cni-net-d',
      'host-path.opt-cni-bin',
      'host-path.proc-sys-net',
      'host-path.run-containerd',
      'host-path.run-gala',
      'host-path.run-netns',
      'host-port.10273',
    ]);
    expect(annotations['because.gala.internal/host-path.run-containerd']).toContain('is root on the node');
  });

  test('no more capabilities than these, no process ids, and a file system it cannot write to', () => {
    const { pod, container } = aNetwork();
    expect(pod.hostPID).toBeUndefined();
    expect(container.securityContext).toMatchObject({
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW', 'SYS_ADMIN'] },
      readOnlyRootFilesystem: true,
    });
    expect(container.securityContext.privileged).toBeUndefined();
    expect(pod.securityContext.seccompProfile).toEqual({ type: 'RuntimeDefault' });
  });

  test('what it only looks at is mounted read-only, and sees what is mounted later', () => {
    const mounts = aNetwork().container.volumeMounts;
    expect(mounts).toContainEqual({ name: 'run-netns', mountPath: '/run/netns', readOnly: true, mountPropagation: 'HostToContainer' });
    expect(mounts).toContainEqual({
      name: 'run-containerd',
      mountPath: '/run/containerd',
      readOnly: true,
      mountPropagation: 'HostToContainer',
    });
    const writable = mounts
      .filter(({ readOnly }: { readOnly: boolean }) => !readOnly)
      .map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(writable).toEqual(['/host/proc/sys/net', '/opt/cni/bin', '/etc/cni/net.d', '/run/gala']);
  });

  test('at the API server it writes IPLocks, the status of NodeNetworks and events, and creates no object but those', () => {
    const { rules } = aNetwork().out.get(`ClusterRole/${CNI_NAME}`);
    const writes = rules.flatMap(({ resources, verbs }: { resources: string[]; verbs: string[] }) =>
      verbs.filter((verb) => !['get', 'list', 'watch'].includes(verb)).map((verb) => `${verb} ${resources}`),
    );
    expect(writes).toEqual(['patch iplocks', 'patch nodenetworks/status', 'create events', 'patch events']);
  });

  test('its account is the one that the policies let write', () => {
    const { pod } = aNetwork();
    expect(`system:serviceaccount:gala-system:${pod.serviceAccountName}`).toBe(CNI_ACCOUNT);
    expect(by(NODE_AGENT)).toBe(`request.userInfo.username == '${CNI_ACCOUNT}'`);
  });
});
