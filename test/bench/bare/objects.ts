/** What a synth wrote, as JSON for the bare app: reading it back costs the peer next to nothing. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../../lib/api/manifest.ts';
import { readSynth } from '../../../lib/gate/read-synth.ts';

/** Objects by file, in order: one chart of the peer each. */
export type Charts = Readonly<Record<string, readonly KubeObject[]>>;

/**
 * Writes one JSON file a cluster.
 * @param dist what synth wrote
 * @returns how many objects each cluster has
 */
export async function writeObjects(dist: string, folder: string): Promise<Readonly<Record<string, number>>> {
  await mkdir(folder, { recursive: true });
  const counts: Record<string, number> = {};
  for (const entry of (await readdir(dist, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    const { objects } = readSynth(join(dist, entry.name));
    const charts = Object.groupBy(objects, ({ file }) => file.replace(/\.yaml$/, ''));
    const plain = Object.fromEntries(Object.entries(charts).map(([file, inputs]) => [file, inputs?.map(({ object }) => object)]));
    await writeFile(join(folder, `${entry.name}.json`), JSON.stringify(plain));
    counts[entry.name] = objects.length;
  }
  return counts;
}
