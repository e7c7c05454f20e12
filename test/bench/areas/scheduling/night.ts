/**
 * Night: the whole of Gala on a bed, as synth renders it, against what the same API server and the stock kube-scheduler do on
 * their own, in the same run: pods through the gate, pinned pods with and without our filter, a Lock of 1,000 addresses.
 */

import { crd } from '../../../../lib/api/crd.ts';
import { intranet } from '../../../../lib/api/definition.ts';
import { IPLock, Lock } from '../../../../lib/api/kinds.ts';
import type { KubeObject } from '../../../../lib/api/manifest.ts';
import { EXTENDER_PORT, GATE, LOOSE, POOL_TAINT, SCHEDULER_NAME, SLOT_ANNOTATION } from '../../../../lib/api/scheduling.ts';
import { type Api, connect } from '../../../../lib/kube/client.ts';
import { kindOf } from '../../../../lib/kube/kinds.ts';
import { reflect } from '../../../../lib/kube/reflector.ts';
import { type Bed, startControlPlane } from '../../../bed/control-plane.ts';
import { hostName } from '../../../bed/hosts.ts';
import { type Gala, startGala } from '../../../scheduling/gala-in-the-bed.ts';
import type { Tools } from '../../area.ts';
import { each, makeBareNodes, must } from './bare-nodes.ts';
import { bound, startKubeScheduler } from './binding.ts';

const HOSTS_PER_RACK = 40;
/** Enough to outlast a start, few enough for several runs. */
const PODS = 1000;
const ADDRESSES = 1000;
/** As the lock writer does. */
const AT_ONCE_IN_A_LOCK = 64;
const LOCKS = kindOf(Lock);
const IP_LOCKS = kindOf(IPLock);
const GATED = {
  schedulingGates: [{ name: GATE }],
  tolerations: [{ key: POOL_TAINT, operator: 'Exists', effect: 'NoSchedule' }],
};
/** The policies let the lock writer alone write what these measurements write; its rights don't include making pods. */
const AS_WRITER = { 'impersonate-user': 'system:serviceaccount:gala-system:gala-scheduler', 'impersonate-group': 'system:masters' };

/** A definition whose pool `web` has the hosts that `makeBareNodes` makes. */
export function nightOf(hosts: number) {
  const racks = Math.ceil(hosts / HOSTS_PER_RACK);
  const nameOf = (rack: number) => hostName(rack * HOSTS_PER_RACK).slice(0, -3);
  return {
    name: 'night',
    kubernetes: '1.37',
    apiServer: 'https://10.8.0.10:6443',
    concerns: ['scheduling'],
    pools: {
      web: intranet({
        racks: Object.fromEntries(
          Array.from({ length: racks }, (_, rack) => [nameOf(rack).slice('trial-'.length), `${nameOf(rack)}-[01-${HOSTS_PER_RACK}]`]),
        ),
        trunk: 'bond0',
        vlans: { 110: { subnet: '10.96.0.0/12', gateway: '10.96.0.1', addresses: '10.97.0.0-10.98.255.255' } },
        machine: { cpu: 64, memory: '256Gi' },
        locks: 'advisory',
      }),
    },
  } as const;
}

export interface Night {
  /** Pods a second, one value a run. */
  readonly default: number[];
  /** Both with Gala's policies and watches there: what differs is the filter. */
  readonly pinned: number[];
  readonly filtered: number[];
  /** Pods that the API server puts behind the gate. */
  readonly gated: number[];
  /** Pods whose template brings gate and toleration. */
  readonly templated: number[];
  /** Seconds, upper bound of the histogram's bucket that holds the 99th percentile. */
  readonly filterP99: number;
  /** Creates a second. */
  readonly bare: number[];
  readonly locked: number[];
}

/** @param hosts simulated, without kubelets */
export async function aNight(hosts: number, runs: number, { say }: Tools): Promise<Night> {
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  try {
    await makeBareNodes(bed, hosts);
    say(`${hosts} hosts are there`);
    const night: Night = { default: [], pinned: [], filtered: [], gated: [], templated: [], filterP99: Number.NaN, bare: [], locked: [] };
    const plain = { schedulerName: 'plain', port: 10_401 };
    const filtering = { schedulerName: 'filtering', port: 10_402, extenderPort: EXTENDER_PORT };
    // On the host's network they need no address: one would have to be locked for each, by a UID that nobody knows before.
    const asPinned = { count: PODS, pinnedOver: 500, hostNetwork: true, annotations: { [SLOT_ANNOTATION]: LOOSE }, headers: AS_WRITER };
    await among(bed, [plain], async () => {
      for (let run = 0; run < runs; run++)
        night.default.push(await bound(bed, { name: `default-${run}`, count: PODS, schedulerName: plain.schedulerName }));
    });
    // The kind alone: a lock writer would sweep addresses that no Lock and no pod has.
    await bed.apply([crd(IPLock) as unknown as KubeObject]);
    for (let run = 0; run < runs; run++) night.bare.push(await bareCreates(bed));
    say(`stock scheduler: ${perSecond(night.default)}`);
    const gala = await startGala(bed, { definition: nightOf(hosts), schedulers: 1 });
    const api = await connect({ kubeconfig: bed.kubeconfig });
    try {
      const throughGate = async (name: string, spec?: Record<string, unknown>) => {
        const rate = await bound(bed, { name, count: PODS, schedulerName: SCHEDULER_NAME, spec });
        await settled(api);
        return rate;
      };
      for (let run = 0; run < runs; run++) {
        night.gated.push(await throughGate(`gated-${run}`));
        night.templated.push(await throughGate(`templated-${run}`, GATED));
      }
      Object.assign(night, { filterP99: await filterP99(gala) });
      say(`through the gate: ${perSecond(night.gated)}; with the gate in the template: ${perSecond(night.templated)}`);
      say(`filter p99 within ${night.filterP99 * 1000} ms`);
      await among(bed, [plain, filtering], async () => {
        for (let run = 0; run < runs; run++) {
          night.pinned.push(await bound(bed, { ...asPinned, name: `pinned-${run}`, schedulerName: plain.schedulerName }));
          night.filtered.push(await bound(bed, { ...asPinned, name: `filtered-${run}`, schedulerName: filtering.schedulerName }));
        }
      });
      say(`pinned pods: ${perSecond(night.pinned)}; with our filter: ${perSecond(night.filtered)}`);
      for (let run = 0; run < runs; run++) {
        night.locked.push(await lockedAtOnce(api, run));
      }
      say(`addresses: ${perSecond(night.locked)} by a Lock, ${perSecond(night.bare)} by bare creates`);
    } finally {
      api.close();
      await gala.stop();
    }
    return night;
  } finally {
    await bed.stop();
  }
}

async function among(bed: Bed, schedulers: readonly Parameters<typeof startKubeScheduler>[1][], act: () => Promise<void>): Promise<void> {
  const started = await Promise.all(schedulers.map((one) => startKubeScheduler(bed, one)));
  try {
    await act();
  } finally {
    await Promise.all(started.map((scheduler) => scheduler.kill()));
  }
}

/** Resolves when every address is as the lock writer leaves it: what it does afterwards must not be part of the next run. */
async function settled(api: Api, right: (spec: IPLock['spec']) => boolean = ({ phase }) => phase === 'Held'): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await api.list(IP_LOCKS)).items.every(({ spec }) => right(spec))) {
    if (performance.now() > deadline) throw new Error('addresses are not free again after 120 s');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** From the program's own histogram, over every pod that went through the gate. @returns seconds */
async function filterP99(gala: Gala): Promise<number> {
  const page = await gala.schedulers[0]!.page('/metrics');
  const upTo = new Map<number, number>();
  for (const [, le, count] of page.matchAll(/^gala_extender_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)$/gm)) {
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    upTo.set(bound, (upTo.get(bound) ?? 0) + Number(count));
  }
  const all = upTo.get(Number.POSITIVE_INFINITY) ?? 0;
  if (all === 0) throw new Error('the extender was never asked');
  return [...upTo].sort(([a], [b]) => a - b).find(([, count]) => count >= all * 0.99)![0];
}

/** What the API server does when it is only asked to create: the same kind of objects, as many at once. */
async function bareCreates(bed: Bed): Promise<number> {
  const name = (index: number) => `10.99.${index >> 8}.${index & 255}`;
  const path = '/apis/gala.internal/v1alpha1/iplocks';
  const began = performance.now();
  await each(ADDRESSES, (index) => must(bed.request('POST', path, anIPLock(name(index))), 201), AT_ONCE_IN_A_LOCK);
  const seconds = (performance.now() - began) / 1000;
  await each(ADDRESSES, (index) => must(bed.request('DELETE', `${path}/${name(index)}`), 200));
  return ADDRESSES / seconds;
}

const anIPLock = (name: string) => ({
  apiVersion: 'gala.internal/v1alpha1',
  kind: 'IPLock',
  metadata: { name },
  spec: {
    phase: 'Locked',
    node: hostName(0),
    mac: '02:67:0a:63:00:01',
    owner: 'default/bare',
    lock: { namespace: 'default', name: 'bare' },
  },
});

/** One Lock, from its create to Ready. It is watched: to ask for 1,000 slots over and over would be work of its own. */
async function lockedAtOnce(api: Api, run: number): Promise<number> {
  const id = { namespace: 'default', name: `thousand-${run}` };
  const ending = new AbortController();
  const locks = reflect(api, LOCKS, { namespace: id.namespace, signal: ending.signal });
  try {
    await locks.synced;
    const ready = new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the Lock is not Ready after 120 s')), 120_000);
      locks.on({
        updated(_, { metadata, status }) {
          if (metadata.name !== id.name || (status?.phase !== 'Ready' && status?.phase !== 'Failed')) return;
          clearTimeout(late);
          if (status.phase === 'Failed') reject(new Error(`the Lock failed: ${JSON.stringify(status.reasons)}`));
          else resolve(performance.now());
        },
      });
    });
    const began = performance.now();
    const [readyMs] = await Promise.all([ready, api.create(LOCKS, aThousand(id))]);
    return ADDRESSES / ((readyMs - began) / 1000);
  } finally {
    ending.abort();
    await locks.stopped;
    await api.delete(LOCKS, id);
    await settled(api, ({ lock }) => lock?.name !== id.name);
  }
}

const aThousand = (id: { readonly namespace: string; readonly name: string }) =>
  ({
    metadata: id,
    spec: {
      count: ADDRESSES,
      owner: id.name,
      ttlSeconds: 3600,
      template: {
        spec: {
          containers: [{ name: 'main', image: 'main:1', resources: { requests: { cpu: '100m' } } }],
          tolerations: [{ key: POOL_TAINT, operator: 'Exists' }],
        },
      },
    },
  }) as never;

const perSecond = (runs: readonly number[]) => `${runs.map((run) => run.toFixed(0)).join(', ')} a second`;
