import { describe, expect, test } from '@jest/globals';
import { POOL_LABEL, RACK_LABEL } from '../../lib/api/model.ts';
import { POOL, RACK } from '../../lib/gate/diff/selected.ts';
import { type DiffSide, diffExitCode, diffSynth, diffText, type SynthDiff } from '../../lib/gate/diff.ts';
import {
  type Any,
  aClusterRoleBinding,
  aConfigMap,
  aCrd,
  aDaemonSet,
  aDeployment,
  aHostPool,
  aNamespace,
  aService,
  type Change,
  inputs,
  NAMESPACE,
} from './builders.ts';

const side = (objects: Any[], hosts: Record<string, string> = {}): DiffSide => ({
  objects: inputs(...objects),
  hosts: Object.entries(hosts).map(([file, text]) => ({ file, text })),
});
const changed = (builder: (change?: Change) => Any, before: Change, after: Change): SynthDiff =>
  diffSynth(side([aCrd(), builder(before)]), side([aCrd(), builder(after)]));
const nothing = () => {};
const objects = (diff: SynthDiff) =>
  Object.fromEntries(
    Object.entries(diff).flatMap(([list, of]) => (of.length === 0 ? [] : [[list, of.map(({ object }: { object: string }) => object)]])),
  );
const first = (object: Any) => object.spec.template.spec.containers[0];

test('the same synth, its objects in another order and its maps too, changes nothing', () => {
  const all = [aNamespace(), aDaemonSet(), aConfigMap(), aService()];
  const shuffled = all.toReversed().map((object) => Object.fromEntries(Object.entries(object).toReversed()));
  const diff = diffSynth(side(all), side(shuffled));
  expect(objects(diff)).toEqual({});
  expect(diffText(diff)).toBe('  nothing changes\n');
  expect(diffExitCode(diff)).toBe(0);
});

test('hosts are selected by the labels of the model', () => {
  expect([POOL, RACK]).toEqual([POOL_LABEL, RACK_LABEL]);
});

describe('rolls', () => {
  test('a new image rolls the DaemonSet, as many hosts at a time as it allows', () => {
    const image = (digest: string) => (d: Any) => (first(d).image = `harbor.bj.intra/gala/gala@sha256:${digest.padEnd(64, '0')}`);
    const diff = diffSynth(side([aDaemonSet(image('91c'))]), side([aDaemonSet(image('c07'))]), { hosts: () => 40 });
    expect(diff.rolls).toEqual([
      {
        object: 'DaemonSet/gala-system/gala-cni',
        file: 'dist/bj-a/40-network.yaml',
        what: 'image 91c… → c07…',
        path: 'spec.template.spec.containers[agent].image',
        note: '40 hosts, 4 at a time',
      },
    ]);
    expect(diffText(diff)).toMatch(/^ {2}ROLLS {6}DaemonSet gala-system\/gala-cni {3}image 91c… → c07… {3}40 hosts, 4 at a time\n/);
  });

  test('hosts are counted by what the DaemonSet selects, and not counted where that is unknown', () => {
    const pool = (name: string, racks: Record<string, string>, more: object = {}) => ({
      apiVersion: 'gala.internal/v1alpha1',
      kind: 'HostPool',
      metadata: { name },
      spec: { shape: 'intranet', intranet: { racks: Object.entries(racks).map(([name, hosts]) => ({ name, hosts })) }, ...more },
    });
    const pools = [
      pool('web', { r12: 'bj-a-r12-[01-30]', r13: 'bj-a-r13-[01-10]' }),
      pool('ml', { r13: 'bj-a-r13-[21-22]' }),
      pool('db', { r20: 'bj-a-r20-[01-08]' }, { locks: 'hard' }),
    ];
    const burst = { ...pool('burst', {}), spec: { shape: 'ec2', ec2: {} } };
    const note = (change: Change, more: Any[] = []) =>
      diffSynth(
        side([aDaemonSet(change)]),
        side([
          ...pools,
          ...more,
          aDaemonSet((d) => {
            change(d);
            first(d).image = 'harbor.bj.intra/gala/gala:0.2.0';
          }),
        ]),
      ).rolls[0]?.note;
    const selects =
      (nodeSelector: Any, more: Any = {}) =>
      (d: Any) =>
        Object.assign(d.spec.template.spec, { nodeSelector, ...more });
    const tolerations = [{ key: POOL_LABEL, operator: 'Exists' }];
    expect(note(selects(undefined, { tolerations }))).toBe('50 hosts, 5 at a time');
    expect(note(selects({ [POOL_LABEL]: 'web' }))).toBe('40 hosts, 4 at a time');
    expect(note(selects({ [POOL_LABEL]: 'web', [RACK_LABEL]: 'r13' }))).toBe('10 hosts, 1 at a time');
    expect(note(selects({ [RACK_LABEL]: 'r13' }, { tolerations }))).toBe('12 hosts, 2 at a time');
    expect(note(selects({ [POOL_LABEL]: 'web' }), [burst])).toBe('40 hosts, 4 at a time');
    const affinity = (...matchExpressions: object[]) => ({
      tolerations,
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } },
    });
    const pooled = { key: POOL_LABEL, operator: 'Exists' };
    expect(note(selects(undefined, affinity(pooled)))).toBe('50 hosts, 5 at a time');
    expect(note(selects(undefined, affinity(pooled, { key: POOL_LABEL, operator: 'NotIn', values: ['web'] })))).toBe(
      '10 hosts, 1 at a time',
    );
    expect(note(selects(undefined, affinity({ key: POOL_LABEL, operator: 'In', values: ['web', 'ml'] })))).toBe('42 hosts, 5 at a time');
    // Instances, hosts set apart by a taint, other labels and affinity: nobody here knows how many.
    const unknown = '10% of its hosts at a time';
    expect(note(selects(undefined, { tolerations }), [burst])).toBe(unknown);
    expect(note(selects({ [POOL_LABEL]: 'burst' }), [burst])).toBe(unknown);
    expect(note(selects({ [POOL_LABEL]: 'db' }))).toBe(unknown);
    expect(note(selects({ [POOL_LABEL]: 'db' }, { tolerations }))).toBe('8 hosts, 1 at a time');
    expect(note(selects({ gpu: 'a100' }))).toBe(unknown);
    expect(note(selects({ [POOL_LABEL]: 'web' }, { affinity: { nodeAffinity: {} } }))).toBe(unknown);
    expect(note(selects(undefined, affinity(pooled, { key: 'gpu', operator: 'Exists' })))).toBe(unknown);
    expect(note(selects(undefined, affinity({ key: POOL_LABEL, operator: 'DoesNotExist' })))).toBe(unknown);
  });

  test('an annotation of the pod template rolls too, and one of the object does not', () => {
    expect(objects(changed(aDaemonSet, nothing, (d) => (d.spec.template.metadata.annotations.hash = '2')))).toEqual({
      rolls: ['DaemonSet/gala-system/gala-cni'],
    });
    expect(objects(changed(aDaemonSet, nothing, (d) => (d.metadata.annotations = { hash: '2' })))).toEqual({
      inPlace: ['DaemonSet/gala-system/gala-cni'],
    });
  });

  test('OnDelete changes in place: pods come with the next deletion', () => {
    const diff = changed(
      aDaemonSet,
      (d) => (d.spec.updateStrategy = { type: 'OnDelete' }),
      (d) => {
        d.spec.updateStrategy = { type: 'OnDelete' };
        first(d).image = 'harbor.bj.intra/gala/gala:0.2.0';
      },
    );
    expect(objects(diff)).toEqual({ inPlace: ['DaemonSet/gala-system/gala-cni'] });
    expect(diff.inPlace[0]).toMatchObject({ what: 'image 0.1.0 → 0.2.0', note: 'each pod when somebody deletes it (OnDelete)' });
  });

  test('replicas alone scale and do not roll', () => {
    expect(objects(changed(aDeployment, nothing, (d) => (d.spec.replicas = 3)))).toEqual({ inPlace: ['Deployment/gala-system/feed-api'] });
  });
});

describe('refused', () => {
  const storageClass = (parameter: string) => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'log' },
    provisioner: 'gala.internal',
    parameters: { parameter },
  });
  const claim = (storage: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'log', namespace: NAMESPACE },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  const priorityClass = (value: number) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'gala' },
    value,
  });
  const job = (image: string) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once', namespace: NAMESPACE },
    spec: { template: { spec: { containers: [{ name: 'a', image }] } } },
  });
  const statefulSet = (change: Change) => {
    const { kind: _, ...rest } = aDeployment();
    const object = { kind: 'StatefulSet', ...rest };
    object.spec.serviceName = 'feed-api';
    change(object);
    return object;
  };

  test.each<[string, Any, Any]>([
    ['the selector of a DaemonSet', aDaemonSet(), aDaemonSet((d) => (d.spec.selector.matchLabels.tier = 'node'))],
    [
      'volumeClaimTemplates of a StatefulSet',
      statefulSet(nothing),
      statefulSet((s) => (s.spec.volumeClaimTemplates = [{ metadata: { name: 'data' } }])),
    ],
    ['the template of a Job', job('a:1'), job('a:2')],
    ['roleRef of a binding', aClusterRoleBinding(), aClusterRoleBinding((b) => (b.roleRef.name = 'admin'))],
    ['parameters of a StorageClass', storageClass('a'), storageClass('b')],
    ['value of a PriorityClass', priorityClass(1), priorityClass(2)],
    ['a claim that shrinks', claim('10Gi'), claim('9000Mi')],
    ['clusterIP of a Service', aService(), aService((s) => (s.spec.clusterIP = '10.96.0.9'))],
    [
      'data of an immutable ConfigMap',
      aConfigMap((c) => (c.immutable = true)),
      aConfigMap((c) => {
        c.immutable = true;
        c.data.more = '';
      }),
    ],
    ['scope of a CRD', aCrd(), aCrd((c) => (c.spec.scope = 'Namespaced'))],
  ])('%s', (_, before, after) => {
    const diff = diffSynth(side([before]), side([after]));
    expect(Object.keys(objects(diff))).toEqual(['refused']);
    expect(diff.refused[0]?.note).toMatch(/\. [A-Z].*\.$|\) does that\), or delete it first\.$/);
    expect(diffExitCode(diff)).toBe(3);
  });

  test('a claim that grows is not refused, nor is the rest of a StatefulSet', () => {
    expect(objects(diffSynth(side([claim('10Gi')]), side([claim('11Gi')])))).toEqual({
      inPlace: ['PersistentVolumeClaim/gala-system/log'],
    });
    expect(objects(diffSynth(side([statefulSet(nothing)]), side([statefulSet((s) => (s.spec.replicas = 5))])))).toEqual({
      inPlace: ['StatefulSet/gala-system/feed-api'],
    });
  });

  test("a field that the CRD's own rule holds fast is refused in the rule's words", () => {
    const crd = aCrd((c) => {
      const { properties } = c.spec.versions[0].schema.openAPIV3Schema;
      properties.spec['x-kubernetes-validations'] = [{ rule: 'self.trunk == oldSelf.trunk', message: 'trunk is fixed' }];
      properties.spec.properties.vlans.items['x-kubernetes-validations'] = [
        { rule: 'oldSelf.phase != 1 || self.subnet == oldSelf.subnet', message: 'subnet is fixed while addresses are Bound' },
      ];
    });
    const pool = (change: Change) => side([crd, aHostPool(change)]);
    expect(
      diffSynth(
        pool(nothing),
        pool((h) => (h.spec.trunk = 'bond1')),
      ).refused,
    ).toEqual([
      {
        object: 'HostPool/web',
        file: 'dist/bj-a/40-network.yaml',
        what: 'trunk bond0 → bond1',
        path: 'spec.trunk',
        note: 'trunk is fixed.',
      },
    ]);
    const subnet =
      (value: string): Change =>
      (h) =>
        (h.spec.vlans[0].subnet = value);
    expect(diffSynth(pool(subnet('10.110.0.0/22')), pool(subnet('10.110.0.0/21'))).inPlace[0]).toMatchObject({
      path: 'spec.vlans[110].subnet',
      note: 'may be refused: subnet is fixed while addresses are Bound',
    });
  });
});

test('what only one side has is created or pruned, and pruning says what it takes along', () => {
  const diff = diffSynth(side([aNamespace()]), side([aConfigMap()]));
  expect(objects(diff)).toEqual({ prunes: ['Namespace/gala-system'], creates: ['ConfigMap/gala-system/gala-cni'] });
  expect(diff.prunes[0]?.note).toBe('deletes everything in it');
});

test('the same name in another namespace, or as another kind of workload, is recreated', () => {
  expect(objects(diffSynth(side([aConfigMap()]), side([aConfigMap((c) => (c.metadata.namespace = 'web'))])))).toEqual({
    recreates: ['ConfigMap/web/gala-cni'],
  });
  const asDeployment = aDaemonSet((d) => (d.kind = 'Deployment'));
  const diff = diffSynth(side([aDaemonSet()]), side([asDeployment]));
  expect(objects(diff)).toEqual({ recreates: ['Deployment/gala-system/gala-cni'] });
  expect(diff.recreates[0]?.what).toBe('was DaemonSet/gala-system/gala-cni');
});

test('another version of the same API is the same object', () => {
  const hpa = (version: string) => ({
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a', namespace: NAMESPACE },
  });
  expect(objects(diffSynth(side([hpa('v1')]), side([hpa('v2')])))).toEqual({});
});

test('host files restart what reads them, and only that', () => {
  const files = (swap: string, sysctl: string) => ({
    'hosts/web/etc/kubernetes/kubelet.conf.d/20-gala-swap.conf': `kind: KubeletConfiguration\nmemorySwap:\n  swapBehavior: ${swap}\n`,
    'hosts/web/etc/sysctl.d/90-gala.conf': `# why\nvm.swappiness = ${sysctl}\n`,
    'hosts/web/etc/containerd/conf.d/40-gala-network.toml': `version = 3\nmax_conf_num = ${sysctl}\n`,
    'hosts/web/README.md': swap,
  });
  const diff = diffSynth(side([], files('NoSwap', '10')), side([], files('LimitedSwap', '60')));
  expect(diff.restarts.map(({ object, what }) => [object, what])).toEqual([
    ['containerd on web', 'max_conf_num 10 → 60'],
    ['kubelet on web', 'swapBehavior NoSwap → LimitedSwap'],
    ['sysctl on web', 'vm.swappiness 10 → 60'],
  ]);
  expect(diff.inPlace.map(({ object }) => object)).toEqual(['files on web']);
});

describe('what needs a drained host is said first, each change by itself', () => {
  const dropIn = (settings: Record<string, unknown>, name = '40-gala-network.conf', rack = '') => ({
    [`hosts/web/${rack}etc/kubernetes/kubelet.conf.d/${name}`]: JSON.stringify({ kind: 'KubeletConfiguration', ...settings }),
  });
  const drainsOf = (before: Record<string, string>, after: Record<string, string>) =>
    diffSynth(side([], before), side([], after)).restarts.flatMap(({ object, what }) =>
      object.startsWith('drain') ? [[object, what]] : [],
    );

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['a lower maxPods', { maxPods: 133 }, { maxPods: 40 }, 'kubelet'],
    ['a maxPods that others set from now on', { maxPods: 133, a: 1 }, { a: 1 }, 'kubelet'],
    ['more reserved', { systemReserved: { memory: '8Gi' } }, { systemReserved: { memory: '10Gi' } }, 'kubelet'],
    ['a higher threshold', { evictionHard: { 'memory.available': '1Gi' } }, { evictionHard: { 'memory.available': '5%' } }, 'eviction'],
    ['a CPU manager', { cpuManagerPolicy: 'none' }, { cpuManagerPolicy: 'static' }, 'managers'],
    ['a topology manager', { topologyManagerPolicy: 'none' }, { topologyManagerPolicy: 'restricted' }, 'managers'],
    ['other CPUs', { reservedSystemCPUs: '0' }, { reservedSystemCPUs: '1' }, 'managers'],
    ['swap that goes', { failSwapOn: false }, { failSwapOn: true }, 'swap'],
  ])('%s', (_, before, after, part) => {
    expect(drainsOf(dropIn(before), dropIn(after)).map(([object]) => object)).toEqual([`drain first: ${part} on web`]);
  });

  test('nothing of what leaves running pods alone', () => {
    const before = { maxPods: 40, systemReserved: { cpu: '2' }, evictionHard: { 'memory.available': '2Gi' }, failSwapOn: true };
    const after = { maxPods: 133, systemReserved: { cpu: '1500m' }, evictionHard: { 'memory.available': '1Gi' }, failSwapOn: false };
    expect(drainsOf(dropIn(before), dropIn(after))).toEqual([]);
    expect(drainsOf({}, dropIn(after))).toEqual([]);
  });

  test('none is hidden among many files', () => {
    const names = ['30-a.conf', '31-b.conf', '32-c.conf', '33-d.conf'];
    const all = (settings: Record<string, unknown>, n: number) => ({
      ...Object.assign({}, ...names.map((name) => dropIn({ [name.slice(3, 4)]: n }, name))),
      ...dropIn(settings, '60-gala-managers.conf'),
    });
    const diff = diffSynth(
      side([], all({ memoryManagerPolicy: 'None', maxPods: 9 }, 1)),
      side([], all({ memoryManagerPolicy: 'Static', maxPods: 8 }, 2)),
    );
    expect(diff.restarts.map(({ object, what }) => `${object}: ${what}`)).toEqual([
      'drain first: kubelet on web: maxPods 9 → 8',
      'drain first: managers on web: memoryManagerPolicy None → Static',
      'kubelet on web: a 1 → 2 and 4 more files',
    ]);
    expect(diff.restarts[1]?.note).toContain('_manager_state');
  });

  test('a number that moves into racks is compared rack by rack', () => {
    const racks = (maxPods: (number | undefined)[], own = {}) => ({
      ...dropIn({ z: 1, ...own }),
      ...Object.assign(
        {},
        ...maxPods.map((most, i) => dropIn(most === undefined ? {} : { maxPods: most }, '41-gala-rack.conf', `racks/r1${i}/`)),
      ),
    });
    const before = racks([undefined, undefined], { maxPods: 133 });
    expect(drainsOf(before, racks([133, 9]))).toEqual([['drain first: kubelet on web', 'maxPods 133 → 9 on rack r11']]);
  });
});

test('a comment in a host file restarts nothing', () => {
  const file = 'hosts/web/etc/kubernetes/kubelet.conf.d/20-gala-swap.conf';
  const diff = diffSynth(side([], { [file]: '# why\na: 1\n' }), side([], { [file]: '# because\n\na: 1\n' }));
  expect(objects(diff)).toEqual({ inPlace: ['files on web'] });
  expect(diff.inPlace[0]?.what).toBe('comments of 20-gala-swap.conf');
});

test('the value of an environment variable is told by its name', () => {
  const env = (value: string) => aDaemonSet((d) => (first(d).env = [{ name: 'LOG', value }]));
  expect(diffSynth(side([env('info')]), side([env('debug')])).rolls[0]?.what).toBe('env[LOG] info → debug');
});

test('the text counts harmless changes by kind and names what does not happen on one line', () => {
  const rules = (version: string) =>
    ['a', 'b'].map((name) => ({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name, namespace: NAMESPACE },
      spec: { version },
    }));
  const diff = diffSynth(side([...rules('1'), aConfigMap()]), side([...rules('2'), aConfigMap((c) => (c.data.more = ''))]));
  expect(diffText(diff)).toBe(
    '  IN PLACE   1 ConfigMap, 2 PrometheusRule      no restart\n  ROLLS nothing · RESTARTS nothing · REFUSED nothing · RECREATES nothing · PRUNES nothing\n',
  );
});
