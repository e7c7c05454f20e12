import { describe, expect, test } from '@jest/globals';
import { type KubeSchedulerProps, Scheduling } from 'cdk8s-gala';
import { parse } from 'yaml';
import { type Extender, schedulerConfiguration } from '../../../constructs/scheduling/configuration.ts';
import { aCluster, rendered } from '../a-cluster.ts';

function aScheduler(props: KubeSchedulerProps = {}, cluster = aCluster()) {
  const out = rendered(cluster, (scope) => {
    new Scheduling(scope, 'scheduler', { kubeScheduler: props });
  });
  const { containers } = out.get('Deployment/gala-system/gala-scheduler').spec.template.spec;
  const container = containers.find(({ name }: { name: string }) => name === 'kube-scheduler');
  const { data } = out.get('ConfigMap/gala-system/gala-scheduler-kube-scheduler-config');
  return { out, container, config: parse(data['kube-scheduler.yaml']) };
}

test("it is the stock scheduler of the cluster's minor", () => {
  expect(aScheduler({}, aCluster({ kubernetes: '1.36' })).container).toMatchObject({
    image: expect.stringMatching(/^registry\.k8s\.io\/kube-scheduler:v1\.36\.\d+$/),
    command: ['kube-scheduler'],
    args: ['--config=/etc/kube-scheduler/kube-scheduler.yaml', '--bind-address=127.0.0.1', '--secure-port=10269'],
  });
});

test("it leads by a Lease of its own, so that it never takes turns with the control plane's scheduler", () => {
  const { config, out } = aScheduler();
  expect(config.leaderElection).toMatchObject({ leaderElect: true, resourceName: 'gala-scheduler', resourceNamespace: 'gala-system' });
  const { rules } = out.get('Role/gala-system/gala-scheduler');
  expect(rules).toContainEqual(expect.objectContaining({ resources: ['leases'], resourceNames: ['gala-scheduler'] }));
});

test('it schedules the pods that ask for gala-scheduler, and no others', () => {
  expect(aScheduler().config.profiles).toEqual([{ schedulerName: 'gala-scheduler' }]);
});

test('only its own host reaches its port, and the kubelet asks it there', () => {
  const { container } = aScheduler({ securePort: 10300 });
  expect(container.ports).toEqual([{ containerPort: 10300, hostPort: 10300, hostIP: '127.0.0.1', protocol: 'TCP' }]);
  expect(container.args).toContain('--secure-port=10300');
  expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 10300, scheme: 'HTTPS', host: '127.0.0.1' });
});

test("its rights are upstream's roles, and where locks are written no more than is said rule by rule", () => {
  const { out } = aScheduler();
  const bindings = out.objects.filter(({ kind, metadata }) => /RoleBinding$/.test(kind) && metadata.name.startsWith('gala-scheduler'));
  expect(bindings.map(({ kind, metadata, roleRef }) => [kind, metadata.namespace, (roleRef as { name: string }).name])).toEqual([
    ['ClusterRoleBinding', undefined, 'gala-scheduler'],
    ['RoleBinding', 'gala-system', 'gala-scheduler'],
    ['ClusterRoleBinding', undefined, 'system:kube-scheduler'],
    ['ClusterRoleBinding', undefined, 'system:volume-scheduler'],
    ['RoleBinding', 'kube-system', 'extension-apiserver-authentication-reader'],
  ]);
});

test('its garbage collector knows the limit before the kernel enforces it', () => {
  const { resources, env } = aScheduler({ memory: '2Gi' }).container;
  expect(resources.limits.memory).toBe('2Gi');
  expect(env).toContainEqual({ name: 'GOMEMLIMIT', value: String(Math.floor(2 * 2 ** 30 * 0.9)) });
});

test('a changed configuration rolls it', () => {
  const hash = (props: KubeSchedulerProps) =>
    aScheduler(props).out.get('Deployment/gala-system/gala-scheduler').spec.template.metadata.annotations['gala.internal/config-hash'];
  expect(hash({ percentageOfNodesToScore: 30 })).not.toBe(hash({}));
});

describe('the extender', () => {
  const configuration = (extender?: Extender) => schedulerConfiguration({ leaseNamespace: 'gala-system', extender });

  test('is off until somebody turns it on', () => {
    expect(configuration()).not.toHaveProperty('extenders');
  });

  test('is asked on loopback, by names of nodes, and never passed over', () => {
    expect(configuration({ port: 9280 }).extenders).toEqual([
      { urlPrefix: 'http://127.0.0.1:9280', filterVerb: 'filter', httpTimeout: '5s', nodeCacheCapable: true, ignorable: false },
    ]);
  });

  test('is the program beside it, and does not choose: the node was chosen before', () => {
    expect(aScheduler().config.extenders).toEqual([expect.objectContaining({ urlPrefix: 'http://127.0.0.1:10270' })]);
    expect(aScheduler().config.extenders[0]).not.toHaveProperty('prioritizeVerb');
  });
});

test.each<[string, KubeSchedulerProps, RegExp]>([
  [
    "the port of the control plane's own scheduler",
    { securePort: 10259 },
    /gala\/scheduler: kubeScheduler\.securePort is 10259; another port/,
  ],
  ['memory in bytes', { memory: '1000' }, /beside\.kube-scheduler\.memory is '1000'; a whole number of Mi or Gi/],
  ['more than all nodes', { percentageOfNodesToScore: 101 }, /kubeScheduler\.percentageOfNodesToScore is 101; 1 to 100/],
])('%s is refused', (_, props, message) => {
  expect(() => aScheduler(props)).toThrow(message);
});
