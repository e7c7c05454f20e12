/** Below 1.36 the API server puts no gate on a pod; whoever makes it does, and is told so. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../../constructs/testing.ts';
import { MINORS } from '../../../lib/api/pool.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { aNode, aNodeNetwork, aPod, aTaintedCluster, EVERY_TAINT, GALAS, GATED } from './asked.ts';
import { ADMIN, as, inForce, sentence, WRITER } from './asking.ts';

const NETWORKS = '/apis/gala.internal/v1alpha1/nodenetworks';
const PODS = '/api/v1/namespaces/default/pods';

describeBed(`policies on an API server that is Kubernetes ${MINORS[0]}`, ['etcd', 'kube-apiserver', 'kube-controller-manager'], () => {
  let bed: Bed;
  const ask = (pod: object) => as(bed, ADMIN)('POST', PODS, pod);

  beforeAll(async () => {
    const flags = { 'kube-apiserver': ['--emulated-version', MINORS[0]] };
    bed = await startControlPlane({ without: ['kube-scheduler'], flags });
    const applied = await bed.apply(rendered(aTaintedCluster({ kubernetes: MINORS[0] })).objects);
    expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
    await inForce(async () => (await ask(aPod({ spec: { tolerations: EVERY_TAINT } }))).status === 403);
    await inForce(async () => (await as(bed, ADMIN)('POST', `${NETWORKS}?dryRun=All`, aNodeNetwork('r12-01'))).status === 403);
  }, 300_000);
  afterAll(() => bed?.stop());

  test('a pod of gala-scheduler without the gate is refused, and told where to put it', async () => {
    expect(sentence(await ask(aPod({ spec: GALAS })))).toBe(
      'spec.schedulingGates is without gala.internal/lock: a pod of gala-scheduler waits behind that gate until it has its slot. Add schedulingGates: [{name: gala.internal/lock}] to the pod, or to the template it is made of.',
    );
  });

  test('with the gate it is taken, and tolerates what it says itself', async () => {
    const { status, body } = await ask(aPod({ spec: { ...GATED, tolerations: EVERY_TAINT } }));
    expect([status, body.spec?.schedulingGates]).toEqual([201, GATED.schedulingGates]);
  });

  test('one that tolerates not every pool is refused: stock would count it where it may not go', async () => {
    const said =
      'spec.tolerations is without gala.internal/pool: a pod of gala-scheduler off the host network tolerates the taint of every host pool, as stock counts it; which pool it goes to is said by selectors. Add tolerations: [{key: gala.internal/pool, operator: Exists, effect: NoSchedule}] to the pod, or to the template it is made of.';
    expect(sentence(await ask(aPod({ spec: GATED })))).toBe(said);
    const web = { key: 'gala.internal/pool', operator: 'Equal', value: 'web', effect: 'NoSchedule' };
    expect(sentence(await ask(aPod({ spec: { ...GATED, tolerations: [web] } })))).toBe(said);
    const every = { key: 'gala.internal/pool', operator: 'Exists', effect: 'NoSchedule' };
    expect(await ask(aPod({ spec: { ...GATED, tolerations: [every] } }))).toMatchObject({ status: 201 });
    expect(await ask(aPod({ spec: { ...GATED, hostNetwork: true } }))).toMatchObject({ status: 201 });
  });

  test('a pod with a slot is not made larger in place', async () => {
    const resources = (cpu: string) => ({ containers: [{ name: 'main', image: 'main:1', resources: { requests: { cpu } } }] });
    const { body } = await ask(aPod({ spec: { ...GATED, tolerations: EVERY_TAINT, ...resources('1') } }));
    const path = `${PODS}/${body.metadata.name}`;
    const slot = { metadata: { annotations: { 'gala.internal/slot': 'loose' } }, spec: { schedulingGates: null } };
    expect(await as(bed, WRITER)('PATCH', path, slot)).toMatchObject({ status: 200 });
    await bed.apply([aNode('r12-01')]);
    await as(bed, WRITER)('POST', `${path}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: body.metadata.name },
      target: { apiVersion: 'v1', kind: 'Node', name: 'r12-01' },
    });
    expect(sentence(await as(bed, ADMIN)('PATCH', `${path}/resize`, { spec: resources('2') }))).toContain('a slot does not grow');
  });

  test("a DaemonSet's pod that goes everywhere is told both, the scheduler and the gate", async () => {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'shipper', uid: 'a1', controller: true }];
    expect(sentence(await ask(aPod({ metadata: { ownerReferences }, spec: { tolerations: EVERY_TAINT } })))).toContain(
      'Set schedulerName: gala-scheduler and schedulingGates: [{name: gala.internal/lock}]',
    );
  });
});
