/**
 * Areas: what the benchmark command can measure. An area says its figures and their bars as data, so that the list, the
 * docs and the verdict have them from one place, and measures all of them in one go, the peer in the same run.
 */

/** What a figure must keep to. */
export type Bar =
  | { readonly must: '<' | '≤' | '=' | '≥'; readonly than: number }
  /** Neither less nor more. */
  | { readonly from: number; readonly to: number };

export interface Figure {
  readonly what: string;
  /** `s`, `MiB`, `µs/object`; empty for a plain count. */
  readonly unit: string;
  /** @default none: the figure is there to be watched */
  readonly bar?: Bar;
  /** What the same is asked of, in the same run. @default nobody */
  readonly peer?: string;
}

export interface Measured {
  /** One value a run, in the figure's unit. */
  readonly runs: readonly number[];
  /** The peer's, run in turns with ours so that a busy machine is busy for both. */
  readonly peer?: readonly number[];
}

/** Not measured, and why. */
export interface Skipped {
  readonly skipped: string;
}

export interface Tools {
  /** Tells a person who waits how far it is. */
  say(progress: string): void;
  /** An empty folder, gone when the area is done. */
  readonly folder: string;
}

export interface Area {
  readonly name: string;
  readonly doc: string;
  readonly figures: Readonly<Record<string, Figure>>;
  /** By the figures' keys. Throws when what is measured doesn't work: the time of a failed run is no figure. */
  measure(tools: Tools): Promise<Readonly<Record<string, Measured | Skipped>>>;
}

/** An area whose `measure` answers each of its figures, by the compiler's word. */
export function defineArea<const Figures extends Readonly<Record<string, Figure>>>(
  area: Omit<Area, 'figures' | 'measure'> & {
    readonly figures: Figures;
    measure(tools: Tools): Promise<{ readonly [Key in keyof Figures]: Measured | Skipped }>;
  },
): Area {
  return area;
}
