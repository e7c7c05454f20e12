/** The policies on a real API server: each rule is asked by who may and by who may not, and the sentence is what kubectl shows. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rendered } from '../../../constructs/testing.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { until } from '../../bed/process.ts';
import { aNode, aNodeNetwork, aPod, aTaintedCluster, EVERY_TAINT, GALAS, GATED } from './asked.ts';
import { ADMIN, account, as, aWildcardRole, inForce, kubelet, sentence, TENANT, WRITER } from './asking.ts';

const GATE = { name: 'gala.internal/lock' };
const TOLERATION = { key: 'gala.internal/pool', operator: 'Exists', effect: 'NoSchedule' };
const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const PODS = '/api/v1/namespaces/default/pods';
const GALA = '/apis/gala.internal/v1alpha1';

describeBed('policies', ['control-plane'], () => {
  let bed: Bed;
  const admin = (...args: Parameters<ReturnType<typeof as>>) => as(bed, ADMIN)(...args);
  const writer = (...args: Parameters<ReturnType<typeof as>>) => as(bed, WRITER)(...args);
  const tenant = (...args: Parameters<ReturnType<typeof as>>) => as(bed, TENANT)(...args);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    const applied = await bed.apply(rendered(aTaintedCluster()).objects);
    expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
    await bed.apply([...aWildcardRole(TENANT), aNode('r12-01', 'InPlacePodLevelResourcesVerticalScaling')]);
    await inForce(async () => (await admin('POST', `${GALA}/nodenetworks?dryRun=All`, aNodeNetwork('r12-01'))).status === 403);
    await inForce(async () => (await admin('POST', `${PODS}?dryRun=All`, aPod({ spec: GALAS }))).body.spec.schedulingGates !== undefined);
  }, 300_000);
  afterAll(() => bed?.stop());

  /** Makes a pod, and answers with it as it is then. */
  async function made(pod: object, ask = admin) {
    const { status, body } = await ask('POST', PODS, pod);
    expect([status, body.message]).toEqual([201, undefined]);
    return body;
  }
  const refused = async (pod: object, ask = admin) => sentence(await ask('POST', PODS, pod));
  const path = ({ metadata }: { metadata: { name: string } }) => `${PODS}/${metadata.name}`;

  /** What the lock writer does with a pod behind the gate: one patch. */
  const slotOn = (node: string, slot = '3') => ({
    metadata: { annotations: { 'gala.internal/slot': slot } },
    spec: {
      schedulingGates: null,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
          },
        },
      },
    },
  });

  const binding = (name: string, annotations?: object) => ({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, annotations },
    target: { apiVersion: 'v1', kind: 'Node', name: 'r12-01' },
  });

  test('the API server finds nothing to say about any of their expressions', async () => {
    const { body } = await bed.request('GET', POLICIES);
    const names: string[] = body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    expect(names.filter((name) => name.startsWith('gala-'))).toHaveLength(13);
    for (const name of names) expect([name, await typeWarnings(name)]).toEqual([name, []]);
  });

  test('it would have something to say about one that is wrong', async () => {
    const applied = await bed.apply([
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'wrong' },
        spec: {
          matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] },
          validations: [{ expression: 'object.spec.nodename == ""' }],
        },
      },
    ]);
    expect(applied).toMatchObject([{ result: 'created' }]);
    expect(await typeWarnings('wrong')).toEqual([expect.stringContaining("undefined field 'nodename'")]);
  });

  /** What the type checker of the controller manager says of a policy. */
  async function typeWarnings(name: string): Promise<string[]> {
    let status: { typeChecking?: { expressionWarnings?: { warning: string }[] } } = {};
    await until(`type-checked: ${name}`, [], 60, async () => {
      status = (await bed.request('GET', `${POLICIES}/${name}`)).body.status;
      return status.typeChecking !== undefined;
    });
    return status.typeChecking?.expressionWarnings?.map(({ warning }) => warning) ?? [];
  }

  describe('the gate', () => {
    test('a pod of gala-scheduler gets the gate, and the toleration of the pools with it', async () => {
      const { spec } = await made(aPod({ spec: GALAS }));
      expect(spec.schedulingGates).toEqual([GATE]);
      expect(spec.tolerations).toContainEqual(TOLERATION);
    });

    test("somebody else's gates and tolerations stay", async () => {
      const other = { key: 'dedicated', operator: 'Equal', value: 'feed', effect: 'NoSchedule' };
      const { spec } = await made(
        aPod({ spec: { ...GALAS, schedulingGates: [{ name: 'kueue.x-k8s.io/topology' }], tolerations: [other] } }),
      );
      expect(spec.schedulingGates).toEqual([{ name: 'kueue.x-k8s.io/topology' }, GATE]);
      expect(spec.tolerations).toEqual(expect.arrayContaining([other, TOLERATION]));
    });

    test.each([
      ['that of all pools', TOLERATION],
      ['one of everything', { operator: 'Exists' }],
    ])('what is there already is not put on twice: %s', async (_, one) => {
      const { spec } = await made(aPod({ spec: { ...GATED, tolerations: [one] } }));
      expect(spec.schedulingGates).toEqual([GATE]);
      expect(spec.tolerations.filter(({ key = '' }: { key?: string }) => ['', 'gala.internal/pool'].includes(key))).toEqual([one]);
    });

    test('a pod that tolerates one pool tolerates all: where it goes is said by selectors', async () => {
      const one = { key: 'gala.internal/pool', operator: 'Equal', value: 'web', effect: 'NoSchedule' };
      const { spec } = await made(aPod({ spec: { ...GALAS, tolerations: [one] } }));
      expect(spec.tolerations).toEqual(expect.arrayContaining([one, TOLERATION]));
    });

    test('a pod on the host network waits for its slot too, and tolerates what it says itself', async () => {
      const { spec } = await made(aPod({ spec: { ...GALAS, hostNetwork: true } }));
      expect(spec.schedulingGates).toEqual([GATE]);
      expect(spec.tolerations).not.toContainEqual(TOLERATION);
    });

    test('a pod of another scheduler is left alone', async () => {
      const { spec } = await made(aPod());
      expect(spec.schedulingGates).toBeUndefined();
      expect(spec.tolerations.map(({ key }: { key: string }) => key)).not.toContain('gala.internal/pool');
    });

    test('one that names its node has no use for a scheduler', async () => {
      expect(await refused(aPod({ spec: { ...GALAS, nodeName: 'r12-01' } }))).toBe(
        'spec.nodeName is r12-01, and spec.schedulerName gala-scheduler: a pod that names its node passes by every scheduler and gets no slot. Leave one of the two out.',
      );
    });

    test('a static pod’s mirror is taken as the kubelet has it', async () => {
      const mirror = { 'kubernetes.io/config.mirror': 'a1', 'kubernetes.io/config.hash': 'a1', 'kubernetes.io/config.source': 'file' };
      const { spec } = await made(
        aPod({ metadata: { name: 'etcd-r12-01', annotations: mirror }, spec: { ...GALAS, nodeName: 'r12-01', tolerations: EVERY_TAINT } }),
      );
      expect(spec.schedulingGates).toBeUndefined();
    });

    test('it does not go because somebody takes it away', async () => {
      const pod = await made(aPod({ spec: GALAS }));
      expect(sentence(await admin('PATCH', path(pod), { spec: { schedulingGates: null } }))).toBe(
        `spec.schedulingGates of pod default/${pod.metadata.name} would lose gala.internal/lock: the lock writer takes that gate away when the pod has its slot. gala explain pod default/${pod.metadata.name} says what it waits for.`,
      );
    });

    test('others take their own gates away as before', async () => {
      const pod = await made(aPod({ spec: { ...GALAS, schedulingGates: [{ name: 'kueue.x-k8s.io/topology' }] } }));
      expect(await admin('PATCH', path(pod), { spec: { schedulingGates: [GATE] } })).toMatchObject({ status: 200 });
    });
  });

  describe('a slot', () => {
    test('is given by the lock writer, in one patch that pins the pod and lets it through the gate', async () => {
      const pod = await made(aPod({ spec: GALAS }));
      const { status, body } = await writer('PATCH', path(pod), slotOn('r12-01'));
      expect([status, body.spec.schedulingGates, body.metadata.annotations['gala.internal/slot']]).toEqual([200, undefined, '3']);
    });

    test('is never brought along', async () => {
      const pod = aPod({ metadata: { annotations: { 'gala.internal/slot': 'loose' } }, spec: GALAS });
      expect(await refused(pod)).toBe(
        'metadata.annotations[gala.internal/slot] is loose: the lock writer alone says which slot a pod has. Take the annotation out of the pod, or of the template it is made of.',
      );
      expect(await refused(pod, writer)).toMatch(/^not refused/);
    });

    test.each([
      ['given', {}, { 'gala.internal/slot': '4' }, 'would be 4: '],
      ['changed', { 'gala.internal/slot': '3' }, { 'gala.internal/slot': '4' }, 'would be 4, it is 3: '],
      ['taken away', { 'gala.internal/slot': '3' }, { 'gala.internal/slot': null }, 'would be gone, it is 3: '],
    ])('is not %s by anybody else, nor through status', async (_, before, after, said) => {
      const pod = await made(aPod({ spec: GALAS }));
      await writer('PATCH', path(pod), { metadata: { annotations: before } });
      for (const at of [path(pod), `${path(pod)}/status`]) {
        const answer = sentence(await admin('PATCH', at, { metadata: { annotations: after } }));
        expect(answer).toContain(
          `metadata.annotations[gala.internal/slot] of pod default/${pod.metadata.name} ${said}the lock writer alone`,
        );
      }
    });

    test.each(['ephemeralcontainers', 'resize'])('does not change by way of %s, which drops annotations', async (subresource) => {
      const pod = await made(aPod({ spec: GALAS }));
      await writer('PATCH', path(pod), slotOn('r12-01'));
      const annotations = { 'gala.internal/slot': '4' };
      await admin('PATCH', `${path(pod)}/${subresource}`, { metadata: { annotations } });
      expect((await bed.request('GET', path(pod))).body.metadata.annotations['gala.internal/slot']).toBe('3');
    });

    test('is of the Lock that it was given for: the pod names no other afterwards', async () => {
      const pod = await made(aPod({ metadata: { annotations: { 'gala.internal/lock': 'feed-1188' } }, spec: GALAS }));
      expect(await admin('PATCH', path(pod), { metadata: { annotations: { 'gala.internal/lock': 'feed-1189' } } })).toMatchObject({
        status: 200,
      });
      await writer('PATCH', path(pod), slotOn('r12-01'));
      expect(sentence(await admin('PATCH', path(pod), { metadata: { annotations: { 'gala.internal/lock': 'feed-1190' } } }))).toContain(
        'metadata.annotations[gala.internal/lock] of pod',
      );
    });

    test('does not come with a binding', async () => {
      const pod = await made(aPod());
      const { name } = pod.metadata;
      for (const where of [`${path(pod)}/binding`, '/api/v1/namespaces/default/bindings'])
        expect(sentence(await admin('POST', where, binding(name, { 'gala.internal/slot': 'loose' })))).toContain(
          'Take the annotation out of the binding.',
        );
      expect(await admin('POST', `${path(pod)}/binding`, binding(name))).toMatchObject({ status: 201 });
    });

    test('does not stand in the way of labels, status and deletion', async () => {
      const pod = await made(aPod({ spec: GALAS }));
      await writer('PATCH', path(pod), slotOn('r12-01'));
      expect(await admin('PATCH', path(pod), { metadata: { labels: { team: 'feed' } } })).toMatchObject({ status: 200 });
      expect(await admin('PATCH', `${path(pod)}/status`, { status: { message: 'pulling' } })).toMatchObject({ status: 200 });
      expect(await admin('DELETE', `${path(pod)}?gracePeriodSeconds=0`)).toMatchObject({ status: 200 });
    });
  });

  describe('the size of a pod', () => {
    const web = (cpu: string, memory = '1Gi') => ({ name: 'web', image: 'web:1', resources: { requests: { cpu, memory } } });
    const ops = (cpu?: string) => ({ name: 'ops', image: 'ops:1', ...(cpu !== undefined && { resources: { requests: { cpu } } }) });

    /** Bound to a node, as pods are that are resized. */
    async function bound(spec: object, slot?: string) {
      const pod = await made(aPod({ spec: { containers: [web('1'), ops('200m')], ...spec } }));
      if (slot !== undefined) await writer('PATCH', path(pod), slotOn('r12-01', slot));
      expect(await writer('POST', `${path(pod)}/binding`, binding(pod.metadata.name))).toMatchObject({ status: 201 });
      return pod;
    }
    const resized = (pod: { metadata: { name: string } }, spec: object, ask = admin) => ask('PUT', `${path(pod)}/resize`, { ...pod, spec });
    const now = async (pod: { metadata: { name: string } }) => (await bed.request('GET', path(pod))).body;

    test('does not outgrow its slot', async () => {
      const pod = await now(await bound(GALAS, '3'));
      const { name } = pod.metadata;
      const larger = { ...pod.spec, containers: [web('3'), ops('200m')] };
      expect(sentence(await resized(pod, larger))).toBe(
        `spec of pod default/${name} would ask for cpu 3200m and memory 1073741824, and its slot holds cpu 1200m and memory 1073741824: a slot does not grow. Change the template and delete the pod: the next one gets a slot of that size. To ask for less is let through.`,
      );
      expect(sentence(await resized(pod, { ...pod.spec, containers: [web('1', '2Gi'), ops('200m')] }, tenant))).toContain(
        'memory 2147483648',
      );
      expect(await resized(pod, larger, writer)).toMatchObject({ status: 200 });
    });

    test('becomes less, and stays so: what it gave back is promised to others', async () => {
      const pod = await now(await bound(GALAS, '3'));
      expect(await resized(pod, { ...pod.spec, containers: [web('500m', '512Mi'), ops('200m')] })).toMatchObject({ status: 200 });
      expect(sentence(await resized(await now(pod), pod.spec))).toContain(
        'would ask for cpu 1200m and memory 1073741824, and its slot holds cpu 700m and memory 536870912',
      );
    });

    test('is that of all containers and sidecars: one may give to another', async () => {
      const sidecar = (cpu: string) => ({ ...ops(cpu), name: 'sidecar', restartPolicy: 'Always' });
      const pod = await now(await bound({ ...GALAS, initContainers: [sidecar('100m')] }, 'loose'));
      const given = { ...pod.spec, containers: [web('1100m'), ops('100m')] };
      expect(await resized(pod, given)).toMatchObject({ status: 200 });
      expect(await resized(await now(pod), { ...given, initContainers: [sidecar('50m')] })).toMatchObject({ status: 200 });
      expect(sentence(await resized(await now(pod), { ...given, initContainers: [sidecar('100m')] }))).toContain('a slot does not grow');
    });

    test('is what the pod asks for as a whole, where it says so', async () => {
      const pod = await now(await bound({ ...GALAS, resources: { requests: { cpu: '2', memory: '2Gi' } } }, '3'));
      const inside = { ...pod.spec, containers: [web('1500m'), ops('200m')] };
      expect(await resized(pod, inside)).toMatchObject({ status: 200 });
      expect(sentence(await resized(await now(pod), { ...inside, resources: { requests: { cpu: '3', memory: '2Gi' } } }))).toContain(
        'would ask for cpu 3000m and memory 2147483648, and its slot holds cpu 2000m and memory 2147483648',
      );
    });

    describe('in bandwidth', () => {
      const [egress, ingress] = ['kubernetes.io/egress-bandwidth', 'kubernetes.io/ingress-bandwidth'];
      const shaped = async (annotations: object, slotted = true) => {
        const pod = await made(aPod({ metadata: { annotations }, spec: GALAS }));
        if (slotted) await writer('PATCH', path(pod), slotOn('r12-01', 'loose'));
        return pod;
      };
      const asks = (pod: { metadata: { name: string } }, annotations: object, ask = tenant) =>
        ask('PATCH', path(pod), { metadata: { annotations } });

      test('becomes less while it runs, and more by who may place pods', async () => {
        const pod = await shaped({ [egress]: '200M' });
        expect(await asks(pod, { [egress]: '0.1G' })).toMatchObject({ status: 200 });
        expect(sentence(await asks(pod, { [egress]: '200M' }))).toBe(
          `metadata.annotations[kubernetes.io/egress-bandwidth] of pod default/${pod.metadata.name} would be 200M, and its slot holds 0.1G: a slot does not grow, and what it holds it keeps to. Ask for less, which is let through down to 1k; or change the template and delete the pod. Who is to give more needs the verb create on pods/binding in all namespaces.`,
        );
        for (const ask of [admin, writer])
          expect(await asks(pod, { [egress]: ask === admin ? '1G' : '2G' }, ask)).toMatchObject({ status: 200 });
      });

      test.each([
        ['taken away', { [egress]: '200M' }, { [egress]: null }, 'would be gone, and its slot holds 200M: '],
        ['asked for anew', { [egress]: '200M' }, { [ingress]: '1M' }, 'ingress-bandwidth] of pod'],
        ['made unreadable', { [egress]: '200M' }, { [egress]: 'much' }, 'would be much, '],
        ['made none', { [egress]: '200M' }, { [egress]: '0' }, 'would be 0, '],
      ])('is not %s', async (_, before, after, said) => {
        const pod = await shaped(before);
        expect(sentence(await asks(pod, after))).toContain(said);
        expect(await asks(pod, { team: 'feed' })).toMatchObject({ status: 200 });
      });

      test('is its own affair while it waits: it gets a slot of that size', async () => {
        const pod = await shaped({ [egress]: '200M' }, false);
        expect(await asks(pod, { [egress]: '2G', [ingress]: '1G' })).toMatchObject({ status: 200 });
      });
    });

    test('is its own affair without a slot', async () => {
      const pod = await now(await bound({}));
      expect(await resized(pod, { ...pod.spec, containers: [web('3'), ops('200m')] })).toMatchObject({ status: 200 });
    });

    test('does not change by another way', async () => {
      const pod = await now(await bound(GALAS, '3'));
      const larger = { spec: { containers: [web('3'), ops('200m')] } };
      expect(await admin('PUT', path(pod), { ...pod, spec: { ...pod.spec, ...larger.spec } })).toMatchObject({ status: 422 });
      expect(await admin('PUT', `${path(pod)}/status`, { ...pod, spec: { ...pod.spec, ...larger.spec } })).toMatchObject({ status: 200 });
      expect((await now(pod)).spec.containers).toEqual(pod.spec.containers);
    });
  });

  describe('a pod that names its node', () => {
    const onNode = { nodeName: 'r12-01' };
    const said = (who: string) =>
      `spec.nodeName is r12-01, and ${who} may not bind pods: a pod that names its node passes by the taint of host pools and takes room that is promised to others. Leave nodeName out and say the node by nodeSelector; where it is one of a host pool, set schedulerName: gala-scheduler. Who is to place pods himself needs the verb create on pods/binding in all namespaces.`;

    test.each([
      ['tolerates the taint', { tolerations: EVERY_TAINT }],
      ['tolerates nothing, which no kubelet asks for', {}],
    ])('and %s is refused off the host network', async (_, spec) => {
      expect(await refused(aPod({ spec: { ...spec, ...onNode } }), tenant)).toBe(said('tom'));
    });

    test('is refused in a template too, by who makes the pod', async () => {
      const template = { metadata: { labels: { app: 'named' } }, spec: { ...aPod().spec, ...onNode } };
      const metadata = { name: 'named', namespace: 'default' };
      const spec = { replicas: 1, selector: { matchLabels: { app: 'named' } }, template };
      await bed.apply([{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec }]);
      await until('an event', [], 60, async () => {
        const { stdout } = await bed.kubectl(['describe', 'replicaset', 'named']);
        return stdout.includes(said('system:serviceaccount:kube-system:replicaset-controller'));
      });
    });

    test('is let through by who may bind in every namespace', async () => {
      await made(aPod({ spec: { tolerations: EVERY_TAINT, ...onNode } }));
    });

    test('goes onto the host’s network as before', async () => {
      await made(aPod({ spec: { hostNetwork: true, ...onNode } }), tenant);
    });

    const readsNodes = (group: string) => [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'reads-nodes' },
        rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reads-nodes' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads-nodes' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
      },
    ];

    test('is what kubectl debug makes to look at a node', async () => {
      const impersonated = ['--as', TENANT.user, '--as-group', TENANT.group!];
      // A tenant reads no nodes, and kubectl asks for that one first.
      await bed.apply(readsNodes(TENANT.group!));
      const { code, stderr } = await bed.kubectl([...['debug', 'node/r12-01', '--image', 'main:1', '--attach=false'], ...impersonated]);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    });

    const mirror = { 'kubernetes.io/config.mirror': 'a1', 'kubernetes.io/config.hash': 'a1', 'kubernetes.io/config.source': 'file' };
    const aMirror = (name: string) => aPod({ metadata: { name, annotations: mirror }, spec: { ...onNode, tolerations: EVERY_TAINT } });

    test('is a static pod’s mirror when its node says so, and nobody else', async () => {
      const owner = { apiVersion: 'v1', kind: 'Node', name: 'r12-01', uid: 'a1', controller: true };
      const pod = aMirror('registry-r12-01');
      await made({ ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } }, as(bed, kubelet('r12-01')));
      expect(await refused(aMirror('other-r12-01'), tenant)).toBe(said('tom'));
    });

    test('is not made one by a binding either', async () => {
      const pod = await made(aPod(), tenant);
      const { name } = pod.metadata;
      for (const where of [`${path(pod)}/binding`, '/api/v1/namespaces/default/bindings'])
        expect(sentence(await tenant('POST', where, binding(name)))).toBe(
          'target.name is r12-01, and tom may bind pods of some namespaces only: a binding passes by the taint of host pools. Leave it to the scheduler of the pod. A scheduler needs the verb create on pods/binding in all namespaces.',
        );
      const scheduler = as(bed, { user: 'system:kube-scheduler', group: 'system:authenticated' });
      expect(await scheduler('POST', `${path(pod)}/binding`, binding(name))).toMatchObject({ status: 201 });
    });
  });

  describe("the pools' taint", () => {
    test.each([
      ['all taints', { operator: 'Exists' }],
      ['all taints of its effect', { operator: 'Exists', effect: 'NoSchedule' }],
      ['the taint of any pool', { key: 'gala.internal/pool', operator: 'Exists' }],
      ['the taint of one pool', { key: 'gala.internal/pool', operator: 'Equal', value: 'web', effect: 'NoSchedule' }],
    ])('a pod that tolerates %s and holds no slot is refused, and told what to do', async (_, toleration) => {
      expect(await refused(aPod({ spec: { tolerations: [toleration] } }))).toBe(
        'spec.tolerations lets the pod onto host pools, whose taint is gala.internal/pool, and spec.schedulerName is default-scheduler: there only pods run that hold a slot. Set schedulerName: gala-scheduler, or tolerate the taints that are meant one by one: a toleration without a key takes all.',
      );
    });

    test.each([
      ['of another taint', { tolerations: [{ key: 'dedicated', operator: 'Exists' }] }],
      ['of eviction only', { tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] }],
      ['on the host network', { tolerations: EVERY_TAINT, hostNetwork: true }],
      ['that names its node, which no taint is asked about', { tolerations: EVERY_TAINT, nodeName: 'r12-01' }],
      ['of gala-scheduler', { tolerations: EVERY_TAINT, ...GALAS }],
    ])('one %s is let through', async (_, spec) => {
      await made(aPod({ spec }));
    });

    test('is not tolerated afterwards either', async () => {
      const pod = await made(aPod());
      const tolerations = [...pod.spec.tolerations, { key: 'gala.internal/pool', operator: 'Exists' }];
      expect(sentence(await admin('PATCH', path(pod), { spec: { tolerations } }))).toContain(
        'spec.tolerations lets the pod onto host pools',
      );
      const ours = await made(aPod({ spec: GALAS }));
      expect(await admin('PATCH', path(ours), { spec: { tolerations: [...ours.spec.tolerations, ...EVERY_TAINT] } })).toMatchObject({
        status: 200,
      });
    });

    test('what a controller was refused stands in its event', async () => {
      const template = { metadata: { labels: { app: 'agent' } }, spec: { ...aPod().spec, tolerations: EVERY_TAINT } };
      await bed.apply([
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: { name: 'agent', namespace: 'default' },
          spec: { replicas: 1, selector: { matchLabels: { app: 'agent' } }, template },
        },
      ]);
      await until('an event', [], 60, async () => {
        const { stdout } = await bed.kubectl(['describe', 'replicaset', 'agent']);
        return /FailedCreate.*Set schedulerName: gala-scheduler/.test(stdout);
      });
    });
  });

  describe('DaemonSets', () => {
    const NODES = ['r12-01', 'r12-02'];
    const daemonSet = (name: string, spec: object) => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { ...aPod().spec, ...spec } },
      },
    });
    const podsOf = async (name: string) => (await bed.request('GET', `${PODS}?labelSelector=app%3D${name}`)).body.items;

    beforeAll(async () => {
      const tainted = { spec: { taints: [{ key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' }] } };
      for (const name of NODES) await bed.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name }, ...tainted }]);
      await bed.apply([
        daemonSet('shipper', { tolerations: EVERY_TAINT }),
        daemonSet('proxy', { tolerations: EVERY_TAINT, hostNetwork: true }),
      ]);
      for (const name of ['shipper', 'proxy'])
        await until(`pods of ${name}`, [], 60, async () => (await podsOf(name)).length === NODES.length);
    });

    test('one that runs on every node gets a slot on each: its pods are gala-scheduler’s and wait, pinned as before', async () => {
      for (const { spec } of await podsOf('shipper')) {
        expect(spec).toMatchObject({ schedulerName: 'gala-scheduler', schedulingGates: [GATE] });
        const [term] = spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
        expect(NODES).toContain(term.matchFields[0].values[0]);
      }
    });

    test('one on the host network is nobody’s business', async () => {
      for (const { spec } of await podsOf('proxy')) {
        expect(spec.schedulerName).toBe('default-scheduler');
        expect(spec.schedulingGates).toBeUndefined();
      }
    });
  });

  describe('a Lock', () => {
    const LOCKS = `${GALA}/namespaces/default/locks`;
    async function aLock(name: string, used: number) {
      const spec = { podFrom: { kind: 'Deployment', name: 'feed' }, count: 3, owner: 'feed' };
      await admin('POST', LOCKS, { apiVersion: 'gala.internal/v1alpha1', kind: 'Lock', metadata: { name }, spec });
      await writer('PATCH', `${LOCKS}/${name}/status`, { status: { phase: 'Ready', counts: { planned: 3, used } } });
      return `${LOCKS}/${name}`;
    }

    test('with pods in its slots stays, whoever deletes it and however', async () => {
      const lock = await aLock('feed-1', 2);
      const said =
        'status.counts.used is 2: pods run in slots of Lock default/feed-1. Delete or move these pods first; gala locks -n default shows when none is left.';
      expect(sentence(await admin('DELETE', lock))).toBe(said);
      expect(sentence(await as(bed, { user: 'system:serviceaccount:kube-system:generic-garbage-collector' })('DELETE', lock))).toBe(said);
      expect(sentence(await admin('DELETE', LOCKS))).toBe(said);
      expect(await writer('DELETE', lock)).toMatchObject({ status: 200 });
    });

    test('has the status that the lock writer gives it, and no other', async () => {
      const lock = await aLock('feed-3', 0);
      const said = (who: string) =>
        `${who} may not update status of Lock default/feed-3: the lock writer alone says which slots a Lock has. Ask for slots by the spec of a Lock; gala stock says how many there are.`;
      const slots = [{ slot: 0, node: 'r12-01' }];
      const status = { phase: 'Ready', counts: { planned: 1, used: 0 }, slots };
      expect(sentence(await tenant('PATCH', `${lock}/status`, { status }))).toBe(said('tom'));
      expect(sentence(await admin('PATCH', `${lock}/status`, { status }))).toBe(said('ada'));
      const { body } = await bed.request('GET', lock);
      expect(sentence(await tenant('PUT', `${lock}/status`, { ...body, status }))).toBe(said('tom'));
      expect(await writer('PUT', `${lock}/status`, { ...body, status })).toMatchObject({ status: 200 });
    });

    test('brings no status along, and gets none by another way', async () => {
      const status = { phase: 'Ready', counts: { planned: 3, used: 0 }, slots: [{ slot: 0, node: 'r12-01' }] };
      const spec = { podFrom: { kind: 'Deployment', name: 'feed' }, count: 3, owner: 'feed' };
      const lock = { apiVersion: 'gala.internal/v1alpha1', kind: 'Lock', metadata: { name: 'feed-4' }, spec, status };
      const { status: code, body } = await tenant('POST', LOCKS, lock);
      expect([code, body.status]).toEqual([201, undefined]);
      const patched = await tenant('PATCH', `${LOCKS}/feed-4`, { status, metadata: { labels: { audit: 'seen' } } });
      expect([patched.status, patched.body.status, patched.body.metadata.labels]).toEqual([200, undefined, { audit: 'seen' }]);
    });

    test('without pods goes', async () => {
      expect(await admin('DELETE', await aLock('feed-2', 0))).toMatchObject({ status: 200 });
    });

    test('goes with its namespace, also while nobody writes its status', async () => {
      await bed.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'leaving' } }]);
      const locks = `${GALA}/namespaces/leaving/locks`;
      const spec = { podFrom: { kind: 'Deployment', name: 'feed' }, count: 3, owner: 'feed' };
      await admin('POST', locks, { apiVersion: 'gala.internal/v1alpha1', kind: 'Lock', metadata: { name: 'feed' }, spec });
      await writer('PATCH', `${locks}/feed/status`, { status: { phase: 'Ready', counts: { planned: 3, used: 2 } } });
      await admin('DELETE', '/api/v1/namespaces/leaving');
      await until('the namespace gone', [], 60, async () => (await bed.request('GET', '/api/v1/namespaces/leaving')).status === 404);
    }, 300_000);
  });

  describe('an IPLock', () => {
    const IPLOCKS = `${GALA}/iplocks`;
    const agent = account('gala-cni', 'r12-01');
    const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
    let last = 0;
    async function anIpLock(spec: object = {}): Promise<string> {
      const name = `10.110.0.${++last}`;
      const mac = `02:67:0a:6e:00:${last.toString(16).padStart(2, '0')}`;
      const whole = { phase: 'Locked', node: 'r12-01', mac, owner: 'default/feed', podUID: UID, ...spec };
      expect(
        await writer('POST', IPLOCKS, { apiVersion: 'gala.internal/v1alpha1', kind: 'IPLock', metadata: { name }, spec: whole }),
      ).toMatchObject({
        status: 201,
      });
      return `${IPLOCKS}/${name}`;
    }

    test('is made, changed and deleted by the lock writer alone', async () => {
      const lock = await anIpLock();
      const name = lock.slice(lock.lastIndexOf('/') + 1);
      const said = (verb: string) =>
        `ada may not ${verb} IPLock ${name}: the lock writer alone gives and frees addresses. Delete the pod or the Lock that has it: gala who ${name} names them.`;
      expect(sentence(await admin('DELETE', lock))).toBe(said('delete'));
      expect(sentence(await admin('PATCH', lock, { spec: { phase: 'Quarantined' } }))).toBe(said('update'));
      const another = { apiVersion: 'gala.internal/v1alpha1', kind: 'IPLock', metadata: { name: '10.110.0.250' } };
      const spec = { phase: 'Locked', node: 'r12-01', mac: '02:67:0a:6e:00:fa', owner: 'default/feed' };
      expect(sentence(await admin('POST', IPLOCKS, { ...another, spec }))).toContain('may not create IPLock 10.110.0.250');
      expect(await writer('PATCH', lock, { spec: { phase: 'Held', podUID: null } })).toMatchObject({ status: 200 });
      expect(await writer('DELETE', lock)).toMatchObject({ status: 200 });
    });

    test('may be labelled by whoever may write it; its annotations say whose pod it is, and are the lock writer’s', async () => {
      const lock = await anIpLock();
      expect(await admin('PATCH', lock, { metadata: { labels: { audit: 'seen' } } })).toMatchObject({ status: 200 });
      const annotations = { 'gala.internal/pod': 'feed-0' };
      expect(sentence(await admin('PATCH', lock, { metadata: { annotations } }))).toContain('ada may not update IPLock');
      expect(sentence(await as(bed, agent)('PATCH', lock, { spec: { phase: 'Bound' }, metadata: { annotations } }))).toContain(
        'spec or annotations of IPLock',
      );
      expect(await writer('PATCH', lock, { metadata: { annotations } })).toMatchObject({ status: 200 });
    });

    describe('is annotated by people who may patch it, in three ways', () => {
      const note = (annotations: object) => ({ metadata: { annotations } });
      const free = note({ 'gala.internal/free': 'true' });
      const aCondition = { type: 'Wired', status: 'False', reason: 'Unwired', lastTransitionTime: '2026-11-26T00:00:00Z' };
      const aHeldOne = async () => {
        const lock = await anIpLock();
        await writer('PATCH', lock, { spec: { phase: 'Held', podUID: null } });
        return lock;
      };

      test('a Held or Quarantined one is let go, and that may be taken back', async () => {
        const held = await aHeldOne();
        const quarantined = await anIpLock({ phase: 'Quarantined' });
        for (const lock of [held, quarantined]) {
          expect(await admin('PATCH', lock, free)).toMatchObject({ status: 200 });
          expect(await admin('PATCH', lock, note({ 'gala.internal/free': null }))).toMatchObject({ status: 200 });
        }
      });

      test('one that a pod has is not', async () => {
        const lock = await anIpLock();
        const name = lock.slice(lock.lastIndexOf('/') + 1);
        expect(sentence(await admin('PATCH', lock, free))).toBe(
          `metadata.annotations[gala.internal/free] of IPLock ${name} would be 'true', and its phase is Locked: true lets go of an address that is Held or Quarantined. Delete the pod that has it: gala who ${name} names it.`,
        );
        expect(sentence(await admin('PATCH', await aHeldOne(), note({ 'gala.internal/free': 'yes' })))).toContain("would be 'yes'");
      });

      test('the slot of one that no pod has is asked to another node, or to any other', async () => {
        const ofLock = { lock: { namespace: 'default', name: 'night' } };
        const move = (to: string) => note({ 'gala.internal/move': to });
        const locked = await anIpLock({ podUID: undefined, ...ofLock });
        const held = await anIpLock(ofLock);
        await writer('PATCH', held, { spec: { phase: 'Held', podUID: null } });
        for (const lock of [locked, held])
          for (const to of ['r12-02', '*', 'ip-10-0-0-1.ec2.internal', null])
            expect([to, await admin('PATCH', lock, note({ 'gala.internal/move': to }))]).toMatchObject([to, { status: 200 }]);
        for (const to of ['r12_02', '**', 'R12', '-r12'])
          expect(sentence(await admin('PATCH', held, move(to)))).toContain(`would be '${to}'`);
        const given = await anIpLock(ofLock);
        const name = given.slice(given.lastIndexOf('/') + 1);
        expect(sentence(await admin('PATCH', given, move('r12-02')))).toBe(
          `metadata.annotations[gala.internal/move] of IPLock ${name} would be 'r12-02', and its phase is Locked, for a pod: a node, or * for any other, moves the slot of a Lock that no pod has. gala ips move ${name} says what to do.`,
        );
        expect(sentence(await admin('PATCH', await aHeldOne(), move('*')))).toContain('its phase is Held, of no Lock:');
      });

      test('the machine of the pod that it names is said to be off, and of no other pod', async () => {
        const lock = await anIpLock();
        expect(await admin('PATCH', lock, note({ 'gala.internal/fenced': UID }))).toMatchObject({ status: 200 });
        const another = await anIpLock();
        const said = await admin('PATCH', another, note({ 'gala.internal/fenced': '0f8fad5b-d9cb-469f-a165-708677289510' }));
        expect(sentence(said)).toMatch(
          new RegExp(`it is the UID of the pod that a Locked or Bound address names, here ${UID}\\. gala fence r12-01 says it of all`),
        );
        expect(sentence(await admin('PATCH', await aHeldOne(), note({ 'gala.internal/fenced': UID })))).toContain('here none');
      });

      test.each([
        ['another annotation', note({ 'gala.internal/free': 'true', 'gala.internal/owner-kind': 'Job' })],
        ['the loss of another annotation', note({ 'gala.internal/free': 'true', 'gala.internal/pod': null })],
        ['what it says', { ...free, spec: { lock: null } }],
        ['what was found out', { ...free, status: { conditions: [aCondition] } }],
      ])('and nothing else comes along: %s', async (_, patch) => {
        const lock = await anIpLock({ lock: { namespace: 'default', name: 'night' } });
        await writer('PATCH', lock, { ...note({ 'gala.internal/pod': 'feed-0' }), spec: { phase: 'Held', podUID: null } });
        expect(sentence(await admin('PATCH', lock, patch))).toContain('ada may not update IPLock');
      });

      test('an agent says neither', async () => {
        expect(sentence(await as(bed, agent)('PATCH', await aHeldOne(), free))).toContain('spec or annotations of IPLock');
      });
    });

    test('is bound by the agent of its node', async () => {
      expect(await as(bed, agent)('PATCH', await anIpLock(), { spec: { phase: 'Bound' } })).toMatchObject({ status: 200 });
    });

    test('takes what the agent of its node found out', async () => {
      const lastTransitionTime = '2026-11-26T00:00:00Z';
      const status = { conditions: [{ type: 'Probed', status: 'True', reason: 'NobodyAnswers', message: '', lastTransitionTime }] };
      expect(await as(bed, agent)('PATCH', await anIpLock(), { status })).toMatchObject({ status: 200 });
    });

    test.each([
      ['of another node', account('gala-cni', 'r12-02'), { phase: 'Bound' }, 'the agent of that node alone writes it'],
      ['whose token is bound to no pod', account('gala-cni'), { phase: 'Bound' }, 'the agent of that node alone writes it'],
      ['that would quarantine it', agent, { phase: 'Quarantined' }, 'an agent binds what is Locked'],
      ['that would give it to nobody', agent, { phase: 'Held', podUID: null }, 'an agent binds what is Locked'],
    ])('is not written by an agent %s', async (_, who, spec, said) => {
      expect(sentence(await as(bed, who)('PATCH', await anIpLock(), { spec }))).toContain(said);
    });

    test('is bound by the token that the kubelet gives an agent’s pod, which says its node', async () => {
      await bed.apply([
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'gala-cni', namespace: 'gala-system' } },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name: 'gala-cni' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
          subjects: [{ kind: 'ServiceAccount', name: 'gala-cni', namespace: 'gala-system' }],
        } as never,
      ]);
      const spec = { serviceAccountName: 'gala-cni', hostNetwork: true, nodeName: 'r12-01' };
      const pod = aPod({ metadata: { name: 'agent', generateName: undefined, namespace: 'gala-system' }, spec });
      const { body } = await admin('POST', '/api/v1/namespaces/gala-system/pods', pod);
      const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'agent', uid: body.metadata.uid };
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef } };
      const { body: issued } = await admin('POST', '/api/v1/namespaces/gala-system/serviceaccounts/gala-cni/token', request);
      const bind = async (lock: string) =>
        bed.request(
          'PATCH',
          lock,
          { spec: { phase: 'Bound' } },
          {
            authorization: `Bearer ${issued.status.token}`,
            'content-type': 'application/merge-patch+json',
          },
        );
      expect(await bind(await anIpLock())).toMatchObject({ status: 200 });
      expect(sentence(await bind(await anIpLock({ node: 'r12-02' })))).toContain('the agent of that node alone writes it');
    });

    test('is not deleted by an agent', async () => {
      expect(sentence(await as(bed, agent)('DELETE', await anIpLock({ podUID: undefined })))).toContain(
        'the lock writer alone gives and frees addresses',
      );
    });
  });

  describe('a NodeNetwork', () => {
    const NETWORKS = `${GALA}/nodenetworks`;
    const controller = account('gala-controller');
    test('is made by the controller, not by hand', async () => {
      expect(sentence(await admin('POST', NETWORKS, aNodeNetwork('r12-03')))).toBe(
        'ada may not create NodeNetwork r12-03: gala controller makes one for each Node of a pool. Label the Node gala.internal/pool, or correct the pool in the definition.',
      );
      expect(await as(bed, controller)('POST', NETWORKS, aNodeNetwork('r12-03'))).toMatchObject({ status: 201 });
      expect(sentence(await as(bed, account('gala-cni', 'r12-03'))('PATCH', `${NETWORKS}/r12-03`, { spec: { trunk: 'bond1' } }))).toContain(
        'may not update',
      );
      expect(await admin('DELETE', `${NETWORKS}/r12-03`)).toMatchObject({ status: 200 });
    });

    test('its status is written by the agent of its own node', async () => {
      await as(bed, controller)('POST', NETWORKS, aNodeNetwork('r12-04'));
      const status = { vlansUp: [110] };
      expect(await as(bed, account('gala-cni', 'r12-04'))('PATCH', `${NETWORKS}/r12-04/status`, { status })).toMatchObject({ status: 200 });
      const said = sentence(
        await as(bed, account('gala-cni', 'r12-05'))('PATCH', `${NETWORKS}/r12-04/status`, { status: { vlansUp: [120] } }),
      );
      expect(said).toContain('status of NodeNetwork r12-04 is written by the agent of that node alone');
    });
  });

  describe('a HostPool', () => {
    const POOL = `${GALA}/hostpools/web`;
    const taken = (vlans: object[]) => admin('PATCH', `${POOL}/status`, { status: { vlans } });

    test('stays while addresses are taken, and goes when none is', async () => {
      const racks = ['r12'];
      await taken([
        {
          id: 110,
          subnet: '10.110.0.0/24',
          total: 64,
          quarantined: 0,
          taken: { locked: 0, bound: 2, held: 0, lowest: '10.110.0.128', highest: '10.110.0.129', racks },
        },
      ]);
      expect(sentence(await admin('DELETE', POOL))).toBe(
        'status.vlans of HostPool web says that addresses of VLAN 110 are taken. Move or delete the pods that have them first; kubectl get iplocks names them.',
      );
      await taken([{ id: 110, subnet: '10.110.0.0/24', total: 64, quarantined: 0 }]);
      expect(await admin('DELETE', POOL)).toMatchObject({ status: 200 });
    });
  });
});
