/** The folder that synth wrote, cluster by cluster. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean } from '../api/issue.ts';
import { BadInput } from './output.ts';

/** Every cluster of a synth has this file; its first line is `# <cluster>`. */
const MARK = 'SUMMARY.md';

/** Names of the clusters in a synth's folder. @throws {BadInput} when there is no synth */
export function clustersIn(dist: string): string[] {
  const names = existsSync(dist) ? readdirSync(dist).filter((name) => existsSync(join(dist, name, MARK))) : [];
  if (names.length === 0)
    throw new BadInput(
      `${dist}: no synthesized cluster; a folder with dist/<cluster>/${MARK} is needed. Run npx cdk8s synth first, or name the folder with --dist.`,
    );
  return names.sort();
}

/** A cluster's folder. @throws {BadInput} naming the nearest cluster */
export function folderOf(cluster: string, dist: string): string {
  const names = clustersIn(dist);
  if (!names.includes(cluster))
    throw new BadInput(
      `${dist}: no cluster '${cluster}'; there are ${names.join(', ')}. ${didYouMean(cluster, names, 'Name one of these.')}`,
    );
  return join(dist, cluster);
}

/**
 * The earlier synth of a cluster: the folder itself, or the cluster's in a folder of all.
 * @throws {BadInput} when it is neither, or another cluster's: comparing two clusters tells nothing about an apply
 */
export function earlierOf(cluster: string, folder: string): string {
  const candidates = [folder, join(folder, cluster)];
  const found = candidates.find((candidate) => clusterOf(candidate) === cluster);
  if (found !== undefined) return found;
  const other = candidates.find((candidate) => clusterOf(candidate) !== undefined);
  if (other !== undefined)
    throw new BadInput(
      `${other}: this is a synth of '${clusterOf(other)}'; only an earlier one of '${cluster}' tells what applying would do. ` +
        `Name the earlier folder of '${cluster}', or the folder that holds those of all clusters.`,
    );
  throw new BadInput(
    `${folder}: no synth of '${cluster}'; neither ${MARK} nor ${cluster}/${MARK} is in it. Name a folder that synth wrote.`,
  );
}

/** Whose synth a folder is; undefined when it is none. */
function clusterOf(folder: string): string | undefined {
  const file = join(folder, MARK);
  if (!existsSync(file)) return undefined;
  return /^# (\S+)/.exec(readFileSync(file, 'utf8'))?.[1];
}
