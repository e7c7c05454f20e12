/** Tables: for a terminal, and as they are for a Markdown page. Pure. */
import type { Area } from './area.ts';
import { barText, type Row } from './row.ts';

const HEADER = ['area', 'what', 'measured', 'runs', 'bar', 'verdict', 'peer', "peer's", 'ratio'];

export function resultTable(rows: readonly Row[]): string {
  return table(HEADER, rows.map(cells));
}

function cells(row: Row): string[] {
  const { area, what, value, unit, runs, bar, peer, ratio } = row;
  const verdict = row.skipped !== undefined ? 'skipped' : row.met === null ? '–' : row.met ? 'met' : 'MISSED';
  return [
    area,
    what,
    value === null ? '–' : withSpread(value, runs, unit),
    value === null ? '–' : `${runs.length}`,
    bar === null ? '–' : withUnit(bar, unit),
    verdict,
    peer?.name ?? '–',
    peer === undefined ? '–' : withSpread(peer.value, peer.runs, unit),
    ratio === undefined ? '–' : short(ratio),
  ];
}

/** What can be measured: printed by `--list`, and on the page of the benchmark command. */
export function areasTable(areas: readonly Area[]): string {
  const figures = areas.flatMap(({ name, figures }) => Object.values(figures).map((figure) => ({ name, ...figure })));
  return table(
    ['area', 'what', 'unit', 'bar', 'peer'],
    figures.map(({ name, what, unit, bar, peer }) => [
      name,
      what,
      unit === '' ? '–' : unit,
      bar === undefined ? '–' : barText(bar),
      peer ?? '–',
    ]),
  );
}

/** `2.05 s (1.98–2.31)`: the median, and the least and the most where runs differ. */
export function withSpread(value: number, runs: readonly number[], unit: string): string {
  const [least, most] = [Math.min(...runs), Math.max(...runs)];
  const spread = least === most ? '' : ` (${short(least)}–${short(most)})`;
  return `${withUnit(short(value), unit)}${spread}`;
}

const withUnit = (value: string, unit: string): string => (unit === '' ? value : `${value} ${unit}`);

/** Three digits that count; a whole number as it is. */
export function short(value: number): string {
  if (Number.isInteger(value)) return `${value}`;
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A Markdown table whose columns stand under each other. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) => Math.max(...[name, ...rows.map((row) => row[column] ?? '')].map(width)));
  const line = (row: readonly string[]) => `| ${widths.map((wide, i) => padded(row[i] ?? '', wide)).join(' | ')} |`;
  return [line(header), `|${widths.map((wide) => '-'.repeat(wide + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

/** In characters as a reader counts them: µ and × are one. */
const width = (text: string): number => [...text].length;
const padded = (text: string, wide: number): string => text + ' '.repeat(wide - width(text));
