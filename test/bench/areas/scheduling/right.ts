/** Right: random clusters and requests, what stock says against what the real kube-scheduler binds until Unschedulable. */
import { startControlPlane } from '../../../bed/control-plane.ts';
import { comparedWithStock, makeNamespaces } from '../../../scheduling/by-kube-scheduler.ts';
import { NAMESPACES } from '../../../scheduling/random-cluster.ts';
import type { Tools } from '../../area.ts';

/** @returns in how many clusters the two differ, where no named difference says how far */
export async function differences(clusters: number, { say }: Pick<Tools, 'say'>): Promise<number> {
  const bed = await startControlPlane({ without: ['kube-controller-manager'] });
  try {
    await makeNamespaces(bed, NAMESPACES);
    let [differ, equal] = [0, 0];
    for (let seed = 1; seed <= clusters; seed++) {
      const { bound, least, most } = await comparedWithStock(bed, seed);
      if (bound < least || bound > most) differ++;
      if (least === most) equal++;
      if (seed % 50 === 0)
        say(`${seed} of ${clusters} clusters: ${equal} must be equal, the others lie between two ends; ${differ} differ`);
    }
    return differ;
  } finally {
    await bed.stop();
  }
}
