/** The condition Advisory: whether other pods may come to a node of the Lock, so that its slots hold no more than they can. Pure. */
import type { Lock } from '../../api/kinds.ts';
import type { Desk } from './desk.ts';
import type { ListedSlot } from './keep.ts';

type Status = NonNullable<Lock['status']>;

export function advisory(slots: readonly ListedSlot[], before: Status | undefined, { planner, options }: Desk): Status['conditions'] {
  const open = [...new Set(slots.map(({ node }) => node))].filter((node) => planner.open(node));
  const isOpen = open.length > 0;
  const status = isOpen ? ('True' as const) : ('False' as const);
  const last = before?.conditions?.find(({ type }) => type === 'Advisory');
  const others = before?.conditions?.filter(({ type }) => type !== 'Advisory') ?? [];
  const lastTransitionTime = last?.status === status ? last.lastTransitionTime : (options.wallClock?.() ?? new Date()).toISOString();
  const reason = isOpen ? 'OpenNodes' : 'TaintedPools';
  const message = isOpen
    ? `pods without a lock may come to ${open.length === 1 ? open[0] : `${open.length} nodes, ${open[0]} for one`}, and take what is locked there`
    : 'no pod comes to these nodes without a lock';
  return [...others, { type: 'Advisory', status, reason, message, lastTransitionTime }];
}
