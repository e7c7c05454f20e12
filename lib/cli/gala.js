#!/usr/bin/env node
// `gala`: compiled where the package is installed, the source itself in a clone. Plain JavaScript that an old Node reads
// too, so that it can say what it lacks: `kubectl gala` runs with whatever Node is on the PATH.
import { existsSync } from 'node:fs';
import * as module from 'node:module';

const compiled = new URL('../../build/bin/gala.js', import.meta.url);
const source = new URL('./main.ts', import.meta.url);
const inClone = existsSync(source);
if (inClone && !process.features.typescript) {
  process.stderr.write(
    `gala: this is Node ${process.versions.node}; in a clone gala runs its TypeScript as it is, with Node 22.18 or newer. ` +
      'Run it as npx gala after npm ci, which brings Node 24, or put a newer Node on the PATH.\n',
  );
  process.exitCode = 2;
} else {
  // Node keeps what it has compiled, types stripped, in a folder of its own below the system's temporary one: the second command
  // starts in half the time. NODE_DISABLE_COMPILE_CACHE=1 turns it off; where nothing can be written nothing is.
  module.enableCompileCache?.();
  // Whoever reads, head for one, may have had enough: no more is written, and that is no failure.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  const { run } = await import((inClone ? source : compiled).href);
  process.exitCode = await run(process.argv.slice(2));
}
