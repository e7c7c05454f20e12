/** `npm run bed -- doctor`: each part, whether it is here and from where, and which tests need it. */
import { neededBy } from './needed-by.ts';
import { cacheFolder, type Found, find, folderOf, PARTS, type Part, type PartName, remedy } from './parts.ts';

export interface Diagnosis {
  readonly part: PartName;
  readonly version: string;
  readonly doc: string;
  readonly from: Found['from'] | 'missing';
  /** The program, when it is here; the folder to put it in, or what to install, when it is not. */
  readonly at: string;
  readonly neededBy: readonly string[];
}

export function diagnose(): Diagnosis[] {
  const needs = neededBy();
  return PARTS.map((part: Part & { name: PartName }) => {
    const { name, version, doc } = part;
    const found = find(name);
    const at = found?.command[0] ?? (part.program === undefined ? folderOf(part) : remedy([name]));
    return { part: name, version, doc, from: found?.from ?? 'missing', at, neededBy: needs.get(name) ?? [] };
  });
}

export function report(diagnoses: readonly Diagnosis[]): string {
  const rows = diagnoses.map(({ part, version, from, at, neededBy }) => [part, version, from, at, tests(neededBy)]);
  const missing = diagnoses.filter(({ from }) => from === 'missing');
  const verdict =
    missing.length === 0
      ? `All ${diagnoses.length} parts are here.`
      : `${missing.length} of ${diagnoses.length} missing: the tests that need them are skipped, and fail with GALA_BED=required. ${remedy(missing.map(({ part }) => part))}`;
  const details = diagnoses.filter(({ neededBy }) => neededBy.length > 0).map(({ part, neededBy }) => `  ${part}: ${neededBy.join(' ')}`);
  return [table([['PART', 'VERSION', 'FROM', 'AT', 'TESTS'], ...rows]), `Cache: ${cacheFolder()}`, 'Needed by:', ...details, verdict].join(
    '\n',
  );
}

const tests = (files: readonly string[]) => (files.length === 1 ? '1 file' : `${files.length} files`);

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
