import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inventory } from '../../../lib/scheduling/inventory.ts';
import { onNode } from '../../../lib/scheduling/node-terms.ts';
import { place } from '../../../lib/scheduling/place.ts';
import { inventoryPlanner } from '../../../lib/scheduling/writer/inventory-planner.ts';
import { aDemand, aNode, aPod } from '../builders.ts';

const nodes = fc.array(fc.record({ used: fc.nat(4), rack: fc.nat(2), tainted: fc.boolean(), ready: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
});
const term = (topologyKey: string) => ({ topologyKey, labelSelector: { matchLabels: { app: 'there' } } });
const specs = [
  {},
  { nodeSelector: { 'gala.internal/rack': 'r1' } },
  { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('kubernetes.io/hostname')] } } },
  { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('gala.internal/rack')] } } },
  {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'gala.internal/rack',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'there' } },
      },
    ],
  },
];

test('a pod that is pinned to a node fits there exactly when one whose affinity says so does', () => {
  fc.assert(
    fc.property(nodes, fc.nat(9), fc.constantFrom(...specs), fc.integer({ min: 1, max: 4 }), (there, pick, spec, cpu) => {
      const all = inventory();
      there.forEach(({ used, rack, tainted, ready }, at) => {
        const name = `n-${at}`;
        const taints = tainted ? [{ key: 'a', value: '', effect: 'NoSchedule' }] : [];
        all.set('Node', name, aNode(name, { rack: `r${rack}`, taints, ready }));
        if (used > 0) all.set('Pod', `feed/${name}`, aPod({ name, cpu: used, labels: { app: 'there' }, node: name }));
      });
      const node = `n-${pick % there.length}`;
      const demand = aDemand({ cpu, owner: 'feed/a', spec: spec as object });
      const planner = inventoryPlanner(all, () => undefined);
      const asked = { ...demand, nodeTerms: [onNode(node)] };
      const expected = place(all, { demand: asked, strategy: 'spread' }, 1, { allowPartial: true });
      const found = planner.place({ demand, strategy: 'spread' }, 1, true, node);
      if ('slots' in expected) expect(found).toEqual(expected);
      else expect(found).toMatchObject({ found: 0 });
      // Where it fits, it was worth a look.
      if ('slots' in found) expect(planner.mayFit(demand, node)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('a pinned pod that does not fit is told of its own node alone', () => {
  const all = inventory();
  for (const name of ['r12-01', 'r12-02']) all.set('Node', name, aNode(name, { cpu: 1 }));
  const planner = inventoryPlanner(all, () => undefined);
  expect(planner.place({ demand: aDemand({ cpu: 2 }), strategy: 'spread' }, 1, true, 'r12-01')).toEqual({
    ...{ refused: 'cpu', want: 1, found: 0 },
    limits: [{ limit: 'cpu', nodes: 1 }],
  });
});
