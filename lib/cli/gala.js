#!/usr/bin/env node
// `gala`: compiled where the package is installed, the source itself in a clone.
import { existsSync } from 'node:fs';

const compiled = new URL('../../build/bin/gala.js', import.meta.url);
const source = new URL('./main.ts', import.meta.url);
const { run } = await import((existsSync(source) ? source : compiled).href);
process.exitCode = await run(process.argv.slice(2));
