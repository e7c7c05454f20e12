/** Definitions from files: TypeScript modules, YAML and JSON, through the same checks. */
import { access, readdir, readFile } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMap, isScalar, parseDocument, visit } from 'yaml';
import type { FoundProblem, Source } from './check.ts';

const EXTENSIONS = ['.ts', '.js', '.mjs', '.yaml', '.yml', '.json'];
/** 10 MiB: a definition is written by hand. Larger is a slip, a dump under the wrong name for example. */
const LARGEST_BYTES = 10 * 2 ** 20;

export interface Loaded {
  readonly sources: readonly Source[];
  readonly problems: readonly FoundProblem[];
}

/** The definition files of a folder and of its folder `slices`, by path; `main.*`, tests and type declarations are none. */
export async function definitionFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.flatMap((entry) => {
    // A link counts, also one that leads nowhere: it is then a problem, not a cluster that silently went.
    const isFile = entry.isFile() || entry.isSymbolicLink();
    const isDefinition = isFile && EXTENSIONS.includes(extname(entry.name)) && !/^main\.|\.(d|test)\.ts$/.test(entry.name);
    return isDefinition ? [join(folder, entry.name)] : [];
  });
  const slices = entries.some((entry) => entry.isDirectory() && entry.name === 'slices')
    ? await definitionFiles(join(folder, 'slices'))
    : [];
  return [...files, ...slices].sort((a, b) => (a < b ? -1 : 1));
}

/**
 * @param root what file names in messages are relative to
 * Never throws for what a file holds: a file that can't be read, parsed or imported is a problem like any other.
 */
export async function load(files: readonly string[], root: string): Promise<Loaded> {
  const sources: Source[] = [];
  const problems: FoundProblem[] = [];
  for (const path of files) {
    const file = relative(root, path);
    const problem = (what: string, allowed: string, remedy: string) =>
      problems.push({ file, path: '', what, allowed, remedy, severity: 'error' });
    try {
      const definition = await read(path);
      if (definition === undefined)
        problem(
          `${basename(path)} has no default export`,
          'a definition file exports one cluster',
          'Write export default defineCluster({ … }).',
        );
      else sources.push({ file, definition });
    } catch (error) {
      problem(reason(error, path), 'a definition is a file that loads', 'Correct the file.');
    }
  }
  return { sources, problems };
}

async function read(path: string): Promise<unknown> {
  await access(path);
  if (/\.(ts|js|mjs)$/.test(path)) return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  const text = await readFile(path, 'utf8');
  if (text.length > LARGEST_BYTES) throw new Error(`has ${text.length} characters; at most ${LARGEST_BYTES} are read`);
  // JSON too: YAML's reader finds a VLAN given twice, where JSON.parse keeps the last. Aliases are bounded, so that a file
  // can't blow up while it is read.
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
  const [first] = document.errors;
  if (first !== undefined) throw first;
  visit(document, { Pair: (_, { key }) => refusePrototype(key) });
  if (document.contents === null) throw new Error('is empty');
  // Editors find the schema of a JSON file by this key; it says nothing of the cluster.
  if (isMap(document.contents)) document.contents.delete('$schema');
  return document.toJS({ maxAliasCount: 100 });
}

/** As a key of a JavaScript object it would vanish without a word. */
function refusePrototype(key: unknown): void {
  if (isScalar(key) && key.value === '__proto__') throw new Error('has a key __proto__, which is no name; rename it');
}

function reason(error: unknown, path: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return `${basename(path)} does not exist`;
  const kind = /\.(ya?ml|json)$/.test(path) ? 'cannot be read' : 'throws while it is loaded';
  // Node says the line of a syntax error in the stack alone: `file:///…/hello.ts:5`.
  const line = /^\d+/.exec(((error as Error).stack ?? '').split(`${basename(path)}:`)[1] ?? '')?.[0];
  return `${kind}${line === undefined || message.includes(' line ') ? '' : ` at line ${line}`}: ${message.trim().replaceAll('\n', ' ')}`;
}
