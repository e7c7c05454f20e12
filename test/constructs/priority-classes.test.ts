import { expect, test } from '@jest/globals';
import { aCluster, rendered } from './a-cluster.ts';

const classes = rendered(aCluster()).objects.filter(({ kind }) => kind === 'PriorityClass');

test("none of Gala's priorities preempts: preemption does not ask whether an address is free", () => {
  expect(classes.map(({ preemptionPolicy }) => preemptionPolicy)).toEqual(['Never', 'Never']);
});

test('borrowed capacity is given up before owned, and neither is anybody’s default', () => {
  const values = Object.fromEntries(classes.map(({ metadata, value }) => [metadata.name, value as number]));
  expect(values['gala-borrowed']).toBeLessThan(values['gala-service']!);
  expect(classes.every(({ globalDefault }) => globalDefault !== true)).toBe(true);
});
