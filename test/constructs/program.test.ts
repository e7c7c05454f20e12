import { describe, expect, test } from '@jest/globals';
import { Program, type ProgramProps } from '../../constructs/program.ts';
import type { Toleration } from '../../constructs/workload.ts';
import { aCluster, rendered } from './a-cluster.ts';

/** A program of which a test says only what matters. */
function aProgram(over: Partial<ProgramProps> = {}) {
  const out = rendered(aCluster(), (scope) => {
    new Program(scope, 'Program', { program: 'controller', memory: '256Mi', ...over });
  });
  const name = over.name ?? 'gala-controller';
  const deployment = out.get(`Deployment/gala-system/${name}`);
  return { out, deployment, pod: deployment.spec.template.spec, container: deployment.spec.template.spec.containers[0] };
}

describe('what comes out', () => {
  test('the smallest program', () => {
    const { deployment } = aProgram();
    expect(deployment).toMatchSnapshot();
  });

  test('one of two replicas may go at a time, also when it is broken', () => {
    const { out, deployment } = aProgram();
    expect(out.get('PodDisruptionBudget/gala-system/gala-controller').spec).toEqual({
      maxUnavailable: 1,
      selector: deployment.spec.selector,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  test('a rollout takes a pod away before it brings one: host ports are free then', () => {
    expect(aProgram().deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });

  test('replicas never share a host', () => {
    const [spread] = aProgram().pod.topologySpreadConstraints;
    expect(spread).toMatchObject({ topologyKey: 'kubernetes.io/hostname', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' });
    expect(spread.labelSelector).toEqual(aProgram().deployment.spec.selector);
  });

  test('it runs on control-plane nodes, or where there are none, on those labelled for it', () => {
    const { nodeSelectorTerms } = aProgram().pod.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    expect(nodeSelectorTerms.map((term: { matchExpressions: { key: string }[] }) => term.matchExpressions.map(({ key }) => key))).toEqual([
      ['node-role.kubernetes.io/control-plane'],
      ['gala.internal/system'],
    ]);
  });

  test('it starts on a node whose network is not there yet, and leaves one that is gone', () => {
    const { tolerations } = aProgram().pod;
    expect(tolerations).toContainEqual({ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoSchedule' });
    expect(tolerations).toContainEqual({
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 60,
    });
  });

  test('no state of a node keeps it there for ever', () => {
    const states = (aProgram().pod.tolerations as Toleration[]).filter(({ key }) => /not-ready|unreachable/.test(key ?? ''));
    const evicting = states.filter(({ effect }) => effect === undefined || effect === 'NoExecute');
    expect(evicting.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 60],
    ]);
  });
});

describe('leading', () => {
  test('it may touch its own Lease and no other; only making one cannot be limited to a name', () => {
    const { out } = aProgram();
    const role = out.get('Role/gala-system/gala-controller');
    expect(role.rules).toEqual([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'update'], resourceNames: ['gala-controller'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    ]);
    expect(role.metadata.annotations).toMatchObject({
      'because.gala.internal/rule.0': 'it leads by the Lease gala-controller',
      'because.gala.internal/rule.1': 'the first replica makes the Lease gala-controller',
    });
    expect(out.has('ClusterRole/gala-controller')).toBe(false);
  });

  test('where all replicas work at once there is no Lease to touch, and without permissions no token', () => {
    const { out, pod } = aProgram({ lease: false });
    expect(out.has('Role/gala-system/gala-controller')).toBe(false);
    expect(pod.automountServiceAccountToken).toBe(false);
  });
});

test.each<[string, Partial<ProgramProps>, RegExp]>([
  ['no replica', { replicas: 0 }, /^gala\/Program: replicas is 0; 1 to 7.*\. Leave it out for 2/],
  ['a Lease that is no DNS label', { lease: 'Gala' }, /lease is 'Gala'; lower-case letters.*\. Leave it out/],
  [
    'a port that is probed and not asked for',
    { readinessProbe: { httpGet: '/readyz', port: 9443 } },
    /readinessProbe\.port is 9443; a hostPort of its needs/,
  ],
])('%s is refused', (_, over, message) => {
  expect(() => aProgram(over)).toThrow(message);
});

describe('a container beside its own', () => {
  const beside = {
    shipper: {
      image: 'shipper:1',
      memory: '32Mi',
      config: { 'shipper.yaml': 'to: harbor\n' },
      emptyDirs: { '/tmp': '16Mi' },
      needs: [{ hostPort: 9808, because: 'peers ask it' }],
    },
  };

  test('has image, memory, port, files and folders of its own, and the account of the pod', () => {
    const { out, pod } = aProgram({ beside, emptyDirs: { '/tmp': '1Mi' }, config: { 'controller.yaml': '' } });
    const [own, shipper] = pod.containers;
    expect(pod.containers).toHaveLength(2);
    expect(shipper).toMatchObject({
      name: 'shipper',
      image: 'shipper:1',
      ports: [{ containerPort: 9808, hostPort: 9808, protocol: 'TCP' }],
      resources: { limits: { memory: '32Mi' } },
      securityContext: { capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
    });
    expect(own.ports).toBeUndefined();
    const mounts = pod.containers.flatMap((one: { volumeMounts: { name: string; mountPath: string }[] }) => one.volumeMounts);
    expect(mounts.map(({ name, mountPath }: { name: string; mountPath: string }) => [name, mountPath])).toEqual([
      ['config', '/etc/gala-controller'],
      ['empty-tmp', '/tmp'],
      ['config-shipper', '/etc/shipper'],
      ['empty-shipper-tmp', '/tmp'],
    ]);
    expect(out.get('ConfigMap/gala-system/gala-controller-shipper-config').data).toEqual({ 'shipper.yaml': 'to: harbor\n' });
    expect(pod.volumes).toHaveLength(4);
  });

  test('tells its reasons on the pod, and rolls it when its files change', () => {
    const annotations = (more: object) =>
      aProgram({ beside: { shipper: { ...beside.shipper, ...more } } }).deployment.spec.template.metadata.annotations;
    expect(annotations({})['because.gala.internal/host-port.9808']).toBe('peers ask it');
    expect(annotations({})['gala.internal/config-hash']).not.toBe(
      annotations({ config: { 'shipper.yaml': 'to: minio\n' } })['gala.internal/config-hash'],
    );
  });

  test('gets nothing of what its neighbour is privileged with', () => {
    const needs = [{ privileged: true, because: 'the last resort' }] as const;
    const [own, shipper] = aProgram({ beside, needs }).pod.containers;
    expect(own.securityContext.privileged).toBe(true);
    expect(shipper.securityContext).toMatchObject({ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } });
    expect(shipper.securityContext.privileged).toBeUndefined();
  });
});
