/** Region status: what `gala cloud` says of a region after a round, for people: pools, orphans, what is left of its budget. Pure. */
import { type Left, OF_INTEREST } from './budget.ts';
import type { NodePlan } from './region-plan.ts';
import type { Round } from './round.ts';

/** A key of the ConfigMap, and what `gala cloud status -o json` prints of a region. */
export interface RegionStatus {
  /** When it looked last; RFC 3339. */
  readonly at: string;
  /** Pod ENIs of this cluster, wherever they are. With none left, and no pool, the region is looked at no more. */
  readonly enis: number;
  readonly orphans: {
    readonly become: 'delete' | 'list';
    readonly count: number;
    readonly oldestSeconds: number;
    readonly ids: readonly string[];
  };
  /** Calls that are left of its own budget, of the APIs that change something. */
  readonly budget: Readonly<Record<string, Left>>;
  readonly pools: Readonly<Record<string, PoolEnis>>;
  readonly lastError?: { readonly at: string; readonly message: string };
}

export interface PoolEnis {
  readonly instances: number;
  /** Nodes whose instance has ended. */
  readonly gone: number;
  readonly enis: { readonly wanted: number; readonly attached: number; readonly attaching: number; readonly creating: number };
}

export interface Said {
  readonly at: string;
  readonly become: 'delete' | 'list';
  readonly left: (api: string) => Left;
  readonly before?: RegionStatus['lastError'];
}

/** As many as people look up. */
const SOME = 5;

export function regionStatus({ plan, taken }: Pick<Round, 'plan' | 'taken'>, { at, become, left, before }: Said): RegionStatus {
  const pools: Record<string, PoolEnis> = {};
  for (const node of [...plan.nodes].sort((a, b) => (a.pool < b.pool ? -1 : 1)))
    pools[node.pool] = withNode(pools[node.pool] ?? NONE, node);
  const { orphans } = plan.orphans;
  const wrong = taken.find(({ not }) => not === 'refused' || not === 'no answer');
  const lastError = wrong === undefined ? before : { at, message: wrong.because ?? `${wrong.what}: ${wrong.not}` };
  return {
    ...{ at, enis: plan.ours },
    orphans: {
      ...{ become, count: orphans.length, oldestSeconds: Math.round((orphans[0]?.sinceMs ?? 0) / 1000) },
      ids: orphans.slice(0, SOME).map(({ id }) => id),
    },
    budget: Object.fromEntries(OF_INTEREST.map((api) => [api, left(api)])),
    pools,
    ...(lastError === undefined ? {} : { lastError }),
  };
}

/** A round that did not come to its end: EC2 does not answer, or there are no credentials. What was known stays. */
export const failedStatus = (
  before: RegionStatus | undefined,
  at: string,
  message: string,
  said: Omit<Said, 'at' | 'before'>,
): RegionStatus => ({
  ...(before ?? regionStatus({ plan: NOTHING, taken: [] }, { ...said, at })),
  lastError: { at, message },
});

const NOTHING = { nodes: [], ours: 0, orphans: { orphans: [], delete: [], sightings: {} } } as unknown as Round['plan'];
const NONE: PoolEnis = { instances: 0, gone: 0, enis: { wanted: 0, attached: 0, attaching: 0, creating: 0 } };

function withNode({ instances, gone, enis }: PoolEnis, node: NodePlan): PoolEnis {
  if (node.state === 'gone') return { instances, gone: gone + 1, enis };
  if (node.state === 'unplanned') return { instances: instances + 1, gone, enis };
  const { steps, waits, slots } = node.plan;
  const steppedBy = (what: string) => steps.filter((step) => step.do === what).length;
  const waitingFor = (what: string) => waits.filter((wait) => wait.for === what).length;
  return {
    instances: instances + 1,
    gone,
    enis: {
      wanted: enis.wanted + node.instance.wanted,
      attached: enis.attached + slots.length,
      attaching: enis.attaching + steppedBy('attach') + waitingFor('attaching'),
      creating: enis.creating + steppedBy('create') + waitingFor('to be shown'),
    },
  };
}
