/** `gala images`: what to mirror. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clustersIn, folderOf } from './dist.ts';
import type { Declare } from './main.ts';
import { BadInput, type Format, outputOption, print } from './output.ts';

export const declare: Declare = (command, end) =>
  command
    .argument('[cluster...]', 'clusters by name; all when left out')
    .option('--dist <folder>', 'what synth wrote', 'dist')
    .addOption(outputOption())
    .addHelpText('after', '\nRun it where `dist/` is, or name the folder with --dist.')
    .action(async (clusters, options) => end(await images(clusters, options)));

interface Mirrored {
  /** Where it is published. */
  readonly from: string;
  /** Where clusters pull it; the same without a mirror. */
  readonly to: string;
  readonly clusters: readonly string[];
}

/** @param clusters all when empty @returns 0 */
async function images(clusters: readonly string[], { dist, output }: { dist: string; output: Format }): Promise<number> {
  const byLine = new Map<string, string[]>();
  for (const cluster of new Set(clusters.length === 0 ? clustersIn(dist) : clusters))
    for (const line of listed(folderOf(cluster, dist))) byLine.set(line, [...(byLine.get(line) ?? []), cluster]);
  const found = [...byLine]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([line, clusters]): Mirrored => {
      const [from = '', to = ''] = line.split(' ');
      return { from, to, clusters };
    });
  await print(output, found, () =>
    found.map(({ from, to, clusters }) => `${from}  ${from === to ? '(not mirrored)' : `→ ${to}`}  ${clusters.join(', ')}`).join('\n'),
  );
  return 0;
}

/** `<from> <to>` for each image of a cluster. */
function listed(folder: string): string[] {
  const file = join(folder, 'images.txt');
  if (!existsSync(file)) throw new BadInput(`${file} is missing; synth writes it beside SUMMARY.md. Run npx cdk8s synth again.`);
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}
