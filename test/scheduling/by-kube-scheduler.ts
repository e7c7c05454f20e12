/**
 * By kube-scheduler: how many pods of a template the bed's real kube-scheduler binds in a cluster. Pod after pod is made until one
 * is Unschedulable; the next would be too, because nothing changes any more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { stock } from '../../lib/scheduling/stock.ts';
import type { Bed } from '../bed/control-plane.ts';
import { brute } from './brute.ts';
import { orderMatters } from './exactness.ts';
import { askOf, inventoryOf } from './inventory-of.ts';
import { type ClusterObjects, randomCluster } from './random-cluster.ts';
import { type Question, randomQuestion } from './random-question.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const ASK_AGAIN_MS = 5;
const SECONDS = 90;

/** Makes the namespaces of all random clusters. */
export async function makeNamespaces(bed: Bed, namespaces: ClusterObjects['namespaces']): Promise<void> {
  for (const [name, labels] of Object.entries(namespaces)) {
    await must(bed, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
    await must(bed, 'POST', `/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } });
  }
}

export interface Compared {
  readonly seed: number;
  readonly bound: number;
  /** What it may be: stock's count; where the order matters, anything between the ends that trying every order comes to. */
  readonly least: number;
  readonly most: number;
}

/** A random cluster and question of what kube-scheduler itself looks at: what it binds, and what stock says. */
export async function comparedWithStock(bed: Bed, seed: number): Promise<Compared> {
  const options = { native: true, nodes: [3, 6] as const };
  const [objects, question] = [randomCluster(seed, options), randomQuestion(seed, options)];
  const terrain = inventoryOf(objects);
  const ask = askOf(question);
  const bound = await boundByKubeScheduler(bed, objects, question);
  // Which of several ends kube-scheduler comes to is its scores' choice.
  if (orderMatters(terrain, ask)) return { seed, bound, ...brute(objects, question, { pinned: false }).ends(0) };
  const { count } = stock(terrain, ask);
  return { seed, bound, least: count, most: count };
}

/** One unpinned pod after the other, until one isn't bound. */
export function boundByKubeScheduler(bed: Bed, objects: ClusterObjects, question: Question): Promise<number> {
  return inCluster(bed, objects, question, async () => {
    for (let count = 0; ; count++) if (!(await isBound(bed, question, count, objects.nodes.length))) return count;
  });
}

/** A pod pinned to each of these nodes, as the lock writer pins, in this order; until one isn't bound. @returns how many were */
export function pinnedByKubeScheduler(bed: Bed, objects: ClusterObjects, question: Question, nodes: readonly string[]): Promise<number> {
  return inCluster(bed, objects, question, async () => {
    for (const [count, node] of nodes.entries()) if (!(await isBound(bed, question, count, objects.nodes.length, node))) return count;
    return nodes.length;
  });
}

/** Makes the cluster, waits until kube-scheduler knows it, and clears it away in the end. */
async function inCluster<T>(bed: Bed, { nodes, pods, namespaces }: ClusterObjects, question: Question, use: () => Promise<T>): Promise<T> {
  try {
    await Promise.all(
      nodes.map(async (node) => {
        await must(bed, 'POST', '/api/v1/nodes', node);
        // The API server taints every new Node until a controller has seen it Ready; none runs here.
        await must(bed, 'PATCH', `/api/v1/nodes/${node.metadata!.name}`, { spec: { taints: node.spec?.taints ?? null } }, MERGE);
      }),
    );
    for (const pod of pods) await must(bed, 'POST', `/api/v1/namespaces/${pod.metadata!.namespace}/pods`, pod);
    await seen(bed, question, nodes.length);
    return await use();
  } finally {
    for (const namespace of Object.keys(namespaces)) await must(bed, 'DELETE', `/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`);
    await must(bed, 'DELETE', '/api/v1/nodes');
  }
}

/** A pod that fits nowhere is told of every node that kube-scheduler knows: of these and no others. */
async function seen(bed: Bed, { namespace }: Question, nodes: number): Promise<void> {
  const containers = [{ name: 'main', image: 'main:1', resources: { requests: { cpu: '1000' } } }];
  await must(bed, 'POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'look' }, spec: { containers } });
  await told(bed, `/api/v1/namespaces/${namespace}/pods/look`, nodes);
  await must(bed, 'DELETE', `/api/v1/namespaces/${namespace}/pods/look?gracePeriodSeconds=0`);
}

async function isBound(bed: Bed, { namespace, template }: Question, number: number, nodes: number, node?: string): Promise<boolean> {
  const name = `asked-${number}`;
  const spec = { ...template.spec, schedulerName: undefined };
  await must(bed, 'POST', `/api/v1/namespaces/${namespace}/pods`, {
    metadata: { ...template.metadata, name },
    spec: node === undefined ? spec : pinnedTo(node, spec),
  });
  return (await told(bed, `/api/v1/namespaces/${namespace}/pods/${name}`, nodes)) === 'bound';
}

type Spec = Question['template']['spec'];

/** The node is ANDed into every alternative of the pod's own, as pin.ts does. */
function pinnedTo(node: string, spec: Partial<NonNullable<Spec>>) {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const nodeSelectorTerms = (required?.nodeSelectorTerms ?? [{}]).map((term) => ({ ...term, matchFields }));
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  return { ...spec, affinity: { ...spec.affinity, nodeAffinity } };
}

async function told(bed: Bed, path: string, nodes: number): Promise<'bound' | 'unschedulable'> {
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; await sleep(ASK_AGAIN_MS)) {
    const { spec, status } = (await must(bed, 'GET', path)).body;
    if (spec.nodeName !== undefined) return 'bound';
    const scheduled = status.conditions?.find(({ type }: { type: string }) => type === 'PodScheduled');
    if (scheduled?.reason === 'Unschedulable' && scheduled.message.startsWith(`0/${nodes} nodes`)) return 'unschedulable';
  }
  throw new Error(`${path}: kube-scheduler says nothing of it in ${SECONDS} s`);
}

async function must(bed: Bed, method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  const answer = await bed.request(method, path, body, headers);
  if (answer.status >= 300) throw new Error(`${method} ${path}: HTTP ${answer.status}: ${answer.body?.message ?? answer.body}`);
  return answer;
}
