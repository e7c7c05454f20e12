/** The same definitions give the same bytes, whoever runs synth, where, and in which order things were typed. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rendered } from '../../constructs/testing.ts';
import type { ClusterDefinition } from '../../lib/api/definition.ts';
import { ROOT } from './fleet.ts';

const folder = mkdtempSync(join(tmpdir(), 'gala-same-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** All bytes of a synth of clusters/, run by itself under an environment. */
async function bytes(name: string, env: Record<string, string>): Promise<Record<string, string>> {
  const out = join(folder, name);
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/node'), ['-C', 'gala-source', 'clusters/main.ts'], {
    cwd: ROOT,
    env: { ...process.env, ...env, CDK8S_OUTDIR: out },
  });
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => [join(entry.parentPath, entry.name).slice(out.length), readFileSync(join(entry.parentPath, entry.name), 'base64')])
      .sort(),
  );
}

test('time zone and locale do not reach the output', async () => {
  const here = await bytes('here', { TZ: 'UTC', LC_ALL: 'C.UTF-8' });
  const there = await bytes('there', { TZ: 'Asia/Shanghai', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', LANGUAGE: 'tr' });
  expect(Object.keys(here).length).toBeGreaterThan(60);
  expect(there).toEqual(here);
}, 60_000);

/** Lists whose order the operator means. */
const ORDERED = ['instanceTypes', 'capacityOrder'];

/** A definition with every record's keys, and every list that is a set, in another order. */
function shuffled(value: unknown, key: string, order: () => number): unknown {
  if (Array.isArray(value)) return ORDERED.includes(key) ? value : [...value].sort(() => order() - 0.5);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, shuffled(inner, name, order), order()] as const);
  return Object.fromEntries(entries.sort((a, b) => a[2] - b[2]).map(([name, inner]) => [name, inner]));
}

test.each(['bj-a', 'bj-b', 'cloud-a', 'hybrid-a', 'slices/network'])(
  'the order in which %s was typed does not reach the output',
  async (name) => {
    const definition = ((await import(`../../clusters/${name}.ts`)) as { default: ClusterDefinition }).default;
    const files = rendered(definition).files;
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (stream) => {
        const order = () => stream.next().value as number;
        expect(rendered(shuffled(definition, '', order) as ClusterDefinition).files).toEqual(files);
      }),
      { numRuns: 15 },
    );
  },
);
