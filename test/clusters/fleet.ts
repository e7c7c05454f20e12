/** The repository's own clusters, loaded once a test file. */
import { join } from 'node:path';
import { checkDefinitions } from '../../constructs/check.ts';
import { CONCERNS } from '../../constructs/concerns.ts';
import { definitionFiles, load } from '../../constructs/load.ts';
import { type Rendering, render } from '../../constructs/render.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** Every cluster of clusters/, rendered. @throws {Error} when a definition has a problem */
export async function fleet(): Promise<readonly Rendering[]> {
  const { sources, problems: unread } = await load(await definitionFiles(join(ROOT, 'clusters')), ROOT);
  const { problems, clusters } = checkDefinitions(sources, CONCERNS);
  if (unread.length + problems.length > 0) throw new Error(JSON.stringify([...unread, ...problems], null, 2));
  return clusters.map(({ cluster }) => render(cluster, []));
}
