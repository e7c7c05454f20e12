/** What must hold of stock and place in any cluster, for any question: checked against brute force, case by case. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { place } from '../../lib/scheduling/place.ts';
import { hasPercentage } from '../../lib/scheduling/placing/caps.ts';
import { stock } from '../../lib/scheduling/stock.ts';
import type { Ask, PlacedSlot, Placement, Terrain } from '../../lib/scheduling/types.ts';
import { type Brute, brute } from './brute.ts';
import { dice } from './dice.ts';
import { isExact } from './exactness.ts';
import { askOf, inventoryOf } from './inventory-of.ts';
import { type ClusterObjects, randomCluster } from './random-cluster.ts';
import { type Question, randomQuestion } from './random-question.ts';

export interface Case {
  readonly objects: ClusterObjects;
  readonly question: Question;
  readonly seed: number;
}

/** Runs `numRuns` cases, the same on each machine; a failure names its seed, and `aCase(seed)` is the case again. */
export function cases(name: string, numRuns: number, check: (it: Case) => void): void {
  const from = [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7) >>> 0;
  const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(seeds, (seed) => check(aCase(seed))),
    { numRuns, seed: from, endOnFailure: true },
  );
}

export const aCase = (seed: number): Case => ({ objects: randomCluster(seed), question: randomQuestion(seed), seed });

/** One part of the cases that are tried in every way: they are split over files so that they run side by side. */
export function asManyAsTrying(part: string, numRuns: number): void {
  let exact = 0;
  cases(`as many as trying, ${part} part`, numRuns, (it) => {
    if (agrees(it)) exact++;
  });
  // Else the cases would have become such that hardly anything is claimed.
  expect(exact / numRuns).toBeGreaterThan(0.9);
}

/** Stock and place say the same, and what brute force says. @returns whether the number was found to be the largest there is */
function agrees({ objects, question, seed }: Case): boolean {
  const terrain = inventoryOf(objects);
  const ask = askOf(question);
  const tried = brute(objects, question);
  const { count } = stock(terrain, ask);
  const exact = isExact(terrain, ask);

  if (exact) expect(count).toBe(tried.largest());
  else if (!hasPercentage(ask.maxPer)) {
    const { least, most } = tried.ends(count);
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(most);
  }
  placesAll(terrain, ask, tried, count);
  expect(place(terrain, ask, count + 1)).toMatchObject({ refused: expect.any(String), want: count + 1 });

  const some = dice(seed).between(0, count + 2);
  const placed = place(terrain, ask, some);
  if ('slots' in placed) placesAll(terrain, ask, tried, some);
  else expect(placed.found).toBeLessThan(some);
  if (!exact) return false;
  expect('slots' in placed ? some : placed.found).toBe(Math.min(some, tried.ends(some).most));
  const partial = place(terrain, ask, some, { allowPartial: true });
  expect('slots' in partial ? partial.slots.length : 0).toBe(tried.largest(some));
  return true;
}

function placesAll(terrain: Terrain, ask: Ask, tried: Brute, count: number): void {
  const slots = slotsOf(place(terrain, ask, count));
  expect(slots).toHaveLength(count);
  expect(tried.wrong(slots)).toBeUndefined();
}

export function slotsOf(placement: Placement): readonly PlacedSlot[] {
  if ('slots' in placement) return placement.slots;
  throw new Error(`refused: ${JSON.stringify(placement)}`);
}
