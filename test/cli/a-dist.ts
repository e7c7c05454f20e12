/** Folders as synth leaves them, as small as a test needs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from '@jest/globals';
import { stringify } from 'yaml';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

/** Files of a cluster by path, beside its SUMMARY.md. */
export type Files = Readonly<Record<string, string>>;

/** A folder with a synth of each cluster. */
export function aDist(clusters: Readonly<Record<string, Files>> = { hello: {} }): string {
  const dist = mkdtempSync(join(tmpdir(), 'gala-cli-'));
  made.push(dist);
  for (const [cluster, files] of Object.entries(clusters))
    for (const [path, text] of Object.entries({ 'SUMMARY.md': `# ${cluster}\n`, 'images.txt': '', ...files })) {
      const file = join(dist, cluster, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  return dist;
}

/** The manifest of one Deployment. */
export function aDeployment({ image = 'r.example/web:v1', app = 'web' } = {}): string {
  const labels = { app };
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'gala-system' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } } },
  });
}
