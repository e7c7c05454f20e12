/**
 * `npm run build`: the published package. `build/` holds the library as JavaScript with types and maps, and `gala` in one
 * file, so that the command starts without reading hundreds of modules.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = (path: string) => `${root}build/${path}`;

rmSync(out(''), { recursive: true, force: true });
execFileSync(`${root}node_modules/.bin/tsc`, ['-p', `${root}tsconfig.build.json`], { stdio: 'inherit' });
await build({
  entryPoints: [`${root}lib/cli/main.ts`],
  outfile: out('bin/gala.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  keepNames: true,
  // CommonJS dependencies ask for `require`, which an ES module lacks.
  banner: { js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);' },
});
