/**
 * A cluster definition, by name or path, for commands that answer without a cluster. Form, bounds and cross-checks are those
 * of synth; what concerns say of their options, and what two clusters can't both have, only synth says.
 */
import { existsSync } from 'node:fs';
import { basename, extname, relative, resolve } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { definitionFiles, type Loaded, load } from '../../constructs/load.ts';
import type { Cluster } from '../api/cluster.ts';
import { definition as schema } from '../api/definition.ts';
import { didYouMean } from '../api/issue.ts';
import { parseCluster } from '../api/parse.ts';
import { sentence } from '../api/problem.ts';
import { definitionsOnly, wholePackage } from './authoring.ts';
import { BadInput } from './output.ts';

/** Gala's own, by name: whether a concern is installed is part of what a cluster is. */
export const CONCERNS = [{ name: 'network' }, { name: 'scheduling' }];
/** Where definitions are looked for by name. */
const FOLDERS = ['clusters', '.'];

/**
 * @param asked `bj-a`, or a path: `clusters/bj-a.ts`, `edge.yaml`
 * @throws {BadInput} with all problems of the definition, or the names that there are
 */
export async function readDefinition(asked: string, root: string = process.cwd()): Promise<Cluster> {
  const path = pathLike(asked) ? resolve(root, asked) : await named(asked, root);
  const { sources, problems } = await loaded([path], root);
  const lines = problems.map(({ file, ...problem }) => `${file}: ${sentence(problem)}`);
  const parsed = sources.map(({ file, definition }) => ({ file, ...parseCluster(withoutConcerns(definition), CONCERNS) }));
  for (const { file, problems } of parsed)
    lines.push(...problems.filter(({ severity }) => severity === 'error').map((problem) => `${file}: ${sentence(problem)}`));
  const [found] = parsed;
  if (lines.length > 0 || found?.cluster === undefined) throw new BadInput(lines.join('\n'));
  return found.cluster;
}

const pathLike = (asked: string): boolean => asked.includes('/') || extname(asked) !== '';

/** The file of a cluster: the one that is called so, else the one whose definition is. */
async function named(asked: string, root: string): Promise<string> {
  const folders = FOLDERS.map((folder) => resolve(root, folder)).filter((folder) => existsSync(folder));
  const [clusters = root] = folders;
  // Only the folder of definitions is searched whole: whatever else lies in `.` is not ours to run.
  const files = await definitionFiles(clusters);
  const direct = [...files, ...folders.flatMap((folder) => ['.ts', '.yaml', '.json'].map((end) => resolve(folder, `${asked}${end}`)))];
  const called = direct.find((file) => basename(file, extname(file)) === asked && existsSync(file));
  if (called !== undefined) return called;
  const { sources } = clusters === root ? { sources: [] } : await loaded(files, root);
  const names = new Map(sources.map(({ file, definition }) => [nameIn(definition), resolve(root, file)]));
  const found = names.get(asked);
  if (found !== undefined) return found;
  const known = [...names.keys()].filter((name) => name !== undefined).sort();
  throw new BadInput(
    `--definition: no cluster '${asked}'; ${known.length === 0 ? `no definition is in ${relative(process.cwd(), clusters) || '.'}` : `there are ${known.join(', ')}`}. ` +
      didYouMean(asked, known, 'Name one of these, or the path of a file: --definition clusters/bj-a.ts.'),
  );
}

const nameIn = (definition: unknown): string | undefined => (definition as { name?: string } | undefined)?.name;

async function loaded(files: readonly string[], root: string): Promise<Loaded> {
  const found = await definitionsOnly(() => load(files, root));
  // A file that also defines a concern, or a construct, needs the rest of the package, and cdk8s with it.
  if (!found.problems.some(({ what }) => what.includes('does not provide an export named'))) return found;
  return wholePackage(() => load(files, root));
}

/** Options of concerns are synth's to check: some are somebody's own, and loading Gala's means loading cdk8s. */
function withoutConcerns(definition: unknown): unknown {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) return definition;
  const known = Object.keys(schema.shape);
  // A slip of one letter is a slip; what differs more may well be a name of its own: `ddos` is not `dns`.
  const isSlip = (key: string) => known.some((one) => distance(key, one) <= 1);
  const isConcern = (key: string, value: unknown) => !known.includes(key) && !isSlip(key) && typeof value === 'object' && value !== null;
  return Object.fromEntries(Object.entries(definition).filter(([key, value]) => !isConcern(key, value)));
}
