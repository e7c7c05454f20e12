/**
 * `gala` as it is published and put into the image: one file to start, and beside it the parts that a command or program reads
 * when it is the one that was asked for. `gala stock` never reads what makes metrics, `gala --help` reads next to nothing.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param folder where the files go, `gala.js` among them; two levels below package.json, which says the version */
export async function bundle(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { gala: 'lib/cli/main.ts' },
    outdir: folder,
    // All in one folder: what looks for package.json looks from any of them alike.
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    keepNames: true,
    metafile: true,
    // Peers: whoever loads a definition brings the one copy that it and Gala share.
    external: ['cdk8s', 'cdk8s-plus-27', 'constructs'],
    plugins: [namedWhenAsked],
    // CommonJS dependencies ask for `require`, which an ES module lacks.
    banner: { js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);' },
  });
  writeFileSync(join(folder, 'LICENSES.txt'), licences(metafile));
  return metafile;
}

/**
 * `await import('prom-client')` of a CommonJS package has its names in Node, which looks for them in the source
 * (cjs-module-lexer), and only `default` from esbuild. What Node has, the bundle has.
 */
const namedWhenAsked: Plugin = {
  name: 'named-when-asked',
  setup(building) {
    building.onResolve({ filter: /^[^./]/ }, ({ path, kind, resolveDir }) => {
      if (kind !== 'dynamic-import' || isBuiltin(path)) return undefined;
      return { path, namespace: 'named', pluginData: resolveDir };
    });
    building.onLoad({ filter: /.*/, namespace: 'named' }, async ({ path, pluginData }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[\w$]+$/.test(name) && name !== 'default');
      const contents = `import * as all from ${JSON.stringify(path)};\nexport const { ${names.join(', ')} } = all;\n`;
      return { contents, resolveDir: pluginData };
    });
  },
};

/** The packages that a bundle is made of besides this one, by their folders. */
export function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

/** What their licences ask for: whoever gets the bundle gets their words. */
function licences(metafile: Metafile): string {
  const all = packagesIn(metafile).map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const texts = files.sort().map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
    return { name: name as string, version, license, texts };
  });
  // Some packages of one repository (@aws-sdk) come without the text that its others bring.
  const siblings = ({ name, license }: (typeof all)[number]) =>
    all.find(
      (other) =>
        name.startsWith('@') && other.name.split('/')[0] === name.split('/')[0] && other.license === license && other.texts.length > 0,
    );
  return all
    .map((one) =>
      [`${one.name} ${one.version} (${one.license})`, ...(one.texts.length > 0 ? one : (siblings(one) ?? one)).texts].join('\n\n'),
    )
    .join(`\n\n${'-'.repeat(80)}\n\n`);
}
