/** What to mirror: where each image a cluster pulls comes from. */
import type { Cluster } from '../lib/api/cluster.ts';
import type { KubeObject } from '../lib/api/manifest.ts';
import { COREDNS, GALA, imageOf, kubeScheduler } from './image.ts';
import { images } from './summary.ts';

/**
 * The file `images.txt` of a cluster's folder: a line an image, `<published> <pulled>`, sorted. An image that Gala did not
 * choose (someone's own concern names it whole) is its own source.
 */
export function mirrorList(cluster: Cluster, objects: readonly KubeObject[]): string {
  const published = new Map(
    [GALA, kubeScheduler(cluster.kubernetes), COREDNS].map((image) => [imageOf(cluster, image), imageOf({}, image)]),
  );
  return images(objects)
    .map(({ image }) => `${published.get(image) ?? image} ${image}\n`)
    .join('');
}
