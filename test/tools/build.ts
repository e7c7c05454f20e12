/** `npm run build`: the published package. `build/` holds the library as JavaScript with types and maps, and `gala` in `bin`. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

rmSync(`${root}build`, { recursive: true, force: true });
execFileSync(`${root}node_modules/.bin/tsc`, ['-p', `${root}tsconfig.build.json`], { stdio: 'inherit' });
await bundle(`${root}build/bin`);
