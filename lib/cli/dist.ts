/** The folder that synth wrote, cluster by cluster. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean } from '../api/issue.ts';
import { BadInput } from './output.ts';

/** Every cluster of a synth has this file. */
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

/** The earlier synth of a cluster: the folder itself, or the cluster's in a folder of all. @throws {BadInput} when it is neither */
export function earlierOf(cluster: string, folder: string): string {
  if (existsSync(join(folder, MARK))) return folder;
  if (existsSync(join(folder, cluster, MARK))) return join(folder, cluster);
  throw new BadInput(
    `${folder}: no synth of '${cluster}'; neither ${MARK} nor ${cluster}/${MARK} is in it. Name a folder that synth wrote.`,
  );
}
