import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { flow, SINK, SOURCE } from '../../../lib/scheduling/placing/flow.ts';

const VERTICES = 6;
const vertex = fc.integer({ min: 0, max: VERTICES - 1 });
const edges = fc.array(fc.record({ from: vertex, to: vertex, upper: fc.integer({ min: 0, max: 4 }) }), { maxLength: 12 });
type Edge = { readonly from: number; readonly to: number; readonly upper: number };

function made(list: readonly Edge[]) {
  const network = flow();
  for (let at = 2; at < VERTICES; at++) network.vertex();
  return { network, ids: list.map(({ from, to, upper }) => network.edge(from, to, upper)) };
}

/** By trying every set of vertices on the source's side. */
function smallestCut(list: readonly Edge[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 1 << VERTICES; set++) {
    const inside = (at: number) => at === SOURCE || (at !== SINK && (set >> at) % 2 === 1);
    const cut = list.reduce((sum, { from, to, upper }) => sum + (inside(from) && !inside(to) ? upper : 0), 0);
    least = Math.min(least, cut);
  }
  return least;
}

test('the largest flow is the smallest cut, and what is reached lies on its near side', () =>
  fc.assert(
    fc.property(edges, (list) => {
      const { network, ids } = made(list);
      expect(network.run()).toBe(smallestCut(list));
      const reached = network.reached();
      list.forEach(({ from, to, upper }, at) => {
        if (reached[from] === 1 && reached[to] === 0) expect(network.carried(ids[at]!)).toBe(upper);
      });
    }),
  ));

test('an edge is committed as often as some largest flow carries it, and the whole stays', () =>
  fc.assert(
    fc.property(edges, fc.nat(), (list, number) => {
      fc.pre(list.length > 0);
      const at = number % list.length;
      const { network, ids } = made(list);
      const total = network.run();
      network.close(total);
      let commits = 0;
      while (network.commit(ids[at]!)) commits++;
      const { from, to, upper } = list[at]!;
      if (from === to || from === SINK || to === SOURCE) return;
      expect(commits).toBe(Array.from({ length: upper + 1 }, (_, units) => units).findLast((units) => takes(list, at, units, total)));
    }),
  ));

/** Whether a flow of this size can carry so much on one edge. */
function takes(list: readonly Edge[], at: number, units: number, total: number): boolean {
  const network = flow();
  for (let more = 2; more < VERTICES; more++) network.vertex();
  const [start, end] = [network.vertex(), network.vertex()];
  // A circulation with floors, as a flow: what must be carried is taken from a source of its own, and given to a sink of its own.
  const real = (vertex: number) => (vertex === SOURCE ? start : vertex === SINK ? end : vertex);
  for (const [edge, { from, to, upper }] of list.entries()) {
    const floor = edge === at ? units : 0;
    network.edge(real(from), real(to), upper - floor);
    network.edge(real(from), SINK, floor);
    network.edge(SOURCE, real(to), floor);
  }
  network.edge(SOURCE, start, total);
  network.edge(end, SINK, total);
  network.edge(end, start, 1000);
  return network.run() === total + units;
}
