/**
 * The life of an IPLock, cell by cell on the real API server: from each phase to each phase, with each field kept, changed,
 * given and left out. The page's table (TRANSITIONS) says what must come out.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { crd } from '../../lib/api/crd.ts';
import { type May, PHASES, TRANSITIONS } from '../../lib/api/ip-lock.ts';
import { IPLock } from '../../lib/api/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { create, judgeChange, pathOf } from './kinds-server.ts';

type Phase = (typeof PHASES)[number];
interface Fields {
  readonly node: string;
  readonly podUID?: string;
  readonly lock?: { readonly namespace: string; readonly name: string };
}
type Field = keyof Fields;

const { mac, owner } = IPLock.example;
const FIRST = { node: 'n1', podUID: '11111111-d9cb-469f-a165-70867728950e', lock: { namespace: 'feed', name: 'one' } } as const;
const OTHER = { node: 'n9', podUID: '22222222-d9cb-469f-a165-70867728950e', lock: { namespace: 'feed', name: 'two' } } as const;

/** What was there, and what is asked for, by what the table calls it. */
type Ask = 'kept' | 'changed' | 'dropped' | 'given' | 'still left out';
const ASKS: readonly { readonly ask: Ask; readonly there: boolean; readonly gets?: 'first' | 'other' }[] = [
  { ask: 'kept', there: true, gets: 'first' },
  { ask: 'changed', there: true, gets: 'other' },
  { ask: 'dropped', there: true },
  { ask: 'given', there: false, gets: 'other' },
  { ask: 'still left out', there: false },
];
const ALLOWS: Readonly<Record<May, readonly Ask[]>> = {
  same: ['kept', 'still left out'],
  once: ['kept', 'given', 'still left out'],
  any: ['kept', 'changed', 'dropped', 'given', 'still left out'],
  'left out': ['dropped', 'still left out'],
  'same or left out': ['kept', 'dropped', 'still left out'],
};

describeBed('an IPLock on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let count = 0;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    await bed.apply([crd(IPLock)]);
  });
  afterAll(() => bed.stop());

  /** An IPLock in a phase; it becomes Held only from another phase. */
  async function inPhase(phase: Phase, fields: Fields): Promise<string> {
    count += 1;
    const name = `10.8.${count >> 8}.${count & 255}`;
    const made = phase === 'Held' ? 'Locked' : phase;
    await create(bed.request, IPLock, { mac, owner, ...fields, phase: made }, name);
    if (phase === 'Held') {
      const merge = { 'content-type': 'application/merge-patch+json' };
      const { status } = await bed.request('PATCH', `${pathOf(IPLock)}/${name}`, { spec: { phase } }, merge);
      expect(status).toBe(200);
    }
    return name;
  }

  const change = async (from: Phase, to: Phase, before: Fields, after: Fields) => {
    const nothing = { podUID: null, lock: null };
    return judgeChange(bed.request, IPLock, await inPhase(from, before), { spec: { ...nothing, ...after, phase: to } });
  };

  /** A phase that needs or refuses a pod has it so; what is not asked about stays. */
  const without = (fields: Fields, field: Field): Fields => {
    const { [field]: _, ...rest } = fields;
    return rest as Fields;
  };
  const withPod = (phase: Phase) => phase !== 'Held';

  const cells = TRANSITIONS.flatMap((way) =>
    (['node', 'podUID', 'lock'] as const).flatMap((field) => ASKS.map((one) => ({ ...way, field, may: way[field], ...one }))),
  )
    .filter(({ field, ask }) => field !== 'node' || ask === 'kept' || ask === 'changed')
    // A Bound address always has its pod, a Held one never: these cells can't be asked for.
    .filter(({ field, from, there }) => field !== 'podUID' || (from === 'Bound' ? there : from === 'Held' ? !there : true))
    .filter(({ field, to, ask }) => field !== 'podUID' || to !== 'Bound' || ask !== 'still left out');

  test.each(cells)('$from → $to: $field $ask', async ({ from, to, field, may, ask, there, gets }) => {
    const asked = { first: FIRST, other: OTHER };
    const all = withPod(from) ? FIRST : without(FIRST, 'podUID');
    const before = there ? all : without(all, field);
    const kept = withPod(to) ? before : without(before, 'podUID');
    const after = gets === undefined ? without(kept, field) : { ...kept, [field]: asked[gets][field] };
    const { accepted, message } = await change(from, to, before, after);
    expect([accepted, message]).toEqual([ALLOWS[may].includes(ask), ALLOWS[may].includes(ask) ? '' : expect.stringContaining(field)]);
  });

  const missing = PHASES.flatMap((from) => PHASES.map((to) => ({ from, to }))).filter(
    ({ from, to }) => !TRANSITIONS.some((way) => way.from === from && way.to === to),
  );

  test.each(missing)('$from → $to is refused', async ({ from, to }) => {
    const before = withPod(from) ? FIRST : without(FIRST, 'podUID');
    const after = withPod(to) ? { ...before, podUID: FIRST.podUID } : without(before, 'podUID');
    expect(await change(from, to, before, after)).toMatchObject({
      accepted: false,
      message: expect.stringContaining(`phase ${from} does not become ${to}`),
    });
  });

  test.each(TRANSITIONS)('$from → $to: never the mac, never the owner', async ({ from, to }) => {
    const before = withPod(from) ? FIRST : without(FIRST, 'podUID');
    const name = await inPhase(from, before);
    for (const other of [{ mac: '02:67:0a:6e:02:26' }, { owner: 'feed/other' }]) {
      const podUID = withPod(to) && withPod(from) ? FIRST.podUID : null;
      expect([other, await judgeChange(bed.request, IPLock, name, { spec: { phase: to, podUID, ...other } })]).toMatchObject([
        other,
        { accepted: false, message: expect.stringContaining(`${Object.keys(other)[0]} is immutable`) },
      ]);
    }
  });

  test('an address goes from Locked to Bound to Held, and to the next pod on another node', async () => {
    const name = await inPhase('Locked', without(FIRST, 'podUID'));
    const merge = { 'content-type': 'application/merge-patch+json' };
    const steps = [
      { podUID: FIRST.podUID },
      { phase: 'Bound' },
      { phase: 'Held', podUID: null },
      { lock: null },
      { phase: 'Locked', ...OTHER },
      { phase: 'Bound' },
      { phase: 'Quarantined' },
    ];
    for (const spec of steps)
      expect([spec, (await bed.request('PATCH', `${pathOf(IPLock)}/${name}`, { spec }, merge)).status]).toEqual([spec, 200]);
  });
});
