/**
 * Supplies: what nodes have and what is used of it, a pair of columns each. Requests are summed as whole numbers (thousandths of a
 * CPU), so that adding and taking away in any order comes to the same. Where a node was sampled, its use is what was measured
 * and what has been placed since, if that is more than what is requested.
 */
import type { Sample } from '../inventory.ts';
import { MOST_AMOUNT } from '../requests.ts';
import type { Demand, Supply } from '../types.ts';
import type { Claim } from './claims.ts';
import type { Place, Places } from './places.ts';
import type { Column, Rows } from './rows.ts';

type Floats = Column<Float64Array<ArrayBuffer>>;

interface Kept {
  readonly name: string;
  /** How many of the units it is summed in make one of the demand's: 1000 for `cpu`. */
  readonly scale: number;
  readonly measured: Measured | undefined;
  readonly capacity: Floats;
  readonly requested: Floats;
  readonly used: Floats;
  readonly view: Supply;
}

/** What a demand asks of a supply. */
interface Share {
  readonly of: Kept;
  readonly units: number;
}

/** The supplies that samples tell of; of CPU and memory Kubernetes promises by requests alone. */
const MEASURED = { egress: 'egress', ingress: 'ingress', 'ephemeral-storage': 'ephemeralStorage' } as const;
type Measured = (typeof MEASURED)[keyof typeof MEASURED];

/** Not limited where a node does not say; of any other resource it has none. */
const UNLIMITED = ['cpu', 'memory', 'ephemeral-storage', 'pods', 'egress', 'ingress'];

/** A pod's start time is cut off at the second (metav1.Time): it may have begun up to a second later. */
const SECOND_MS = 1000;

const isSpace = (name: string): boolean => name.startsWith('storage/');

export interface SuppliesOptions {
  readonly rows: Rows;
  readonly places: Places;
  readonly isFresh: (sample: Sample) => boolean;
  /** Whether anybody reports the space of `storage/<class>`; what nobody reports is not limited. */
  readonly isReported: (name: string) => boolean;
}

export interface Supplies {
  /** Of any name. What no node has is 0 everywhere. */
  get(name: string): Supply;
  /** All that a node has, by name. */
  setCapacity(row: number, capacities: ReadonlyMap<string, number>): void;
  charge(place: Place, claim: Claim, sign: 1 | -1): void;
  /** The sample of a place, or whether it is fresh, has changed. */
  measure(place: Place): void;
  empty(row: number): void;
  /** Whether a fresh sample tells of all supplies of the demand that samples can tell of. */
  isSampled(place: Place, demand: Demand): boolean;
}

export function supplies({ rows, places, isFresh, isReported }: SuppliesOptions): Supplies {
  const all: Kept[] = [];
  const byName = new Map<string, Kept>();
  const zeros = rows.floats();
  const unlimited = rows.floats(Number.NaN);
  /** By demand: of which supplies it asks how much. Void when there is a supply more. */
  let shares = new WeakMap<Demand, readonly Share[]>();

  const missing = (name: string): number => (UNLIMITED.includes(name) || (isSpace(name) && !isReported(name)) ? Number.NaN : 0);

  function make(name: string): void {
    const [capacity, requested, used] = [rows.floats(), rows.floats(), rows.floats()];
    const view: Supply = {
      name,
      get capacity() {
        return capacity.data;
      },
      get used() {
        return used.data;
      },
    };
    const measured: Measured | undefined = MEASURED[name as keyof typeof MEASURED];
    const kept: Kept = { name, scale: name === 'cpu' ? 1000 : 1, measured, capacity, requested, used, view };
    all.push(kept);
    byName.set(name, kept);
    shares = new WeakMap();
    // Pods may have asked for it before any node had it.
    for (const place of places.values()) {
      if (place.row === -1) continue;
      capacity.data[place.row] = missing(name);
      for (const claim of place.claims) requested.data[place.row]! += asked(claim, kept);
      show(kept, place);
    }
  }

  function sharesOf(demand: Demand): readonly Share[] {
    const known = shares.get(demand);
    if (known !== undefined) return known;
    const made = [...demand.requests].flatMap(([name, amount]) => {
      const of = byName.get(name);
      return of === undefined ? [] : [{ of, units: Math.min(MOST_AMOUNT, Math.round(amount * of.scale)) }];
    });
    shares.set(demand, made);
    return made;
  }

  /** The volumes of a bound pod exist, and the space that is reported is what they leave. */
  const isOff = ({ bound }: Claim, { name }: Kept): boolean => bound && isSpace(name);

  function asked(claim: Claim, supply: Kept): number {
    if (isOff(claim, supply)) return 0;
    return sharesOf(claim.demand).find(({ of }) => of === supply)?.units ?? 0;
  }

  /** Brings what is used of a supply to what is requested and measured. */
  function show(supply: Kept, place: Place): void {
    const requested = supply.requested.data[place.row]!;
    const found = supply.measured === undefined ? undefined : measuredAt(place, supply.measured);
    const used = found === undefined ? requested : Math.max(requested, found + placedAfter(place, supply));
    supply.used.data[place.row] = used / supply.scale;
  }

  function measuredAt({ sample }: Place, measured: Measured): number | undefined {
    return sample !== undefined && isFresh(sample) ? sample[measured] : undefined;
  }

  /** Requests of what was not running yet when the sample was taken. */
  function placedAfter({ claims, sample }: Place, supply: Kept): number {
    let units = 0;
    for (const claim of claims)
      if (claim.startedMs === undefined || claim.startedMs + SECOND_MS > sample!.atMs) units += asked(claim, supply);
    return units;
  }

  for (const name of UNLIMITED) make(name);

  return {
    get(name) {
      const known = byName.get(name);
      if (known !== undefined) return known.view;
      return { name, capacity: Number.isNaN(missing(name)) ? unlimited.data : zeros.data, used: zeros.data };
    },
    setCapacity(row, capacities) {
      for (const name of capacities.keys()) if (!byName.has(name)) make(name);
      for (const { name, capacity } of all) capacity.data[row] = capacities.get(name) ?? missing(name);
    },
    charge(place, claim, sign) {
      for (const { of, units } of sharesOf(claim.demand)) {
        if (isOff(claim, of)) continue;
        of.requested.data[place.row]! += sign * units;
        show(of, place);
      }
    },
    measure(place) {
      if (place.row !== -1) for (const supply of all) if (supply.measured !== undefined) show(supply, place);
    },
    empty(row) {
      for (const { capacity, requested, used } of all) for (const { data } of [capacity, requested, used]) data[row] = 0;
    },
    isSampled: (place, demand) =>
      Object.entries(MEASURED).every(([name, field]) => !demand.requests.has(name) || measuredAt(place, field) !== undefined),
  };
}
