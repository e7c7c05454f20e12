/** What `gala controller` counts, beside what every program does: hosts and addresses of intranet pools, steps of NodeNetworks. */
import type { Registry } from 'prom-client';
import type { PoolStatus } from '../network/pool-status.ts';

export interface ControllerMetrics {
  /** What the status of a pool says now; undefined when there is no such pool any more. */
  pool(name: string, status: PoolStatus | undefined): void;
  step(did: string): void;
  /** Another leads and tells: two sources of one number would be added up. */
  forgetPools(): void;
}

export async function controllerMetrics(registry: Registry): Promise<ControllerMetrics> {
  const { Counter, Gauge } = await import('prom-client');
  const registers = [registry];
  const hosts = new Gauge({
    name: 'gala_pool_hosts',
    help: 'Hosts of an intranet pool: known from racks, ready as Nodes.',
    labelNames: ['pool', 'state'] as const,
    registers,
  });
  const addresses = new Gauge({
    name: 'gala_pool_addresses',
    help: 'Addresses of a VLAN: total that pods may have; of these locked, bound, held, quarantined.',
    labelNames: ['pool', 'vlan', 'state'] as const,
    registers,
  });
  const steps = new Counter({
    name: 'gala_node_network_steps_total',
    help: 'NodeNetworks created, updated, replaced and deleted.',
    labelNames: ['step'] as const,
    registers,
  });
  /** By pool the VLANs that were told of, so that those that went are not told of for ever. */
  const told = new Map<string, readonly string[]>();
  const STATES = ['total', 'locked', 'bound', 'held', 'quarantined'] as const;

  function forget(pool: string, except: readonly string[] = []): void {
    for (const vlan of told.get(pool) ?? [])
      if (!except.includes(vlan)) for (const state of STATES) addresses.remove({ pool, vlan, state });
  }

  return {
    pool(pool, status) {
      const vlans = status?.vlans ?? [];
      const ids = vlans.map(({ id }) => String(id));
      forget(pool, ids);
      if (status === undefined) {
        told.delete(pool);
        for (const state of ['known', 'ready']) hosts.remove({ pool, state });
        return;
      }
      told.set(pool, ids);
      hosts.set({ pool, state: 'known' }, status.hosts?.known ?? 0);
      hosts.set({ pool, state: 'ready' }, status.hosts?.ready ?? 0);
      for (const { id, total, quarantined, taken } of vlans) {
        const counts = { total, quarantined, locked: taken?.locked ?? 0, bound: taken?.bound ?? 0, held: taken?.held ?? 0 };
        for (const state of STATES) addresses.set({ pool, vlan: String(id), state }, counts[state]);
      }
    },
    step: (did) => steps.inc({ step: did }),
    forgetPools() {
      told.clear();
      hosts.reset();
      addresses.reset();
    },
  };
}
