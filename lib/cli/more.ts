/** What would make more of a stock that addresses limit: those Held for others, and how they come free. Pure. */
import type { IPLock } from '../api/kinds.ts';
import type { PoolFit } from '../scheduling/types.ts';
import { type Networks, type Pools, placeOf } from './address-place.ts';
import { counted } from './amount.ts';

/** Addresses of one owner in one pool. */
export interface More {
  readonly pool: string;
  readonly addresses: number;
  /** `<namespace>/<name>` */
  readonly owner: string;
  /** The Lock they are Held for, `<namespace>/<name>`; without one they come free by themselves. */
  readonly lock?: string;
}

interface Asked {
  /** Of the pods that are asked about. */
  readonly namespace: string;
  readonly owner?: string;
  readonly pools: readonly Pick<PoolFit, 'pool' | 'limits'>[];
}

/** @returns the most first; what this owner's own pods would get back is counted already */
export function moreOf(
  { namespace, owner, pools }: Asked,
  ipLocks: Iterable<{ readonly metadata: { readonly name: string }; readonly spec: IPLock['spec'] }>,
  hostPools: Pools,
  networks: Networks,
): More[] {
  const short = new Set(pools.filter(({ limits }) => limits.some(({ limit }) => limit === 'addresses')).map(({ pool }) => pool));
  const found = new Map<string, More>();
  if (short.size === 0) return [];
  const [places, slots] = [[...hostPools], [...networks]];
  for (const { metadata, spec } of ipLocks) {
    if (spec.phase !== 'Held' || spec.owner === owner) continue;
    const place = placeOf(metadata.name, places, slots);
    if (place === undefined || !short.has(place.pool)) continue;
    if (place.is === 'vlan' && place.namespaces !== undefined && !place.namespaces.includes(namespace)) continue;
    const lock = spec.lock && `${spec.lock.namespace}/${spec.lock.name}`;
    const key = JSON.stringify([place.pool, lock ?? spec.owner, lock === undefined]);
    const { addresses } = found.get(key) ?? { addresses: 0 };
    found.set(key, { pool: place.pool, addresses: addresses + 1, owner: spec.owner, ...(lock === undefined ? {} : { lock }) });
  }
  return [...found.values()].sort((a, b) => b.addresses - a.addresses || (a.owner < b.owner ? -1 : 1));
}

/** Most owners that are told one by one. */
const FEW = 3;

/** A line a pool: `More on web: 26 addresses are Held for feed/feed-old (gala unlock feed-old-1187 -n feed).` */
export function moreText(more: readonly More[]): string[] {
  return [...Map.groupBy(more, ({ pool }) => pool)].map(([pool, of]) => {
    const all = of.reduce((sum, { addresses }) => sum + addresses, 0);
    const some = of.slice(0, FEW).map((one) => (of.length === 1 ? wayOf(one) : `${one.addresses} ${wayOf(one)}`));
    const rest = of.length - some.length;
    return `More on ${pool}: ${counted(all, 'address', 'addresses')} ${all === 1 ? 'is' : 'are'} Held ${some.join(', ')}${rest === 0 ? '' : `, and for ${counted(rest, 'other')}`}.`;
  });
}

function wayOf({ owner, lock }: More): string {
  const [namespace, name] = lock?.split('/') ?? [];
  const way = lock === undefined ? `within 10 m by themselves; now: gala ips free --held ${owner}` : `gala unlock ${name} -n ${namespace}`;
  return `for ${owner} (${way})`;
}
