/** Which test files need which parts, read from their `describeBed` calls: the tests themselves are the list. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Need, type PartName, partsOf } from './parts.ts';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

export function neededBy(folder: string = TESTS): Map<PartName, string[]> {
  const needs = new Map<PartName, string[]>();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));
  for (const file of files.sort()) {
    const calls = readFileSync(join(folder, file), 'utf8').matchAll(/^\s*describeBed\(\s*(?:'[^']*'|"[^"]*"|`[^`]*`),\s*\[([^\]]*)\]/gm);
    const named = [...calls].flatMap(([, list]) => [...(list ?? '').matchAll(/'([^']+)'/g)].map(([, name]) => name as Need));
    for (const part of partsOf(named)) needs.set(part, [...(needs.get(part) ?? []), `test/${relative(TESTS, join(folder, file))}`]);
  }
  return needs;
}
