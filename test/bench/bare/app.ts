/**
 * The peer: a cdk8s app that emits the same objects into the same files and does nothing else. No definition, no check,
 * no host files, no gate. Argument: the folder that objects.ts wrote.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import type { Charts } from './objects.ts';

const [folder = '.'] = process.argv.slice(2);
const out = process.env.CDK8S_OUTDIR ?? 'dist';
for (const file of readdirSync(folder).sort()) {
  const charts: Charts = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const app = new App({ outdir: join(out, basename(file, '.json')), recordConstructMetadata: false });
  for (const [id, objects] of Object.entries(charts)) {
    const chart = new Chart(app, id, { disableResourceNameHashes: true });
    objects.forEach((object, i) => {
      new ApiObject(chart, `${i}`, object as never);
    });
  }
  app.synth();
}
