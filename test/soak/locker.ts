/** A locker: one user in one round. Locks, makes pods, takes them away, changes its mind; and says what should have come of it. */
import type { Lock } from '../../lib/api/kinds.ts';
import type { Stored } from '../../lib/kube/kinds.ts';
import type { Dice } from '../scheduling/dice.ts';
import { aGatedPod, type WriterBed } from '../scheduling/writer/bed-writers.ts';
import type { Witness } from './witness.ts';

export interface LockerOptions {
  readonly bed: WriterBed;
  readonly seen: Witness;
  readonly chance: Dice;
  /** Begins the names of all it makes. */
  readonly name: string;
  readonly owner: string;
}

export interface Told {
  readonly phase?: string;
  readonly pods: number;
}

const ANSWER_SECONDS = 240;

/** Leaves nothing of its own behind but what is Held. Rejects when something did not come about, or is wrong. */
export async function lockOnce({ bed, seen, chance, name, owner }: LockerOptions): Promise<Told> {
  const path = `/apis/gala.internal/v1alpha1/namespaces/feed/locks/${name}`;
  const count = chance.between(1, 12);
  const isShort = chance.chance(0.1);
  await bed.aLock(name, { count, owner, allowPartial: chance.chance(0.3), ttlSeconds: isShort ? 10 : 3_600, holdSeconds: 1_200 });
  if (chance.chance(0.15)) {
    await pause(chance.upTo(200));
    await bed.send('DELETE', path);
    return { pods: 0 };
  }
  const lock = () => seen.locks.get(`feed/${name}`);
  const settled = await until(
    `${name} is answered`,
    () => (lock()?.status?.phase === 'Planning' ? undefined : lock()?.status?.phase),
    () => JSON.stringify(lock()?.status?.phase),
  );
  if (isShort)
    await until(
      `${name} is over`,
      () => lock()?.status?.phase !== 'Ready' || undefined,
      () => '',
    );
  let pods = 0;
  if (settled === 'Ready' && !isShort) pods = await usePods({ bed, seen, chance, name, owner }, lock);
  await bed.send('DELETE', path);
  return { phase: settled, pods };
}

async function usePods({ bed, seen, chance, name }: LockerOptions, lock: () => Stored<Lock> | undefined): Promise<number> {
  let made = 0;
  const make = async (count: number, of: string | undefined) => {
    const names = Array.from({ length: count }, () => `${name}-${made++}`);
    await Promise.all(names.map((pod) => bed.send('POST', '/api/v1/namespaces/feed/pods', aGatedPod(pod, { lock: of }))));
    return names;
  };
  const gone = async (names: readonly string[]) => {
    await Promise.all(names.map((pod) => bed.remove(pod)));
    await until(
      `pods of ${name} are gone`,
      () => names.every((pod) => seen.pods.get(`feed/${pod}`) === undefined) || undefined,
      () => '',
    );
  };
  const slotted = (names: readonly string[]) => names.filter((pod) => seen.pods.get(`feed/${pod}`)?.slot !== undefined);
  const slots = lock()?.status?.slots?.length ?? 0;

  // One more than there are slots waits, and takes the first that is freed.
  let all = await make(slots + chance.upTo(2), name);
  const has = (count: number) => () => slotted(all).length >= count || undefined;
  await until(`${slots} pods of ${name} have slots`, has(slots), () => `${slotted(all).length} of ${all.length}`);
  const loose = await make(chance.upTo(3), undefined);
  if (chance.chance(0.5)) {
    const some = chance.shuffled(all).slice(0, Math.ceil(all.length / 2));
    await gone(some);
    all = [...all.filter((pod) => !some.includes(pod)), ...(await make(some.length, name))];
    await until(
      `again ${slots} pods of ${name} have slots`,
      has(Math.min(slots, all.length)),
      () => `${slotted(all).length} of ${all.length}`,
    );
  }
  const wrong = await seen.wrongWith([...all, ...loose]);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  await gone([...all, ...loose]);
  return made;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until<T>(what: string, right: () => T | undefined, now: () => string): Promise<T> {
  const end = Date.now() + ANSWER_SECONDS * 1_000;
  for (;;) {
    const found = right();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not so after ${ANSWER_SECONDS} s: ${what}; now ${now()}`);
    await pause(20);
  }
}
