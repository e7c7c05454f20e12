import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Inventory, inventory } from '../../lib/scheduling/inventory.ts';
import { capAt } from '../../lib/scheduling/placing/caps.ts';
import { tightCaps, tooTightFor, tooTightProblems } from '../../lib/scheduling/tight-caps.ts';
import { aDemand, aNode } from './builders.ts';

/** So many racks with two nodes each. */
function racks(count: number): Inventory {
  const there = inventory();
  for (let rack = 1; rack <= count; rack++)
    for (const node of [`r${rack}-a`, `r${rack}-b`]) there.set('Node', node, aNode(node, { rack: `r${rack}` }));
  return there;
}
const demand = aDemand();
const tight = (terrain: Inventory, maxPer: object) => tightCaps(terrain, { demand, maxPer });

test('30 % a rack is less than all on two racks, whatever is free; 50 % is all', () => {
  expect(tight(racks(2), { rack: '30%' })).toEqual([{ level: 'rack', cap: '30%', places: 2, most: 4, enough: '50%' }]);
  expect(tight(racks(2), { rack: '50%' })).toEqual([]);
  expect(tight(racks(4), { rack: '30%' })).toEqual([]);
  expect(tight(racks(2), { rack: 3, node: '10%' })).toEqual([{ level: 'node', cap: '10%', places: 4, most: 4, enough: '25%' }]);
});

test('a percentage is rounded up, so that small numbers may lie so, and a larger one where a smaller may not', () => {
  const found = tight(racks(3), { rack: '30%' });
  expect(found).toMatchObject([{ most: 27 }]);
  expect([9, 10, 11, 27, 28].map((count) => tooTightFor(found, count).length)).toEqual([0, 1, 0, 0, 1]);
});

test('racks that are not Ready or cordoned are racks; those that no such pod may ever go to are none', () => {
  const there = racks(2);
  for (const node of ['r2-a', 'r2-b']) there.set('Node', node, aNode(node, { rack: 'r2', ready: false }));
  expect(tight(there, { rack: '50%' })).toEqual([]);
  for (const node of ['r2-a', 'r2-b']) there.set('Node', node, aNode(node, { rack: 'r2', labels: { gpu: 'yes' } }));
  const withGpu = { ...demand, nodeSelector: { gpu: 'yes' } };
  expect(tightCaps(there, { demand: withGpu, maxPer: { rack: '50%' } })).toMatchObject([{ places: 1, most: 1, enough: '100%' }]);
});

test('rack r1 of two zones is two racks, and nodes that do not say where they are count as one more', () => {
  const there = inventory();
  for (const zone of ['z1', 'z2']) there.set('Node', zone, aNode(zone, { rack: 'r1', zone }));
  expect(tight(there, { rack: '40%' })).toMatchObject([{ places: 2 }]);
  for (const node of ['lost-a', 'lost-b']) there.set('Node', node, aNode(node));
  expect(tight(there, { rack: '30%', zone: '30%' })).toMatchObject([
    { level: 'rack', places: 3 },
    { level: 'zone', places: 3 },
  ]);
  expect(tight(there, { rack: '40%', zone: '40%' })).toEqual([]);
});

test('where there is no node at all nothing is said of caps', () => expect(tight(inventory(), { rack: '30%' })).toEqual([]));

test('as a problem it says how many would have a place, and what would do', () => {
  expect(tooTightProblems(tight(racks(2), { rack: '30%' }), 200, (level) => `--max-per ${level}`)).toEqual([
    {
      path: '--max-per rack',
      what: "rack is '30%', which is 60 of 200; 2 racks could ever take these pods: 120 in all",
      allowed: 'on 2 racks a percentage is 50% or more',
      remedy: 'Ask for 50%, or add racks.',
      severity: 'error',
    },
  ]);
});

test('the most is the largest number that the places can hold, and what would be enough is', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 99 }), (places, percent) => {
      const [found] = tight(racks(places), { rack: `${percent}%` });
      const holds = (count: number, cap: string) => places * capAt(cap, count) >= count;
      if (found === undefined) return places * percent >= 100;
      const beyond = Array.from({ length: 500 }, (_, more) => found.most + 1 + more);
      return holds(found.most, found.cap) && !beyond.some((count) => holds(count, found.cap)) && holds(5000, found.enough);
    }),
  ));
