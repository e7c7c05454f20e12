/** What `gala cloud` counts, beside what every program does: calls of EC2, pod ENIs, orphans. */
import type { Registry } from 'prom-client';
import type { InstanceRound } from './instance-round.ts';
import type { Round } from './round.ts';

export interface CloudMetrics {
  call(region: string, api: string, code: string | undefined): void;
  round(region: string, round: Round): void;
  instances(round: InstanceRound): void;
  /** Another leads and tells: two sources of one number would be added up. */
  forget(): void;
}

export async function cloudMetrics(registry: Registry): Promise<CloudMetrics> {
  const { Counter, Gauge } = await import('prom-client');
  const registers = [registry];
  const calls = new Counter({
    name: 'gala_ec2_calls_total',
    help: 'Calls of EC2, by what it answered: ok, or its error code.',
    labelNames: ['region', 'api', 'code'] as const,
    registers,
  });
  const enis = new Gauge({
    name: 'gala_pod_enis',
    help: 'Pod ENIs of the instances of a pool: wanted, and attached.',
    labelNames: ['pool', 'state'] as const,
    registers,
  });
  const instances = new Gauge({
    name: 'gala_pool_instances',
    help: 'Instances of an ec2 pool: desired, and alive.',
    labelNames: ['pool', 'state'] as const,
    registers,
  });
  const orphans = new Gauge({
    name: 'gala_eni_orphans',
    help: 'Free pod ENIs that nobody will use; they are deleted when that was so for ten minutes.',
    labelNames: ['region'] as const,
    registers,
  });
  return {
    call: (region, api, code) => calls.inc({ region, api, code: code ?? 'ok' }),
    round(region, { plan }) {
      const counts = new Map<string, { wanted: number; attached: number }>();
      for (const node of plan.nodes) {
        const count = counts.get(node.pool) ?? { wanted: 0, attached: 0 };
        counts.set(node.pool, count);
        if (node.state !== 'planned') continue;
        count.wanted += node.instance.wanted;
        count.attached += node.plan.slots.length;
      }
      for (const [pool, count] of counts) for (const state of ['wanted', 'attached'] as const) enis.set({ pool, state }, count[state]);
      orphans.set({ region }, plan.orphans.orphans.length);
    },
    instances({ pools }) {
      for (const { pool, plan } of pools) {
        instances.set({ pool, state: 'desired' }, plan.desired);
        instances.set({ pool, state: 'alive' }, plan.alive);
      }
    },
    forget() {
      enis.reset();
      instances.reset();
      orphans.reset();
    },
  };
}
