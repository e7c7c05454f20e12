/** Core: stock and place themselves, in memory: no API server, no HTTP, no JSON. Questions that ask for everything, in turn. */
import type { Inventory } from '../../../../lib/scheduling/inventory.ts';
import { place } from '../../../../lib/scheduling/place.ts';
import { stock } from '../../../../lib/scheduling/stock.ts';
import type { Ask } from '../../../../lib/scheduling/types.ts';
import type { Tools } from '../../area.ts';
import { aDemandForAll, aFleet, type FleetSize, HOSTNAME, spreadBy, ZONE } from './a-fleet.ts';

const ROUNDS = 5;
const TIMES = 60;
/** Until the compiler has seen every kind of question. */
const WARM = 20;

/** Milliseconds; of each kind one value a question, and of the slowest one value a round. */
export interface Core {
  readonly stock: readonly number[];
  readonly stockP99: readonly number[];
  readonly one: readonly number[];
  readonly thousand: readonly number[];
}

export function core(size: FleetSize, { say }: Pick<Tools, 'say'>): Core {
  const fleet = aFleet(size);
  for (const ask of QUESTIONS) {
    const { count, limit } = stock(fleet, ask);
    if (count < 1000) throw new Error(`the fleet takes ${count} pods of ${JSON.stringify(ask)}, limited by ${limit}: too few to place`);
    for (let time = 0; time < WARM; time++) round(fleet, ask, { stock: [], one: [], thousand: [] });
  }
  const all = { stock: [] as number[], stockP99: [] as number[], one: [] as number[], thousand: [] as number[] };
  for (let at = 1; at <= ROUNDS; at++) {
    const found: Found = { stock: [], one: [], thousand: [] };
    for (let time = 0; time < TIMES; time++) for (const ask of QUESTIONS) round(fleet, ask, found);
    all.stock.push(...found.stock);
    all.one.push(...found.one);
    all.thousand.push(...found.thousand);
    all.stockP99.push(found.stock.toSorted((a, b) => a - b)[Math.floor(found.stock.length * 0.99)]!);
    say(`core, round ${at} of ${ROUNDS}: 99th percentile of stock ${all.stockP99.at(-1)!.toFixed(2)} ms`);
  }
  return all;
}

type Found = Record<'stock' | 'one' | 'thousand', number[]>;

function round(fleet: Inventory, ask: Ask, { stock: counted, one, thousand }: Found): void {
  counted.push(took(() => stock(fleet, ask)));
  one.push(took(() => place(fleet, ask, 1)));
  thousand.push(took(() => place(fleet, ask, 1000)));
}

function took(act: () => unknown): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** All ask for every supply, an address, nodes, tolerations and distance from others; and each for more in a way of its own. */
const QUESTIONS: readonly Ask[] = [
  { demand: aDemandForAll(), strategy: 'spread' },
  { demand: aDemandForAll(), strategy: 'concentrate', near: 'bj-b' },
  { demand: aDemandForAll(), strategy: 'spread', maxPer: { node: 10, rack: '30%', zone: '40%' } },
  { demand: aDemandForAll([spreadBy(ZONE, 2)]), strategy: 'spread', maxPer: { rack: '10%' } },
  { demand: aDemandForAll([spreadBy(HOSTNAME, 2)]), strategy: 'concentrate', byUse: true },
  { demand: aDemandForAll([spreadBy(ZONE, 5), spreadBy(HOSTNAME, 3)]), strategy: 'spread' },
];
