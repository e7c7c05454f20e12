/** Rows: a figure, what was measured of it, and the verdict. Pure. */
import type { Area, Bar, Figure, Measured, Skipped } from './area.ts';

/** One line of the table, and one element of `--json`. */
export interface Row {
  readonly area: string;
  readonly what: string;
  /** Median of the runs; null: not measured. */
  readonly value: number | null;
  readonly unit: string;
  /** `< 5`; null: there is none. */
  readonly bar: string | null;
  /** Null where there is no bar or no value. */
  readonly met: boolean | null;
  readonly runs: readonly number[];
  readonly peer?: { readonly name: string; readonly value: number; readonly runs: readonly number[] };
  /** Ours divided by the peer's: below 1 is less than the peer. */
  readonly ratio?: number;
  /** Why it was not measured. */
  readonly skipped?: string;
}

export function rowsOf(area: Area, measured: Readonly<Record<string, Measured | Skipped>>): Row[] {
  return Object.entries(area.figures).map(([key, figure]) => {
    const found = measured[key];
    if (found === undefined) throw new Error(`area ${area.name} did not measure '${key}'`);
    return rowOf(area.name, figure, found);
  });
}

function rowOf(area: string, figure: Figure, measured: Measured | Skipped): Row {
  const { what, unit, bar } = figure;
  const head = { area, what, unit, bar: bar === undefined ? null : barText(bar) };
  if ('skipped' in measured) return { ...head, value: null, met: null, runs: [], skipped: measured.skipped };
  const { runs } = measured;
  const value = median(runs);
  const row = { ...head, value, met: bar === undefined ? null : meets(runs, bar), runs };
  if (figure.peer === undefined || measured.peer === undefined) return row;
  const peer = { name: figure.peer, value: median(measured.peer), runs: measured.peer };
  return { ...row, peer, ...(peer.value === 0 ? {} : { ratio: value / peer.value }) };
}

export const barText = (bar: Bar): string => ('must' in bar ? `${bar.must} ${bar.than}` : `${bar.from}–${bar.to}`);

/** Times vary and are judged by their median; what is counted must come out the same in every run. */
export function meets(runs: readonly number[], bar: Bar): boolean {
  if (!('must' in bar)) return median(runs) >= bar.from && median(runs) <= bar.to;
  const { must, than } = bar;
  switch (must) {
    case '<':
      return median(runs) < than;
    case '≤':
      return median(runs) <= than;
    case '≥':
      return median(runs) >= than;
    case '=':
      return runs.length > 0 && runs.every((run) => run === than);
    default:
      return must satisfies never;
  }
}

/** @throws {RangeError} without a value */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Exit code 1: a bar that is missed must not go by unseen. What could not be measured is no miss, unless it was required. */
export function exitCode(rows: readonly Row[], required: boolean): 0 | 1 {
  return rows.some((row) => row.met === false || (required && row.skipped !== undefined)) ? 1 : 0;
}
