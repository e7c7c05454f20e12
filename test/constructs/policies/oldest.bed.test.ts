/** Below 1.36 the API server puts no gate on a pod; whoever makes it does, and is told so. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../../constructs/testing.ts';
import { MINORS } from '../../../lib/api/pool.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { aPod, aTaintedCluster, EVERY_TAINT, GALAS, GATED } from './asked.ts';
import { ADMIN, as, inForce, sentence } from './asking.ts';

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
  }, 120_000);
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

  test("a DaemonSet's pod that goes everywhere is told both, the scheduler and the gate", async () => {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'shipper', uid: 'a1', controller: true }];
    expect(sentence(await ask(aPod({ metadata: { ownerReferences }, spec: { tolerations: EVERY_TAINT } })))).toContain(
      'Set schedulerName: gala-scheduler and schedulingGates: [{name: gala.internal/lock}]',
    );
  });
});
