import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { slotsOf } from '../../../lib/scheduling/writer/books.ts';
import { type Roll, type Story, type StoryOptions, story } from './story.ts';

const rolls = fc.array(fc.tuple(fc.nat({ max: 1_000 }), fc.nat({ max: 1_000 }), fc.nat({ max: 1_000 })), { minLength: 20, maxLength: 120 });

/** More of them: `RUNS=5000 npm run jest -- agenda.model`. */
const runs = (usual: number) => Number(process.env.RUNS ?? usual);

const WORLDS: readonly (StoryOptions & { readonly name: string })[] = [
  { name: "Gala's own addresses", addresses: true, late: false },
  { name: "Gala's own addresses, late writes of lock writers that have ended", addresses: true, late: true },
  { name: "Gala's own addresses, and agents that wire and look", addresses: true, late: false, agents: true },
  { name: "Gala's own addresses, agents, late writes of lock writers that have ended", addresses: true, late: true, agents: true },
  { name: "somebody else's CNI", addresses: false, late: false },
  { name: "somebody else's CNI, late writes of lock writers that have ended", addresses: false, late: true },
];

function play(options: StoryOptions, steps: readonly Roll[]): Story {
  const told = story(options);
  try {
    for (const roll of steps) told.step(roll);
    told.settle();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${told.told.slice(-60).join('\n')}`, { cause: error });
  }
  return told;
}

describe.each(WORLDS)('$name', (options) => {
  test('whatever happens in whatever order, and whenever the lock writer ends: no address has two owners, no slot two pods, and all comes to rest', () => {
    fc.assert(
      fc.property(rolls, (steps) => {
        const { api, writer } = play(options, steps);
        // Everybody has an answer.
        for (const [key, lock] of api.objects.Lock)
          expect([key, lock.status?.phase]).toEqual([key, expect.stringMatching(/Ready|Failed|Expired/)]);
        for (const lock of api.objects.Lock.values())
          for (const { address, node } of lock.status?.phase === 'Ready' ? slotsOf(lock) : [])
            if (address !== undefined)
              expect(api.objects.IPLock.get(address)?.spec).toMatchObject({ node, lock: { name: lock.metadata.name } });
        for (const { metadata, spec } of api.objects.IPLock.values()) {
          const pod = [...api.objects.Pod.values()].find(({ uid }) => uid === spec.podUID);
          // Each is Held, or has its living pod, or is what a Ready Lock lists; an agent has yet to take down what a pod left behind.
          if (spec.phase === 'Held' || spec.phase === 'Bound' || spec.phase === 'Quarantined' || (pod !== undefined && !pod.done)) continue;
          const lock = api.objects.Lock.get(`feed/${spec.lock?.name}`);
          expect([metadata.name, slotsOf(lock).map(({ address }) => address)]).toEqual([
            metadata.name,
            expect.arrayContaining([metadata.name]),
          ]);
        }
        for (const pod of api.objects.Pod.values()) {
          const all = [...api.objects.IPLock.values()].filter(({ spec }) => spec.podUID === pod.uid);
          const own = all.filter(({ spec }) => spec.phase !== 'Quarantined');
          // Its own is another machine's, and its node has no other.
          if (own.length < all.length && own.length === 0) continue;
          // An agent that says so takes down what a pod left behind; others have yet to.
          const left = pod.done && !options.agents ? own.filter(({ spec }) => spec.phase !== 'Bound') : own;
          expect([pod.key, left.length]).toEqual([pod.key, pod.done || pod.gated || !options.addresses ? 0 : 1]);
        }
        // The inventory promises nothing beside what is there.
        expect([...writer.inventory.promises()]).toEqual([]);
      }),
      { numRuns: runs(200) },
    );
  });

  test('when all pods and Locks are gone, no address is left', () => {
    fc.assert(
      fc.property(rolls, (steps) => {
        const told = play(options, steps);
        told.clear();
        expect([...told.api.objects.IPLock.keys()]).toEqual([]);
        expect([...told.writer.inventory.promises()]).toEqual([]);
        expect(told.writer.agenda.waiting).toBe(0);
      }),
      { numRuns: runs(100) },
    );
  });
});

test.each(WORLDS.filter(({ late }) => !late))(
  '$name: a lock writer that nobody disturbs never trips over itself',
  ({ addresses, agents }) => {
    fc.assert(
      fc.property(rolls, (steps) => {
        const calm = play({ addresses, agents, late: false, calm: true }, steps);
        expect(calm.stumbles).toBe(0);
      }),
      { numRuns: runs(100) },
    );
  },
);
