/** What the status of an ec2 HostPool should say after a look: instances, and what their pods' ENIs wait for. Pure. */
import type { HostPool } from '../api/kinds.ts';
import type { Hosts } from '../network/host.ts';
import { type Finding, settled } from '../network/pool-conditions.ts';
import type { InstancePlan } from './instance-plan.ts';
import type { InstanceTaken, PoolRound } from './instance-round.ts';
import type { NodePlan } from './region-plan.ts';
import type { Taken } from './round.ts';

export type PoolStatus = NonNullable<HostPool['status']>;

/** What one of the controllers has to say of a pool. */
export interface Part {
  readonly hosts: { readonly known: number; readonly ready: number };
  readonly replicas: number;
  readonly findings: readonly Finding[];
}

/** As many as people read at once; a message holds 1,024 characters. */
const SOME = 5;
const ROOM = 900;

/**
 * The status of a pool of what both say: how many instances there are is told by who launches them, where somebody does.
 * @param now for conditions that turn; RFC 3339
 */
export function ec2PoolStatus(
  pool: Pick<HostPool, 'metadata' | 'status'>,
  { enis, instances }: { readonly enis?: Part; readonly instances?: Part },
  now: string,
): PoolStatus {
  const counts = instances ?? enis;
  return {
    ...pool.status,
    ...(pool.metadata.generation === undefined ? {} : { observedGeneration: pool.metadata.generation }),
    ...(counts === undefined ? {} : { hosts: counts.hosts, replicas: counts.replicas }),
    conditions: settled([...(enis?.findings ?? []), ...(instances?.findings ?? [])], pool.status?.conditions, now),
  };
}

export function eniPart(pool: string, plans: readonly NodePlan[], taken: readonly Taken[], hosts: Hosts): Part {
  const mine = plans.filter((plan) => plan.pool === pool).sort((a, b) => (a.name < b.name ? -1 : 1));
  const there = mine.filter(({ state }) => state !== 'gone');
  return {
    hosts: { known: there.length, ready: there.filter(({ name }) => hosts.get(name)?.ready).length },
    replicas: there.length,
    findings: [missing(mine), gone(mine), refused(mine, taken)],
  };
}

export function instancePart({ pool, plan, taken }: PoolRound, hosts: Hosts): Part {
  let ready = 0;
  for (const host of hosts.values()) if (host.pool === pool && host.ready) ready++;
  return {
    hosts: { known: plan.alive, ready: Math.min(ready, plan.alive) },
    replicas: plan.alive,
    findings: [lacking(plan, taken), draining(plan, taken), unjoined(plan), launchesRefused(taken)],
  };
}

/** Conditions of instancePart. */
export const OF_INSTANCES: readonly string[] = ['InstancesMissing', 'Draining', 'NotJoined', 'LaunchesRefused'];

function lacking({ desired, there, waits, memory }: InstancePlan, taken: readonly InstanceTaken[]): Finding {
  const type = 'InstancesMissing';
  if (there >= desired) return { type, status: 'False', reason: 'AllThere' };
  const tell = (reason: string, why: string): Finding => ({
    ...{ type, status: 'True', reason },
    message: said(`${there} of ${desired} instances are there. ${why}`),
  });
  if (waits.some((wait) => wait.for === 'launches that fail')) {
    const reasons = [...new Set(memory.failed.map(({ reason }) => reason).filter((reason) => reason !== ''))].sort();
    const ended = some(memory.failed.map(({ id }) => id));
    const words = reasons.length === 0 ? '' : `: ${some(reasons)}`;
    return tell('LaunchesFail', `What was launched ended before it was a Node (${ended})${words}. Launching pauses, longer each time.`);
  }
  const noCapacity = [...new Set(taken.flatMap(({ not, because }) => (not === 'no capacity' ? [because ?? ''] : [])))].sort();
  if (noCapacity.length === 0 && !waits.some((wait) => wait.for === 'capacity')) return tell('Launching', 'They are being launched.');
  const words = noCapacity.length === 0 ? '' : `: ${some(noCapacity)}`;
  return tell(
    'NoCapacity',
    `EC2 has no capacity for what is left to try${words}. Each is tried again after three minutes. More instanceTypes or zones, a capacity reservation or a higher quota would help.`,
  );
}

function draining({ waits }: InstancePlan, taken: readonly InstanceTaken[]): Finding {
  const type = 'Draining';
  const nodes = waits.filter((wait) => wait.for === 'pods to go').map(({ node, count }) => `${node} (${count})`);
  if (nodes.length === 0) return { type, status: 'False', reason: 'NoneLeaves' };
  const held = taken.filter(({ not }) => not === 'held').map(({ pod }) => pod ?? '');
  const by = held.length === 0 ? '' : ` Held by disruption budgets: ${some(held.sort())}.`;
  return {
    type,
    status: 'True',
    reason: held.length === 0 ? 'PodsEnd' : 'BudgetHolds',
    message: said(`Instances that are to go wait for their pods: ${some(nodes.sort())}.${by}`),
  };
}

function unjoined({ waits }: InstancePlan): Finding {
  const ids = waits.flatMap((wait) => (wait.for === 'to join' ? [wait.instanceId ?? ''] : []));
  if (ids.length === 0) return { type: 'NotJoined', status: 'False', reason: 'AllJoined' };
  return {
    ...{ type: 'NotJoined', status: 'True', reason: 'NoNode' },
    message: said(
      `Instances that run for ten minutes and are no Nodes (${ids.length}): ${some(ids.sort())}. Look at their console output, then terminate them: others are launched.`,
    ),
  };
}

function launchesRefused(taken: readonly InstanceTaken[]): Finding {
  const words = taken.flatMap(({ not, because }) => (not === 'refused' ? [because ?? ''] : []));
  return ec2Refuses('LaunchesRefused', words);
}

function missing(mine: readonly NodePlan[]): Finding {
  const lacking = mine.flatMap((node) => {
    if (node.state === 'unplanned') return [`${node.name}: ${node.because}`];
    if (node.state !== 'planned' || node.plan.slots.length >= node.instance.wanted) return [];
    const [first] = node.plan.waits;
    return [
      `${node.name} has ${node.plan.slots.length} of ${node.instance.wanted}${first === undefined ? '' : `, waits for ${forWhat(first.for)}`}`,
    ];
  });
  if (lacking.length === 0) return { type: 'EnisMissing', status: 'False', reason: 'AllAttached' };
  return {
    ...{ type: 'EnisMissing', status: 'True', reason: 'NotAttached' },
    message: said(`Instances that lack pod ENIs (${lacking.length} of ${mine.length}): ${some(lacking)}. Pods beyond them wait.`),
  };
}

const forWhat = (what: string): string =>
  ({ attaching: 'an attachment', detaching: 'a detachment', 'to be shown': 'an ENI to be shown' })[what] ?? what;

function gone(mine: readonly NodePlan[]): Finding {
  const names = mine.flatMap(({ state, name, instanceId }) => (state === 'gone' ? [`${name} (${instanceId})`] : []));
  if (names.length === 0) return { type: 'InstancesGone', status: 'False', reason: 'AllThere' };
  return {
    ...{ type: 'InstancesGone', status: 'True', reason: 'NoInstance' },
    message: said(
      `Nodes whose instance has ended (${names.length}): ${some(names)}. They are deleted once EC2 says terminated; with cloud.instances: 'leave', by you: kubectl delete node <node>.`,
    ),
  };
}

function refused(mine: readonly NodePlan[], taken: readonly Taken[]): Finding {
  const ids = new Set(mine.map(({ instanceId }) => instanceId));
  const words = taken.flatMap(({ not, because, instanceId }) =>
    not === 'refused' && instanceId !== undefined && ids.has(instanceId) ? [because ?? ''] : [],
  );
  return ec2Refuses('Ec2Refuses', words);
}

function ec2Refuses(type: string, words: readonly string[]): Finding {
  const all = [...new Set(words)].sort();
  if (all.length === 0) return { type, status: 'False', reason: 'NothingRefused' };
  return {
    ...{ type, status: 'True', reason: 'Refused' },
    message: said(
      `EC2 refuses: ${some(all)}. Rights: iam/gala-cloud.json. Addresses and quotas: docs/cloud.md. It is tried again every 30 s.`,
    ),
  };
}

const some = (all: readonly string[]): string =>
  `${all.slice(0, SOME).join('; ')}${all.length > SOME ? `; and ${all.length - SOME} more` : ''}`;
const said = (text: string): string => (text.length > ROOM ? `${text.slice(0, ROOM - 1)}…` : text);
