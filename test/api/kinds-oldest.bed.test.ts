/** The CRDs use parts of CEL that not every Kubernetes has; the oldest supported minor has them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/crd.ts';
import { KINDS } from '../../lib/api/kinds.ts';
import { MINORS } from '../../lib/api/pool.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { judgeSpec } from './kinds-server.ts';

describeBed(`kinds on an API server that is Kubernetes ${MINORS[0]}`, ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  beforeAll(async () => {
    // An API server can be any of the three minors before its own: --emulated-version (KEP-4330).
    const flags = { 'kube-apiserver': ['--emulated-version', MINORS[0]] };
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'], flags });
  });
  afterAll(() => bed.stop());

  test('their CRDs and examples are taken without a warning', async () => {
    const { body } = await bed.request('GET', '/version');
    expect(`${body.emulationMajor}.${body.emulationMinor}`).toBe(MINORS[0]);
    expect(await bed.apply(KINDS.map(crd))).toEqual(KINDS.map(() => expect.objectContaining({ result: 'created', warnings: [] })));
    for (const kind of KINDS) expect(await judgeSpec(bed.request, kind, kind.example)).toMatchObject({ accepted: true });
  });
});
