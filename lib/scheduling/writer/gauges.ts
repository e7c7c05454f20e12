/** What there is, as gauges: the leader's alone, so that replicas may be summed. What happens is counted in ../metrics.ts. */
import type { Registry } from 'prom-client';
import type { World } from '../world.ts';
import type { WriterOptions } from './run.ts';

/** @returns for `runWriter` */
export async function writerGauges(
  registry: Registry,
  { locks, ipLocks }: Pick<World, 'locks' | 'ipLocks'>,
): Promise<NonNullable<WriterOptions['onWork']>> {
  const { Gauge } = await import('prom-client');
  const registers = [registry];
  let leading: { readonly waiting: number } | undefined;

  function gauge<const L extends string>(name: string, help: string, label: L, count: () => Iterable<readonly [string, number]>): void {
    new Gauge({
      ...{ name, help, labelNames: [label] as const, registers },
      collect() {
        this.reset();
        if (leading === undefined) return;
        for (const [value, number] of count()) this.set({ [label]: value } as Record<L, string>, number);
      },
    });
  }
  gauge('gala_locks', 'Locks by phase.', 'phase', () => tally(locks.values(), ({ status }) => [status?.phase ?? 'New', 1]));
  gauge('gala_lock_slots', 'Slots of Ready Locks: planned, and of these used.', 'state', () => {
    const all = { planned: 0, used: 0 };
    for (const { status } of locks.values()) {
      if (status?.phase !== 'Ready') continue;
      all.planned += status.counts?.planned ?? 0;
      all.used += status.counts?.used ?? 0;
    }
    return Object.entries(all);
  });
  gauge('gala_addresses', 'Taken addresses by phase.', 'phase', () => tally(ipLocks.values(), ({ spec }) => [spec.phase, 1]));
  new Gauge({
    ...{ name: 'gala_lock_writer_pods_waiting', help: 'Pods behind the gate that wait for a slot.', registers },
    collect() {
      this.reset();
      if (leading !== undefined) this.set(leading.waiting);
    },
  });

  return (work) => {
    leading = work;
  };
}

function tally<T>(all: Iterable<T>, of: (one: T) => readonly [string, number]): Map<string, number> {
  const found = new Map<string, number>();
  for (const one of all) {
    const [key, more] = of(one);
    found.set(key, (found.get(key) ?? 0) + more);
  }
  return found;
}
