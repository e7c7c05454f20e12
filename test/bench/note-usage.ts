/** Preloaded into every Node process of a weighed run: at its end it notes what it took, under its pid. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const notes = process.env.GALA_BENCH_NOTES;
if (notes !== undefined) process.on('exit', () => writeFileSync(join(notes, `${process.pid}`), JSON.stringify(process.resourceUsage())));
