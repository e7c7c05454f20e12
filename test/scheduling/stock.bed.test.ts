import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { place } from '../../lib/scheduling/place.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { aNodeManifest, aPodManifest, aTemplate } from './builders.ts';
import { boundByKubeScheduler, comparedWithStock, makeNamespaces, pinnedByKubeScheduler } from './by-kube-scheduler.ts';
import { askOf, inventoryOf } from './inventory-of.ts';
import { type ClusterObjects, NAMESPACES, randomCluster, ZONE } from './random-cluster.ts';
import { type Question, randomQuestion } from './random-question.ts';
import { slotsOf } from './stock-cases.ts';

describeBed('stock and the real kube-scheduler', ['etcd', 'kube-apiserver', 'kube-scheduler'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager'] });
    await makeNamespaces(bed, NAMESPACES);
  });
  afterAll(() => bed?.stop());

  test.each(Array.from({ length: 20 }, (_, seed) => seed + 1))('cluster %i takes as many pods as stock says', async (seed) => {
    const { bound, least, most } = await comparedWithStock(bed, seed);
    expect(bound).toBeGreaterThanOrEqual(least);
    expect(bound).toBeLessThanOrEqual(most);
  });

  test.each([26, 27, 28, 29, 30, 31, 32, 33])('cluster %i binds every pod where place puts it', async (seed) => {
    const options = { native: true, nodes: [3, 6] as const };
    const [objects, question] = [randomCluster(seed, options), randomQuestion(seed, options)];
    const terrain = inventoryOf(objects);
    const ask = askOf(question);
    const nodes = slotsOf(place(terrain, ask, stock(terrain, ask).count)).map(({ node }) => node);
    expect(await pinnedByKubeScheduler(bed, objects, question, nodes)).toBe(nodes.length);
  });

  test('a pinned pod whose constraint asks for more domains than one is bound while its node alone has room for it', async () => {
    const labels = { app: 'web' };
    const constraint = {
      ...{ topologyKey: ZONE, maxSkew: 1, minDomains: 2, whenUnsatisfiable: 'DoNotSchedule' },
      labelSelector: { matchLabels: labels },
    };
    const question: Question = {
      ...{ namespace: 'feed', strategy: 'spread' },
      template: aTemplate({ labels, spec: { topologySpreadConstraints: [constraint] } }),
    };
    const objects: ClusterObjects = {
      nodes: ['z0', 'z1'].map((zone) => aNodeManifest(`in-${zone}`, { zone })),
      pods: [aPodManifest({ name: 'there', node: 'in-z0', labels }), aPodManifest({ name: 'there-too', node: 'in-z1', labels })],
      namespaces: NAMESPACES,
      ...{ hostPools: [], nodeNetworks: [], ipLocks: [] },
    };
    // Anywhere, there would be room for more; on each of these nodes, not for one.
    expect(await boundByKubeScheduler(bed, objects, question)).toBeGreaterThan(0);
    expect(await pinnedByKubeScheduler(bed, objects, question, ['in-z0'])).toBe(0);
    expect(stock(inventoryOf(objects), askOf(question))).toMatchObject({ count: 0, limit: 'spread' });
  });
});
