/**
 * The next step of a pod that has its slot and isn't bound: kube-scheduler says no, or its node went away meanwhile. Pure.
 *
 * Its affinity can't be changed any more (the gate is gone), so after 30 s it is deleted where its controller makes the next one, and
 * that could be given another node; where it is not known to, or another node would change nothing, people are told. No eviction: it
 * never ran, and no disruption budget counts it.
 */
import { GROUP } from '../../api/resource.ts';
import type { Controller, PodFacts } from '../facts.ts';
import { NOT_READY, type NodeFacts, UNSCHEDULABLE, untolerated } from '../node.ts';

export const PATIENCE_MS = 30_000;

export type PinnedStep =
  | { readonly do: 'wait'; readonly ms?: number }
  | { readonly do: 'delete'; readonly because: string }
  | { readonly do: 'tell'; readonly because: string };

/**
 * Why the pod will not be bound to its node as things are, or undefined: it may. Cordoned nodes, and those that are not Ready, take who
 * tolerates their taints: pods of DaemonSets do the former (kubernetes, pkg/controller/daemon/util, AddOrUpdateDaemonPodTolerations).
 */
export function refusedBecause({ pinned, demand, unschedulable }: PodFacts, node: NodeFacts | undefined): string | undefined {
  if (pinned === undefined) return 'it bears a slot, and no node is named in its affinity';
  if (node === undefined) return `node ${pinned} is gone`;
  if (node.unschedulable && untolerated([UNSCHEDULABLE], demand.tolerations) !== undefined) return `node ${pinned} is cordoned`;
  if (!node.ready && untolerated([NOT_READY], demand.tolerations) !== undefined) return `node ${pinned} is not Ready`;
  return unschedulable === undefined ? undefined : `${SCHEDULER_SAYS}${unschedulable}`;
}

const SCHEDULER_SAYS = 'kube-scheduler: ';

/** What the next pod of its controller has to do with this one. */
export interface Prospect {
  /** Its own slot or address is on another node, or another pod's: the next pod gets one of its own. */
  readonly wrongSlot?: boolean;
  /** Nodes enough said the same of pods of its controller: another node changes nothing (in-a-row.ts). */
  readonly everywhere?: boolean;
}

/**
 * @param refusedMs how long it has been refused without a break, as far as this lock writer saw; undefined: it isn't
 * @param patienceMs how long it may be
 */
export function nextForPinned(
  pod: PodFacts,
  because: string | undefined,
  refusedMs: number | undefined,
  patienceMs = PATIENCE_MS,
  { wrongSlot = false, everywhere = false }: Prospect = {},
): PinnedStep {
  if (because === undefined || refusedMs === undefined) return { do: 'wait' };
  if (refusedMs < patienceMs) return { do: 'wait', ms: patienceMs - refusedMs };
  const helps = isOfNode(pod) ? wrongSlot : isRemade(pod) && (wrongSlot || !everywhere);
  return { do: helps ? 'delete' : 'tell', because };
}

/** Its controller names the node of each of its pods itself: the next one is for the same node. */
export const isOfNode = ({ controller }: Pick<PodFacts, 'controller'>): boolean => controller?.kind === 'DaemonSet';

/**
 * Whether its controller makes another pod when this one is deleted. A Job does, and counts a failure: "Count deleted Pods as failures
 * to account for orphan Pods that never have a chance to reach the Failed phase" (kubernetes, pkg/controller/job/job_controller.go,
 * isPodFailed), which backoffLimit bounds. Others have one pod for each task, and lose the task with it.
 */
function isRemade({ controller, remade }: PodFacts): boolean {
  return controller !== undefined && (remade === true || REMAKE.has(`${controller.group}/${controller.kind}`) || isGalas(controller));
}

const REMAKE: ReadonlySet<string> = new Set(['apps/ReplicaSet', 'apps/StatefulSet', '/ReplicationController']);
const isGalas = ({ group }: Controller) => group === GROUP;

/**
 * What kube-scheduler says of one node, with the names and numbers of this pod, node and cluster left out: whether others were told
 * the same. Undefined where it is the node's own matter, which other nodes may do better: what is Gala's to see, room, taints, ports
 * (kubernetes, plugins/noderesources/fit.go, tainttoleration, nodeports).
 */
export function saidOfAny(because: string, { name, pinned }: Pick<PodFacts, 'name' | 'pinned'>): string | undefined {
  if (!because.startsWith(SCHEDULER_SAYS) || OF_THE_NODE.test(because)) return undefined;
  // The claims of a pod's own devices and volumes begin with its name.
  const names = because.replaceAll(new RegExp(`${name.replaceAll('.', '\\.')}[-a-z0-9]*`, 'g'), '<pod>');
  return (pinned === undefined ? names : names.replaceAll(pinned, '<node>')).replaceAll(/\d+/g, '#');
}

const OF_THE_NODE = /Insufficient |Too many pods|untolerated taint|free ports|were unschedulable/;
