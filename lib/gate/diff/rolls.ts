/** Pod templates: whose pods are replaced by a change, and how many at a time. */
import type { KubeObject } from '../../api/manifest.ts';
import { within } from '../shape.ts';
import type { Leaf } from './leaves.ts';

const ROLLING: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet']);

/** The differences that replace pods: all of them below spec.template. */
export function templateChanges({ kind }: KubeObject, changed: readonly Leaf[]): Leaf[] {
  return ROLLING.has(kind) ? changed.filter(({ path }) => path[0] === 'spec' && path[1] === 'template') : [];
}

/** How the workload replaces its pods: `10% at a time`; defaults are the API server's. */
export function pace(workload: KubeObject, nodes: number | undefined): string {
  const strategy = within(workload, 'spec', workload.kind === 'Deployment' ? 'strategy' : 'updateStrategy');
  if (strategy.type === 'OnDelete') return 'each pod when somebody deletes it (OnDelete)';
  if (strategy.type === 'Recreate') return 'all pods stop, then all start (Recreate)';
  const { maxUnavailable, maxSurge, partition } = within(strategy, 'rollingUpdate');
  switch (workload.kind) {
    case 'DaemonSet':
      return isSome(maxSurge) ? `${maxSurge} new ones before the old go` : hosts(maxUnavailable ?? 1, nodes);
    case 'StatefulSet':
      return `${maxUnavailable ?? 1} at a time, from the last${isSome(partition) ? `, down to ordinal ${partition}` : ''}`;
    default:
      return `${maxUnavailable ?? '25%'} down and ${maxSurge ?? '25%'} more at a time`;
  }
}

function hosts(maxUnavailable: unknown, nodes: number | undefined): string {
  if (nodes === undefined) return `${maxUnavailable} of its hosts at a time`;
  const percent = /^(\d+)%$/.exec(String(maxUnavailable))?.[1];
  // The DaemonSet controller rounds maxUnavailable up (intstr.GetScaledValueFromIntOrPercent, roundUp).
  const count = percent === undefined ? Number(maxUnavailable) : Math.ceil((Number(percent) * nodes) / 100);
  return `${nodes} ${nodes === 1 ? 'host' : 'hosts'}, ${Math.min(count, nodes)} at a time`;
}

function isSome(value: unknown): boolean {
  return value !== undefined && value !== 0 && value !== '0' && value !== '0%';
}
