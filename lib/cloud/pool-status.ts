/** What the status of an ec2 HostPool should say after a look: instances, and what their pods' ENIs wait for. Pure. */
import type { HostPool } from '../api/kinds.ts';
import type { Hosts } from '../network/host.ts';
import { type Finding, settled } from '../network/pool-conditions.ts';
import type { NodePlan } from './region-plan.ts';
import type { Taken } from './round.ts';

export type PoolStatus = NonNullable<HostPool['status']>;

/** As many as people read at once; a message holds 1,024 characters. */
const SOME = 5;
const ROOM = 900;

/** @param now for conditions that turn; RFC 3339 */
export function ec2PoolStatus(
  pool: Pick<HostPool, 'metadata' | 'status'>,
  plans: readonly NodePlan[],
  taken: readonly Taken[],
  hosts: Hosts,
  now: string,
): PoolStatus {
  const mine = plans.filter((plan) => plan.pool === pool.metadata.name).sort((a, b) => (a.name < b.name ? -1 : 1));
  const there = mine.filter(({ state }) => state !== 'gone');
  return {
    ...(pool.metadata.generation === undefined ? {} : { observedGeneration: pool.metadata.generation }),
    hosts: { known: there.length, ready: there.filter(({ name }) => hosts.get(name)?.ready).length },
    replicas: there.length,
    conditions: settled([missing(mine), gone(mine), refused(mine, taken)], pool.status?.conditions, now),
  };
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
      `Nodes whose instance has ended (${names.length}): ${some(names)}. kubectl delete node <node>, where no cloud provider does it.`,
    ),
  };
}

function refused(mine: readonly NodePlan[], taken: readonly Taken[]): Finding {
  const ids = new Set(mine.map(({ instanceId }) => instanceId));
  const words = taken.flatMap(({ not, because, instanceId }) =>
    not === 'refused' && instanceId !== undefined && ids.has(instanceId) ? [because ?? ''] : [],
  );
  const all = [...new Set(words)].sort();
  if (all.length === 0) return { type: 'Ec2Refuses', status: 'False', reason: 'NothingRefused' };
  return {
    ...{ type: 'Ec2Refuses', status: 'True', reason: 'Refused' },
    message: said(
      `EC2 refuses: ${some(all)}. Rights: iam/gala-cloud.json. Addresses and quotas: docs/cloud.md. It is tried again every 30 s.`,
    ),
  };
}

const some = (all: readonly string[]): string =>
  `${all.slice(0, SOME).join('; ')}${all.length > SOME ? `; and ${all.length - SOME} more` : ''}`;
const said = (text: string): string => (text.length > ROOM ? `${text.slice(0, ROOM - 1)}…` : text);
