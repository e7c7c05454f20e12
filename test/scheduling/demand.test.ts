import { expect, test } from '@jest/globals';
import { sentence } from '../../lib/api/problem.ts';
import { demandOf } from '../../lib/scheduling/demand.ts';
import type { Demand } from '../../lib/scheduling/types.ts';
import { aTemplate, GIB } from './builders.ts';

const FEED = { namespace: 'feed' };

function demanded(template: unknown, options: Partial<Parameters<typeof demandOf>[1]> = {}): Demand {
  const { demand, problems } = demandOf(template, { ...FEED, ...options });
  expect(problems).toEqual([]);
  return demand as Demand;
}

const asked = (spec: unknown, options?: Partial<Parameters<typeof demandOf>[1]>) =>
  Object.fromEntries(demanded({ spec }, options).requests);
const problemsIn = (template: unknown, options = {}) => demandOf(template, { ...FEED, ...options }).problems.map(sentence);

const a = (cpu: string, more = {}) => ({ name: 'a', resources: { requests: { cpu, ...more } } });

test('containers add up, and a pod takes one place among pods', () => {
  expect(asked({ containers: [a('1', { memory: '1Gi' }), a('500m')] })).toEqual({ cpu: 1.5, memory: GIB, pods: 1 });
});

test('a pod that asks for nothing takes one place', () => expect(asked({ containers: [{ name: 'a' }] })).toEqual({ pods: 1 }));

test('an init container counts where it needs more than what runs after it', () => {
  expect(asked({ containers: [a('1')], initContainers: [a('3'), a('2')] })).toMatchObject({ cpu: 3 });
  expect(asked({ containers: [a('4')], initContainers: [a('3')] })).toMatchObject({ cpu: 4 });
});

test('native sidecars run along, and under the init containers that start after them', () => {
  const sidecar = { ...a('1'), restartPolicy: 'Always' };
  expect(asked({ containers: [a('2')], initContainers: [sidecar] })).toMatchObject({ cpu: 3 });
  expect(asked({ containers: [a('1')], initContainers: [sidecar, a('4')] })).toMatchObject({ cpu: 5 });
  expect(asked({ containers: [a('1')], initContainers: [a('4'), sidecar] })).toMatchObject({ cpu: 4 });
});

test('a limit without a request is the request', () => {
  const limited = { name: 'a', resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1' } } };
  expect(asked({ containers: [limited] })).toEqual({ cpu: 1, memory: GIB, pods: 1 });
});

test('the resources of the whole pod stand for those of its containers', () => {
  const containers = [a('1', { memory: '1Gi' }), a('1')];
  expect(asked({ containers, resources: { requests: { cpu: '5' } } })).toEqual({ cpu: 5, memory: GIB, pods: 1 });
  // With limits for the pod: what its containers ask, and the limit of what none of them asks for.
  expect(asked({ containers: [a('1')], resources: { limits: { cpu: '8', memory: '2Gi' } } })).toEqual({ cpu: 1, memory: 2 * GIB, pods: 1 });
});

test('the overhead of the RuntimeClass comes on top', () => {
  expect(asked({ containers: [a('1')], overhead: { cpu: '250m', memory: '120Mi' } })).toMatchObject({ cpu: 1.25, memory: 120 * 2 ** 20 });
  expect(asked({ containers: [a('1')], resources: { requests: { cpu: '2' } }, overhead: { cpu: '250m' } })).toMatchObject({ cpu: 2.25 });
});

test('hugepages, disk and extended resources count under their own names', () => {
  const more = { 'hugepages-2Mi': '64Mi', 'nvidia.com/gpu': 2 };
  const container = { name: 'a', resources: { limits: more, requests: { 'ephemeral-storage': '20Gi' } } };
  expect(asked({ containers: [container] })).toEqual({
    ...{ 'ephemeral-storage': 20 * GIB, 'hugepages-2Mi': 64 * 2 ** 20, 'nvidia.com/gpu': 2 },
    pods: 1,
  });
});

test('sums of CPUs are exact to the thousandth', () => {
  expect(asked({ containers: Array.from({ length: 10 }, () => a('0.1')) })).toMatchObject({ cpu: 1 });
  expect(asked({ containers: [a('1.1'), a('2.2')] })).toMatchObject({ cpu: 3.3 });
  expect(asked({ containers: [a('1u')] })).toMatchObject({ cpu: 0.001 });
});

test('bandwidth is what its annotations say, in bits a second', () => {
  const annotations = { 'kubernetes.io/egress-bandwidth': '200M', 'kubernetes.io/ingress-bandwidth': '1.5G' };
  expect(Object.fromEntries(demanded(aTemplate({ annotations })).requests)).toMatchObject({ egress: 2e8, ingress: 1.5e9 });
});

test('ephemeral volumes and volumeClaimTemplates ask for space of their class', () => {
  const claim = (storage: string, storageClassName?: string) => ({ spec: { storageClassName, resources: { requests: { storage } } } });
  const volumes = [{ name: 'log', ephemeral: { volumeClaimTemplate: claim('20Gi', 'gala-log') } }];
  const options = { volumeClaimTemplates: [claim('5Gi', 'gala-log'), claim('1Gi')] };
  expect(asked({ containers: [a('1')], volumes }, options)).toMatchObject({ 'storage/gala-log': 25 * GIB });
  expect(asked({ containers: [a('1')], volumes }, options)).not.toHaveProperty('storage/');
  expect(asked({ containers: [a('1')], volumes }, { ...options, defaultStorageClass: 'fast' })).toMatchObject({ 'storage/fast': GIB });
});

test('a bound claim ties the pod to the nodes of its volume, a claim to come asks for its space', () => {
  const volumes = ['data', 'log'].map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  const on = (value: string) => ({
    matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: [value] }],
    matchFields: [],
  });
  const claims = (name: string) =>
    name === 'data'
      ? { storageClassName: 'gala-log', bytes: GIB, bound: true, nodeTerms: [on('r12-01')] }
      : { storageClassName: 'gala-log', bytes: 2 * GIB, bound: false, nodeTerms: [] };
  const demand = demanded({ spec: { containers: [a('1')], volumes } }, { claims });
  expect(demand.requests.get('storage/gala-log')).toBe(2 * GIB);
  expect(demand.nodeTerms).toEqual([on('r12-01')]);
});

test("on the host's network a pod needs no address, and each port is one of the host", () => {
  const ports = [{ containerPort: 8080 }, { containerPort: 53, hostPort: 53, protocol: 'UDP', hostIP: '10.0.0.1' }];
  const spec = { containers: [{ ...a('1'), ports }] };
  expect(demanded({ spec })).toMatchObject({ address: true, hostPorts: ['UDP/53@10.0.0.1'] });
  expect(demanded({ spec: { ...spec, hostNetwork: true } })).toMatchObject({ address: false, hostPorts: ['TCP/8080', 'UDP/53@10.0.0.1'] });
});

test('ports of native sidecars count, those of init containers that end do not', () => {
  const ports = [{ containerPort: 1, hostPort: 9100 }];
  const initContainers = [
    { ...a('1'), restartPolicy: 'Always', ports },
    { ...a('1'), ports: [{ containerPort: 1, hostPort: 9200 }] },
  ];
  expect(demanded({ spec: { containers: [a('1')], initContainers } }).hostPorts).toEqual(['TCP/9100']);
});

test('a template of gala-scheduler tolerates pools as its pods will when they have their gate', () => {
  const spec = { containers: [a('1')], schedulerName: 'gala-scheduler' };
  const pool = { key: 'gala.internal/pool', operator: 'Exists', effect: 'NoSchedule' };
  expect(demanded({ spec }).tolerations).toEqual([pool]);
  expect(demanded({ spec: { ...spec, hostNetwork: true } }).tolerations).toEqual([]);
  expect(demanded({ spec: { ...spec, schedulerName: undefined } }).tolerations).toEqual([pool]);
  expect(demanded({ spec: { ...spec, schedulerName: 'default-scheduler' } }).tolerations).toEqual([]);
});

test('a template that names its node goes there and nowhere else', () => {
  const nodeSelectorTerms = [{ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }];
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
  const [term] = demanded({ spec: { containers: [a('1')], affinity, nodeName: 'r12-01' } }).nodeTerms;
  expect(term?.matchFields).toEqual([{ key: 'metadata.name', operator: 'In', values: ['r12-01'] }]);
  expect(term?.matchExpressions).toEqual([{ key: 'disk', operator: 'Exists', values: [] }]);
});

test("required spread is read with the API server's defaults and merged matchLabelKeys; a wish is not read", () => {
  const constraint = (whenUnsatisfiable: string, more = {}) => ({
    ...{ maxSkew: 1, topologyKey: 'gala.internal/rack', whenUnsatisfiable, labelSelector: { matchLabels: { app: 'feed' } } },
    ...more,
  });
  const topologySpreadConstraints = [
    constraint('DoNotSchedule', { matchLabelKeys: ['version', 'missing'], minDomains: 3 }),
    constraint('ScheduleAnyway'),
  ];
  const { spread } = demanded(aTemplate({ labels: { app: 'feed', version: '7' }, spec: { topologySpreadConstraints } as never }));
  expect(spread).toEqual([
    {
      maxSkew: 1,
      topologyKey: 'gala.internal/rack',
      minDomains: 3,
      selector: [
        { key: 'app', operator: 'In', values: ['feed'] },
        { key: 'version', operator: 'In', values: ['7'] },
      ],
      nodeAffinityPolicy: 'Honor',
      nodeTaintsPolicy: 'Ignore',
    },
  ]);
});

test('terms of pod affinity mean their own namespace, unless they name some or select them', () => {
  const terms = [
    { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'feed' } }, mismatchLabelKeys: ['tenant'] },
    { topologyKey: 'zone', namespaces: ['ads', 'ads'], namespaceSelector: {} },
  ];
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
  const { antiAffinity } = demanded(aTemplate({ labels: { tenant: 'x' }, spec: { affinity } as never }));
  expect(antiAffinity).toEqual([
    {
      topologyKey: 'kubernetes.io/hostname',
      namespaces: ['feed'],
      namespaceSelector: undefined,
      selector: [
        { key: 'app', operator: 'In', values: ['feed'] },
        { key: 'tenant', operator: 'NotIn', values: ['x'] },
      ],
    },
    // No labelSelector selects nothing.
    { topologyKey: 'zone', namespaces: ['ads'], namespaceSelector: [], selector: [{ key: '', operator: 'In', values: [] }] },
  ]);
});

test('all that is wrong is told at once, with its path', () => {
  const template = {
    metadata: { annotations: { 'kubernetes.io/egress-bandwidth': '200' }, labels: { app: 7 } },
    spec: {
      containers: [
        { name: 'a', resources: { requests: { cpu: '2 cores', memory: '-1Gi', gpu: 1 } } },
        { name: 'b', resources: { requests: { cpu: '3' }, limits: { cpu: '2' } }, ports: [{ hostPort: 70_000 }] },
      ],
      nodeSelector: { disk: true },
      tolerations: [{ value: 'x' }],
      topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Never' }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchExpressions: [{ key: 'a', operator: 'Gt', values: ['x'] }],
                matchFields: [{ key: 'b', operator: 'In', values: ['c'] }],
              },
            ],
          },
        },
      },
    },
  };
  const said = problemsIn(template, { path: 'spec.template' });
  const has = (start: string) => expect(said.filter((it) => it.startsWith(`spec.template.${start}`))).toHaveLength(1);
  has('metadata.annotations["kubernetes.io/egress-bandwidth"]: egress bandwidth is \'200\'; bits a second, 1k to 1P.');
  has('metadata.labels.app: app is 7; it is text.');
  has("spec.containers[0].resources.requests.cpu: cpu is '2 cores', which is no quantity;");
  has("spec.containers[0].resources.requests.memory: memory is '-1Gi', which is negative;");
  has("spec.containers[0].resources.requests.gpu: 'gpu' is no resource of a container;");
  has('spec.containers[1].resources.requests.cpu: the request for cpu is above its limit;');
  has('spec.containers[1].ports[0].hostPort: hostPort is 70000; a whole number of 1 to 65535.');
  has('spec.nodeSelector.disk: disk is true; it is text.');
  has('spec.tolerations[0].operator: a toleration without key takes every taint;');
  has('spec.topologySpreadConstraints[0].maxSkew: maxSkew is 0;');
  has('spec.topologySpreadConstraints[0].topologyKey: topologyKey is missing;');
  has("spec.topologySpreadConstraints[0].whenUnsatisfiable: whenUnsatisfiable is 'Never'; allowed are DoNotSchedule, ScheduleAnyway.");
  const terms = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]';
  has(`${terms}.matchExpressions[0].values: Gt has values ["x"]; one whole number, as text.`);
  has(`${terms}.matchFields[0]: matchFields has 'b' with 1 values; metadata.name with one value.`);
  expect(said).toHaveLength(14);
});

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /spec is missing/],
  ['text', 'feed', /is 'feed'; it is an object/],
  ['a pod without containers', { spec: {} }, /no container/],
  ['containers that are no list', { spec: { containers: {} } }, /it is a list/],
  ['a thousand and one containers', { spec: { containers: Array.from({ length: 1001 }, () => a('1')) } }, /has 1001 items; at most 1000/],
  ['more than any node has', { spec: { containers: [a('1', { memory: '9Ei' })] } }, /more than any node has; at most 1Pi/],
  ['an exponent beyond numbers', { spec: { containers: [a('1e999')] } }, /more than any node has/],
  ['a GPU without a limit', { spec: { containers: [a('1', { 'nvidia.com/gpu': 1 })] } }, /its request equals its limit/],
  ['less for the pod than for its containers', { spec: { containers: [a('2')], resources: { requests: { cpu: '1' } } } }, /less cpu than/],
  ['a GPU for the pod as a whole', { spec: { containers: [a('1')], resources: { limits: { 'a/gpu': 1 } } } }, /a pod as a whole can't ask/],
])('%s is no pod template', (_what, template, said) => expect(problemsIn(template).join('\n')).toMatch(said));

test('a template that is nested on purpose is a problem, and takes nobody down', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`);
  expect(problemsIn({ spec: { containers: [a('1')], nodeSelector: deep } })).toEqual([expect.stringContaining('nested too deep')]);
});
