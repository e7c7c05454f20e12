/**
 * Every generated file that is committed, and how it is made: one entry a file. `npm run imports` writes them all, the tests
 * compare them. For developers' machines only: no program imports this, so it may look at constructs and concerns.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { CONCERNS } from '../../constructs/concerns.ts';
import { crd } from '../../lib/api/crd.ts';
import { documentSchema, editorSchema } from '../../lib/api/json-schema.ts';
import { KINDS } from '../../lib/api/kinds.ts';
import { definitionSchema } from '../../lib/api/parse.ts';
import { referencePage, referenceTable } from '../../lib/api/reference.ts';
import { GROUP } from '../../lib/api/resource.ts';
import { withRulesTable } from '../../lib/gate/rules-table.ts';
import { openapi } from '../../lib/scheduling/http/openapi.ts';
import { fieldsTable } from './kubernetes-fields.ts';

/** A committed file that is made from something else; its first line or key says so. */
export interface Generated {
  /** From the repository's top folder. */
  readonly path: string;
  /** Its whole content, the same every time. */
  readonly make: () => string | Promise<string>;
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MADE = 'Made from lib/api by `npm run imports`; changes here are lost.';

const ofKinds: readonly Generated[] = KINDS.flatMap((resource) => {
  const word = resource.kind.toLowerCase();
  return [
    {
      path: `imports/crds/${resource.plural}.yaml`,
      make: () => `# ${MADE}\n${stringify(crd(resource), { lineWidth: 0, aliasDuplicateObjects: false })}`,
    },
    { path: `imports/schemas/${word}.json`, make: () => json(editorSchema(resource)) },
    { path: `docs/reference/${word}.md`, make: () => referencePage(resource) },
  ];
});

/** JSON has no comments; `$comment` is JSON Schema's own. */
export const json = (schema: object) => `${JSON.stringify({ $comment: MADE, ...schema }, null, 2)}\n`;

const bindings: readonly Generated[] = ['js', 'd.ts'].map((extension) => ({
  path: `imports/${GROUP}.${extension}`,
  make: async () => `// ${MADE} (cdk8s import, then tsc)\n${(await compiled())[extension]}`,
}));

const clusterIntro = `<!-- ${MADE} -->

# Cluster definition

One TypeScript file under \`clusters/\` describes one cluster, or a YAML or JSON file does, beside its
[JSON Schema](../../imports/schemas/cluster.json). \`*\` in a field stands for the name of a record's entry: \`pools.*.trunk\` is
\`pools.web.trunk\`. \`shape\` is set by \`intranet({ … })\` and \`ec2({ … })\`; in YAML it is typed.

`;

const ofDefinitions: readonly Generated[] = [
  { path: 'imports/schemas/cluster.json', make: () => json(documentSchema(definitionSchema(CONCERNS), 'Cluster')) },
  { path: 'docs/reference/cluster.md', make: () => `${clusterIntro}${referenceTable(definitionSchema(CONCERNS))}\n` },
];

const ofKubernetes: readonly Generated[] = [{ path: 'imports/kubernetes/fields.json', make: fieldsTable }];

/** Of this page only the table is made. */
const ofGate: Generated = { path: 'docs/gate.md', make: async () => withRulesTable(await readFile(join(ROOT, 'docs/gate.md'), 'utf8')) };

/** What `GET /openapi.json` of the stock API says. */
const ofStockApi: Generated = {
  path: 'docs/reference/stock-api.json',
  make: async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    // OpenAPI has no comments; keys that begin with x- are nobody's but ours.
    return `${JSON.stringify({ 'x-comment': MADE, ...openapi(version) }, null, 2)}\n`;
  },
};

export const GENERATED: readonly Generated[] = [...ofKinds, ...bindings, ...ofDefinitions, ...ofKubernetes, ofGate, ofStockApi];

let once: Promise<Record<string, string>> | undefined;
/** The constructs that `cdk8s import` makes of the CRDs, by extension of the file. One run serves all of them. */
function compiled(): Promise<Record<string, string>> {
  once ??= compile();
  return once;
}

/** The importer's TypeScript has enums and parameter properties, which type stripping refuses: tsc compiles it. */
async function compile(): Promise<Record<string, string>> {
  const run = promisify(execFile);
  const bin = join(ROOT, 'node_modules/.bin');
  // Inside the repository, so that tsc finds cdk8s and constructs.
  const cache = join(ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'imports-'));
  try {
    await writeFile(join(folder, 'crds.yaml'), KINDS.map((resource) => stringify(crd(resource))).join('---\n'));
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, CDK8S_CHECK_UPGRADE: 'false' };
    const importing = ['import', 'crds.yaml', '--language', 'typescript', '--output', '.', '--no-save', '--no-class-prefix'];
    await run(join(bin, 'cdk8s'), importing, { cwd: folder, env });
    const compiling = '--ignoreConfig --module nodenext --target es2024 --declaration --skipLibCheck --types node --outDir out';
    await run(join(bin, 'tsc'), [...compiling.split(' '), `${GROUP}.ts`], { cwd: folder, env });
    const read = (extension: string) => readFile(join(folder, 'out', `${GROUP}.${extension}`), 'utf8');
    return { js: await read('js'), 'd.ts': await read('d.ts') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Writes the files that are not as they would be made; returns their paths. */
export async function write(files: readonly Generated[], root = ROOT): Promise<string[]> {
  const old = await stale(files, root);
  for (const { path, content } of old) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return old.map(({ path }) => path);
}

/** The files that are missing or not as they would be made, with what they should be. */
export async function stale(files: readonly Generated[], root = ROOT): Promise<{ path: string; content: string }[]> {
  const made = await Promise.all(files.map(async ({ path, make }) => ({ path, content: await make() })));
  const now = await Promise.all(made.map(({ path }) => readFile(join(root, path), 'utf8').catch(() => undefined)));
  return made.filter(({ content }, index) => content !== now[index]);
}
