/** Measurements: samples by node, which of them are fresh, and how busy nodes really are. */
import type { Sample } from '../inventory.ts';
import type { Place, Places } from './places.ts';
import type { Rows } from './rows.ts';

export interface MeasurementsOptions {
  readonly rows: Rows;
  readonly places: Places;
  readonly maxAgeMs: number;
  /** A sample has come or gone, or grown stale. */
  readonly changed: (place: Place) => void;
}

export interface Measurements {
  /** By row; NaN without a fresh sample. */
  readonly realUse: Float64Array;
  readonly nowMs: number;
  /** Changes with samples and their freshness. */
  readonly version: number;
  isFresh(sample: Sample): boolean;
  set(node: string, sample: Sample | undefined): void;
  tick(nowMs: number): void;
  /** The share of what pods may have there, by what the node has. */
  show(place: Place): void;
  empty(row: number): void;
  samples(): IterableIterator<readonly [node: string, sample: Sample]>;
}

export function measurements({ rows, places, maxAgeMs, changed }: MeasurementsOptions): Measurements {
  const realUse = rows.floats(Number.NaN);
  const sampled = new Map<Place, boolean>();
  let nowMs = 0;
  let version = 0;
  const isFresh = ({ atMs }: Sample) => nowMs - atMs <= maxAgeMs;

  function show({ row, node, sample }: Place): void {
    if (row === -1 || node === undefined) return;
    const shares =
      sample === undefined || !isFresh(sample)
        ? []
        : (['cpu', 'memory'] as const).flatMap((name) => shareOf(sample[name], node.allocatable[name]));
    realUse.data[row] = shares.length === 0 ? Number.NaN : Math.max(...shares);
  }

  function tell(place: Place): void {
    version++;
    show(place);
    changed(place);
  }

  return {
    get realUse() {
      return realUse.data;
    },
    get nowMs() {
      return nowMs;
    },
    get version() {
      return version;
    },
    isFresh,
    set(node, sample) {
      const place = places.at(node);
      place.sample = sample;
      if (sample === undefined) sampled.delete(place);
      else sampled.set(place, isFresh(sample));
      tell(place);
      places.tidy(place);
    },
    tick(now) {
      nowMs = now;
      for (const [place, was] of sampled) {
        const is = isFresh(place.sample!);
        if (is === was) continue;
        sampled.set(place, is);
        tell(place);
      }
    },
    show,
    empty(row) {
      realUse.data[row] = Number.NaN;
    },
    *samples() {
      for (const { name, sample } of sampled.keys()) if (sample !== undefined) yield [name, sample] as const;
    },
  };
}

function shareOf(use: number | undefined, allocatable: number | undefined): number[] {
  if (use === undefined || allocatable === undefined || !(allocatable > 0)) return [];
  return [Math.min(1, Math.max(0, use / allocatable))];
}
