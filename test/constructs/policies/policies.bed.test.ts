/** The policies on a real API server: each rule is asked by who may and by who may not, and the sentence is what kubectl shows. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rendered } from '../../../constructs/testing.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { until } from '../../bed/process.ts';
import { aNodeNetwork, aPod, aTaintedCluster, EVERY_TAINT, GALAS, GATED } from './asked.ts';
import { ADMIN, account, as, inForce, sentence, WRITER } from './asking.ts';

const GATE = { name: 'gala.internal/lock' };
const TOLERATION = { key: 'gala.internal/pool', operator: 'Exists', effect: 'NoSchedule' };
const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const PODS = '/api/v1/namespaces/default/pods';
const GALA = '/apis/gala.internal/v1alpha1';

describeBed('policies', ['control-plane'], () => {
  let bed: Bed;
  const admin = (...args: Parameters<ReturnType<typeof as>>) => as(bed, ADMIN)(...args);
  const writer = (...args: Parameters<ReturnType<typeof as>>) => as(bed, WRITER)(...args);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    const applied = await bed.apply(rendered(aTaintedCluster()).objects);
    expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
    await inForce(async () => (await admin('POST', `${GALA}/nodenetworks?dryRun=All`, aNodeNetwork('r12-01'))).status === 403);
    await inForce(async () => (await admin('POST', `${PODS}?dryRun=All`, aPod({ spec: GALAS }))).body.spec.schedulingGates !== undefined);
  }, 120_000);
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

  test('the API server finds nothing to say about any of their expressions', async () => {
    const { body } = await bed.request('GET', POLICIES);
    const names: string[] = body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    expect(names.filter((name) => name.startsWith('gala-'))).toHaveLength(8);
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
    await until(`type-checked: ${name}`, [], 30, async () => {
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

    test.each(['ephemeralcontainers', 'resize'])('does not change by way of %s, which no policy looks at', async (subresource) => {
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
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.metadata.name, annotations: { 'gala.internal/slot': 'loose' } },
        target: { apiVersion: 'v1', kind: 'Node', name: 'r12-01' },
      };
      expect(sentence(await admin('POST', `${path(pod)}/binding`, binding))).toContain('Take the annotation out of the binding.');
      expect(sentence(await admin('POST', '/api/v1/namespaces/default/bindings', binding))).toContain(
        'Take the annotation out of the binding.',
      );
      expect(await admin('POST', `${path(pod)}/binding`, { ...binding, metadata: { name: pod.metadata.name } })).toMatchObject({
        status: 201,
      });
    });

    test('does not stand in the way of labels, status and deletion', async () => {
      const pod = await made(aPod({ spec: GALAS }));
      await writer('PATCH', path(pod), slotOn('r12-01'));
      expect(await admin('PATCH', path(pod), { metadata: { labels: { team: 'feed' } } })).toMatchObject({ status: 200 });
      expect(await admin('PATCH', `${path(pod)}/status`, { status: { message: 'pulling' } })).toMatchObject({ status: 200 });
      expect(await admin('DELETE', `${path(pod)}?gracePeriodSeconds=0`)).toMatchObject({ status: 200 });
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
      await until('an event', [], 20, async () => {
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
        await until(`pods of ${name}`, [], 20, async () => (await podsOf(name)).length === NODES.length);
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
      await until('the namespace gone', [], 30, async () => (await bed.request('GET', '/api/v1/namespaces/leaving')).status === 404);
    }, 40_000);
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
