import { describe, expect, test } from '@jest/globals';
import type { Planner } from '../../../lib/scheduling/writer/planner.ts';
import type { Call, Outcome } from '../../../lib/scheduling/writer/write.ts';
import { aLock, aNode, aPod, aTemplate } from '../builders.ts';
import { modelApi } from './model-api.ts';
import { modelWriter } from './model-writer.ts';

interface Wrong {
  readonly planner?: (planner: Planner) => Planner;
  /** What the API server says to a call; undefined: it does it. */
  readonly answer?: (call: Call) => Outcome | undefined;
}

function aBed({ planner, answer = () => undefined }: Wrong) {
  const api = modelApi();
  const nodes = new Map(['n1', 'n2'].map((name) => [name, aNode(name, { cpu: 8 })]));
  const writer = modelWriter({ api, nodes, pools: [], statefulSets: new Map(), wrong: planner }, 0);
  const calls: Call[] = [];
  const step = () => {
    for (const kind of ['Pod', 'Lock', 'IPLock'] as const) while (writer.deliver(kind));
    writer.begin();
    for (const { write } of writer.under.splice(0)) {
      calls.push(write.call);
      writer.agenda.ended(write, answer(write.call) ?? api.do(write.call), api.now * 1000);
    }
  };
  return {
    ...{ api, calls, inventory: writer.inventory },
    run(seconds: number): void {
      for (const until = api.now + seconds; api.now < until; api.now += 0.1) step();
    },
    lock: (name: string) => api.createLock(`feed/${name}`, { ...aLock(name).spec, template: aTemplate({ cpu: 2 }) as never, owner: name }),
    phase: (name: string) => api.objects.Lock.get(`feed/${name}`)?.status?.phase,
    reasons: (name: string) => api.objects.Lock.get(`feed/${name}`)?.status?.reasons ?? [],
    isGated: (name: string) => api.objects.Pod.get(`feed/${name}`)?.gated,
    events: (on: string) => writer.notes.flatMap((note) => (note.note === 'event' && note.key === on ? [note] : [])),
    faults: () => writer.notes.filter((note) => note.note === 'log' && note.level === 'error'),
  };
}

/** Placing throws for pods with this label, or for a Lock of this owner. */
const throwsFor =
  (whose: string, until: () => boolean = () => true) =>
  (planner: Planner): Planner => ({
    ...planner,
    place(ask, count, allowPartial) {
      if ((ask.demand.labels.app === whose || ask.demand.owner === `feed/${whose}`) && until()) throw new RangeError('no such row');
      return planner.place(ask, count, allowPartial);
    },
    rejects(demand) {
      if (demand.labels.app === whose) throw new RangeError('no such row');
      return planner.rejects(demand);
    },
  });

describe('a fault while planning', () => {
  test('makes its Lock Failed, with the reason InternalError, and no other', () => {
    const bed = aBed({ planner: throwsFor('bad') });
    for (const name of ['bad', 'good']) bed.lock(name);
    bed.run(5);
    expect([bed.phase('bad'), bed.phase('good')]).toEqual(['Failed', 'Ready']);
    expect(bed.reasons('bad')).toEqual([
      { reason: 'InternalError', nodes: 0, message: expect.stringContaining('a fault of Gala: no such row.') },
    ]);
    expect(bed.faults()).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ what: 'Lock feed/bad', stack: expect.any(String) }) }),
    ]);
    expect([...bed.inventory.promises()]).toEqual([]);
  });

  test('half-way through a plan leaves nothing promised', () => {
    let promises = 0;
    const planner = (it: Planner): Planner => ({
      ...it,
      promise(key, what) {
        if (++promises === 2) throw new Error('half-way');
        it.promise(key, what);
      },
    });
    const bed = aBed({ planner });
    bed.api.createLock('feed/bad', { ...aLock('bad').spec, count: 3 });
    bed.run(5);
    expect(bed.phase('bad')).toBe('Failed');
    expect([...bed.inventory.promises()]).toEqual([]);
  });

  test('sets the pods of its shape aside with an event, and they are tried again; others get their slots', () => {
    let isBroken = true;
    const bed = aBed({ planner: throwsFor('bad', () => isBroken) });
    bed.api.createPod(aPod({ name: 'bad-0', gated: true, labels: { app: 'bad' } }));
    bed.api.createPod(aPod({ name: 'good-0', gated: true, labels: { app: 'good' } }));
    bed.run(60);
    expect([bed.isGated('bad-0'), bed.isGated('good-0')]).toEqual([true, false]);
    expect(bed.events('feed/bad-0')).toEqual([expect.objectContaining({ reason: 'InternalError' })]);
    expect(bed.faults().length).toBeLessThan(8);
    isBroken = false;
    bed.run(120);
    expect(bed.isGated('bad-0')).toBe(false);
  });

  test('when a pod is given its place leaves nothing promised, and others get theirs', () => {
    const planner = (it: Planner): Planner => ({
      ...it,
      promise(key, what) {
        it.promise(key, what);
        if (key.startsWith('feed/bad')) throw new Error('half-way');
      },
    });
    const bed = aBed({ planner });
    bed.api.createPod(aPod({ name: 'bad-0', gated: true }));
    bed.api.createPod(aPod({ name: 'good-0', gated: true, labels: { app: 'good' } }));
    bed.run(30);
    expect([bed.isGated('bad-0'), bed.isGated('good-0')]).toEqual([true, false]);
    expect([...bed.inventory.promises()]).toEqual([]);
  });

  test('anywhere in choosing who is next ends nothing', () => {
    let isBroken = true;
    const planner = (it: Planner): Planner => ({
      ...it,
      claimsOf(pod) {
        if (isBroken) throw new Error('no claims');
        return it.claimsOf(pod);
      },
    });
    const bed = aBed({ planner });
    bed.api.createPod(aPod({ name: 'a', gated: true, claims: ['data'] }));
    bed.api.createPod(aPod({ name: 'b', gated: true, labels: { app: 'good' } }));
    bed.run(30);
    expect([bed.isGated('a'), bed.isGated('b')]).toEqual([true, false]);
    isBroken = false;
    bed.run(60);
    expect(bed.events('feed/a')).toContainEqual(expect.objectContaining({ reason: 'NoVolumeClaim' }));
  });

  test('about one pod of a Lock keeps no slot from the others', () => {
    const bed = aBed({ planner: throwsFor('bad') });
    bed.api.createLock('feed/night', { ...aLock('night').spec, count: 2 });
    bed.api.createPod(aPod({ name: 'bad-0', lock: 'night', gated: true, labels: { app: 'bad' } }));
    bed.api.createPod(aPod({ name: 'good-0', lock: 'night', gated: true, labels: { app: 'good' } }));
    bed.run(30);
    expect([bed.isGated('bad-0'), bed.isGated('good-0')]).toEqual([true, false]);
    expect(bed.events('feed/bad-0')).toContainEqual(expect.objectContaining({ reason: 'InternalError' }));
  });
});

describe('a Lock whose status the API server refuses', () => {
  const refuses =
    (name: string, until: () => boolean = () => true) =>
    (call: Call): Outcome | undefined =>
      call.do === 'status' && call.object.metadata.name === name && until()
        ? { is: 'refused', reason: 'Forbidden', message: 'no right' }
        : undefined;

  test('L17 keeps its room for a minute at most, and people are told', () => {
    const bed = aBed({ answer: refuses('stuck') });
    bed.lock('stuck');
    bed.run(1);
    expect([...bed.inventory.promises()]).toHaveLength(1);
    bed.run(90);
    expect([...bed.inventory.promises()]).toEqual([]);
    expect(bed.events('feed/stuck')).toContainEqual(
      expect.objectContaining({ reason: 'StatusRefused', message: expect.stringContaining('Forbidden: no right') }),
    );
  });

  test('L17 is Failed once the API server takes its status', () => {
    let isRefused = true;
    const bed = aBed({ answer: refuses('stuck', () => isRefused) });
    bed.lock('stuck');
    bed.run(120);
    isRefused = false;
    bed.run(60);
    expect([bed.phase('stuck'), bed.reasons('stuck')[0]?.reason]).toEqual(['Failed', 'StatusRefused']);
  });

  test('L17 is planned all the same where the right to write it comes within a moment', () => {
    let isRefused = true;
    const bed = aBed({ answer: refuses('stuck', () => isRefused) });
    bed.lock('stuck');
    bed.run(3);
    isRefused = false;
    bed.run(30);
    expect(bed.phase('stuck')).toBe('Ready');
  });
});

test('a status is sent with what says whose it is, and nothing else of the Lock', () => {
  const bed = aBed({});
  bed.lock('night');
  bed.run(2);
  const statuses = bed.calls.flatMap((call) => (call.do === 'status' ? [call.object] : []));
  expect(statuses.length).toBeGreaterThan(1);
  for (const object of statuses) {
    expect(Object.keys(object).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'status']);
    expect(Object.keys(object.metadata).sort()).toEqual(['name', 'namespace', 'resourceVersion', 'uid']);
  }
});
