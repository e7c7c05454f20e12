/**
 * `npm run bench -- <area>… [--json]`: measures areas and says of each figure whether it keeps to its bar.
 * Results go to stdout, progress to stderr. Exit codes: 0 every bar met · 1 a bar missed, or a measured program failed ·
 * 2 bad input.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { Area } from './area.ts';
import { AREAS } from './areas.ts';
import { chosen, UnknownArea } from './chosen.ts';
import { exitCode, type Row, rowsOf } from './row.ts';
import { areasTable, resultTable } from './table.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const bench = new Command('npm run bench --')
    .description('Measures areas: a row per figure, with its bar, and the peer measured in the same run.')
    .argument('[area...]', AREAS.map(({ name }) => name).join(', '))
    .addOption(new Option('--json', 'print an array of rows'))
    .addOption(new Option('--list', 'print what can be measured, and measure nothing'))
    .exitOverride()
    .showHelpAfterError('(--list prints all areas)');
  try {
    bench.parse(args, { from: 'user' });
    const { json, list } = bench.opts<{ json?: true; list?: true }>();
    if (list) {
      print(areasTable(AREAS));
      return 0;
    }
    const rows: Row[] = [];
    for (const area of chosen(bench.args, AREAS)) rows.push(...rowsOf(area, await measured(area)));
    print(json ? JSON.stringify(rows, null, 2) : resultTable(rows));
    for (const row of rows) if (row.skipped !== undefined) say(`${row.area}: '${row.what}' was skipped: ${row.skipped}`);
    return exitCode(rows, process.env.GALA_BED === 'required');
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UnknownArea)) throw error;
    say(error.message);
    return 2;
  }
}

async function measured(area: Area): ReturnType<Area['measure']> {
  const folder = await mkdtemp(join(tmpdir(), `gala-bench-${area.name}-`));
  say(`${area.name}: on ${availableParallelism()} cores, node ${process.versions.node}`);
  try {
    return await area.measure({ say: (progress) => say(`${area.name}: ${progress}`), folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
