import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { podsIn } from '../../lib/cli/pod-file.ts';

const POD = { containers: [{ name: 'feed', image: 'r.example/feed:1', resources: { requests: { cpu: 2 } } }] };
const TEMPLATE = { metadata: { labels: { app: 'feed' } }, spec: POD };
const SELECTOR = { matchLabels: { app: 'feed' } };
const META = { name: 'feed-api', namespace: 'feed' };
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: META, spec: { selector: SELECTOR, template: TEMPLATE } };

const read = (object: unknown) => podsIn(typeof object === 'string' ? object : stringify(object), 'feed.yaml');
const refusal = (object: unknown): string => {
  try {
    read(object);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was read');
};

test.each([
  DEPLOYMENT,
  { ...DEPLOYMENT, kind: 'ReplicaSet' },
  { ...DEPLOYMENT, kind: 'StatefulSet', spec: { ...DEPLOYMENT.spec, serviceName: 'feed' } },
  { apiVersion: 'batch/v1', kind: 'Job', metadata: META, spec: { template: { ...TEMPLATE, spec: { ...POD, restartPolicy: 'Never' } } } },
  { apiVersion: 'v1', kind: 'PodTemplate', metadata: META, template: TEMPLATE },
  { apiVersion: 'v1', kind: 'Pod', metadata: { ...META, labels: { app: 'feed' } }, spec: POD },
])('a $kind says whose its pods are and what they ask', (object) => {
  const pods = read(object);
  expect(pods).toMatchObject({ kind: object.kind, name: 'feed-api', namespace: 'feed' });
  expect(pods.template).toMatchObject({ metadata: { labels: { app: 'feed' } }, spec: POD });
});

test('a bare template has neither name nor namespace', () => {
  expect(read(TEMPLATE)).toEqual({ kind: '', template: TEMPLATE, where: 'feed.yaml' });
});

test('JSON is read too', () => {
  expect(read(JSON.stringify(DEPLOYMENT))).toEqual(read(DEPLOYMENT));
});

test('a live Deployment says its revision', () => {
  const metadata = { ...META, annotations: { 'deployment.kubernetes.io/revision': '1188' } };
  expect(read({ ...DEPLOYMENT, metadata }).revision).toBe('1188');
});

test('the claims of a StatefulSet are volumes of its pods', () => {
  const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } } };
  const { template } = read({
    ...DEPLOYMENT,
    kind: 'StatefulSet',
    spec: { ...DEPLOYMENT.spec, serviceName: 'feed', volumeClaimTemplates: [claim] },
  });
  expect(template.spec.volumes).toEqual([{ name: 'data', ephemeral: { volumeClaimTemplate: { spec: claim.spec } } }]);
});

test('everything wrong with a file is told at once, each with its path', () => {
  const broken = {
    ...POD,
    containers: [{ name: 'feed', imagee: 'x', resources: { requests: { cpu: '2 cores' } } }],
    nodeSelectr: { a: 'b' },
  };
  expect(refusal({ ...DEPLOYMENT, spec: { ...DEPLOYMENT.spec, template: { ...TEMPLATE, spec: broken } } }).split('\n')).toEqual([
    'feed.yaml: spec.template.spec.containers[0].imagee: V1Container has no field imagee. Did you mean image?',
    expect.stringMatching(/^feed\.yaml: spec\.template\.spec\.containers\[0\]\.resources\.requests\.cpu: value is "2 cores"; a quantity /),
    'feed.yaml: spec.template.spec.nodeSelectr: V1PodSpec has no field nodeSelectr. Did you mean nodeSelector?',
  ]);
});

test('paths of a bare template begin at the template', () => {
  expect(refusal({ ...TEMPLATE, spec: { ...POD, nodeSelectr: {} } })).toMatch(/^feed\.yaml: spec\.nodeSelectr: /);
});

test.each([
  [
    'several documents',
    `${stringify(DEPLOYMENT)}---\n${stringify({ ...DEPLOYMENT, kind: 'Service' })}`,
    'feed.yaml: 2 documents (Deployment, Service); one is read. Give the one whose pods are meant: yq \'select(.kind == "Deployment")\' feed.yaml | gala … -f -',
  ],
  [
    'nothing',
    '',
    'feed.yaml: it is empty; expected is one of Pod, PodTemplate, Deployment, StatefulSet, ReplicaSet, Job, or a bare pod template.',
  ],
  [
    'a text',
    'hello',
    'feed.yaml: it holds "hello"; expected is one of Pod, PodTemplate, Deployment, StatefulSet, ReplicaSet, Job, or a bare pod template.',
  ],
  [
    'a kind of another sort',
    { apiVersion: 'v1', kind: 'Service' },
    'feed.yaml: kind is Service; pods are read from Pod, PodTemplate, Deployment, StatefulSet, ReplicaSet, Job, or a bare pod template. Give one of these.',
  ],
  ['a DaemonSet', { ...DEPLOYMENT, kind: 'DaemonSet' }, 'It runs one pod a node: give its spec.template alone, with --max-per node=1.'],
  [
    'no container',
    { ...TEMPLATE, spec: { containers: [] } },
    'feed.yaml: spec.containers: the list is empty; a pod has one container or more. Add what its pods run.',
  ],
  [
    'what is no YAML',
    'a: [',
    'feed.yaml: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 5. YAML or JSON is expected.',
  ],
  ['a key twice', 'kind: Pod\nkind: Job\n', 'feed.yaml: Map keys must be unique at line 2, column 1. YAML or JSON is expected.'],
])('%s is refused, with what to do', (_what, object, says) => {
  expect(refusal(object)).toContain(says);
});
