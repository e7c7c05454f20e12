/** `gala images`: what to mirror. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clustersIn, folderOf } from './dist.ts';
import { type Format, print } from './output.ts';

interface Mirrored {
  /** Where it is published. */
  readonly from: string;
  /** Where clusters pull it; the same without a mirror. */
  readonly to: string;
  readonly clusters: readonly string[];
}

export async function images(clusters: readonly string[], { dist, output }: { dist: string; output: Format }): Promise<number> {
  const byLine = new Map<string, string[]>();
  for (const cluster of clusters.length === 0 ? clustersIn(dist) : clusters)
    for (const line of (await readFile(join(folderOf(cluster, dist), 'images.txt'), 'utf8')).split('\n').filter(Boolean))
      byLine.set(line, [...(byLine.get(line) ?? []), cluster]);
  const found = [...byLine]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([line, clusters]): Mirrored => {
      const [from = '', to = ''] = line.split(' ');
      return { from, to, clusters };
    });
  print(output, found, () =>
    found.map(({ from, to, clusters }) => `${from}  ${from === to ? '(not mirrored)' : `→ ${to}`}  ${clusters.join(', ')}`).join('\n'),
  );
  return 0;
}
