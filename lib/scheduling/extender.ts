/**
 * Extender: what kube-scheduler asks before it binds a pod of `gala-scheduler`: `POST /filter` on loopback, with names of nodes;
 * and `POST /prioritize` where pods without a slot are let through.
 *
 * The wire form is Go's own names of k8s.io/kube-scheduler/extender/v1 (types.go: the structs have no json tags, and its
 * TestCompatibility holds them to `{"Pod":…,"NodeNames":[…]}`). Any status but 200 tells kube-scheduler nothing but the number
 * (pkg/scheduler/extender.go, send), so what goes wrong is said in `Error` of a 200: the pod is tried again, with backoff. A
 * refused node goes into FailedAndUnresolvableNodes: no preemption makes it right, so none is tried.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LOCK_ANNOTATION, SLOT_ANNOTATION } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { type Log, reasonOf, silent } from '../kube/log.ts';
import { holdings } from './holdings.ts';
import { discard, readBody } from './http/body.ts';
import { fromCaches, fromServer } from './known.ts';
import { unpinned } from './pin.ts';
import type { Scored } from './score.ts';
import type { Rule, ScheduledPod, Verdict } from './verify.ts';
import { verify } from './verify.ts';
import type { World } from './world.ts';

/** As much of a Pod as is looked at. */
interface WirePod {
  readonly metadata?: {
    readonly name?: unknown;
    readonly namespace?: unknown;
    readonly uid?: unknown;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly hostNetwork?: boolean; readonly affinity?: unknown };
}

interface ExtenderArgs {
  readonly Pod?: WirePod;
  /** Set when the extender is not `nodeCacheCapable`. */
  readonly Nodes?: unknown;
  readonly NodeNames?: readonly string[];
}

export interface ExtenderFilterResult {
  readonly NodeNames?: readonly string[];
  readonly FailedAndUnresolvableNodes?: Readonly<Record<string, string>>;
  readonly Error?: string;
}

export interface HostPriority {
  readonly Host: string;
  /** 0 to 10. */
  readonly Score: number;
}

export interface ExtenderOptions {
  readonly world: Pick<World, 'hasSynced' | 'nodes' | 'pods' | 'hostPools' | 'locks' | 'ipLocks'>;
  readonly api: Api;
  /** What becomes of pods without a slot. @default they are refused */
  readonly unlocked?: (pod: unknown, namespace: string, nodes: readonly string[]) => readonly Scored[];
  /** Well under kube-scheduler's `httpTimeout` of 5 s: its own error names no reason. @default 2_500 */
  readonly deadlineMs?: number;
  readonly log?: Log;
  /** Told of each answer. */
  readonly onAnswer?: (answer: {
    /** `<namespace>/<name>`; undefined: none was asked about. */
    readonly pod?: string;
    readonly outcome: 'passed' | 'refused' | 'error';
    readonly live: boolean;
    readonly seconds: number;
  }) => void;
}

/** A pod is 1.5 MiB at most in etcd; names of 15,000 nodes at their longest are 4 MB. */
const LONGEST_BODY = 8 * 2 ** 20;
/** Nothing that the API server says can change these: they are about the pod's own annotations, as kube-scheduler sent them. */
const CERTAIN: readonly Rule[] = ['V1', 'V2'];

export interface Extender {
  /** Answers what is meant for the extender; false: it is for somebody else. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** @param began when the question came, for `onAnswer` @default now */
  filter(args: unknown, signal: AbortSignal, began?: number): Promise<ExtenderFilterResult>;
  prioritize(args: unknown): HostPriority[];
}

export function extender({ world, api, unlocked, deadlineMs = 2_500, log = silent, onAnswer = () => {} }: ExtenderOptions): Extender {
  const held = holdings(world);

  async function filter(args: unknown, signal: AbortSignal, began = performance.now()): Promise<ExtenderFilterResult> {
    const asked = read(args);
    const pod = typeof asked === 'string' ? undefined : `${asked.pod.namespace}/${asked.pod.name}`;
    let live = false;
    const answer = await answerTo(asked).catch((error: unknown) => failed(`gala scheduler could not verify the pod: ${reasonOf(error)}`));
    const outcome = answer.Error !== undefined ? 'error' : answer.NodeNames?.length === 0 ? 'refused' : 'passed';
    onAnswer({ pod, outcome, live, seconds: (performance.now() - began) / 1000 });
    if (outcome === 'error') log.warn('a pod was not verified', { pod, because: answer.Error });
    return answer;

    async function answerTo(asked: Asked | string): Promise<ExtenderFilterResult> {
      if (typeof asked === 'string') return failed(asked);
      if (!world.hasSynced()) return failed('gala scheduler has not read the cluster yet; the pod is tried again by itself');
      const { pod, nodes, wire } = asked;
      if (pod.slot === undefined && unlocked !== undefined) return answered(nodes, unlocked(wire, pod.namespace, nodes));
      const verdicts = verify(pod, nodes, fromCaches(pod, world, held));
      if (nodes.length === 0 || verdicts.some(passes) || verdicts.every(isCertain)) return answered(nodes, verdicts);
      // The writer may be another replica, ahead of these caches by a moment.
      live = true;
      const asking = nodes.filter((node) => pod.pinned === undefined || node === pod.pinned).slice(0, MOST_LIVE);
      const anew = verify(pod, nodes, await fromServer(pod, asking, api, held, { signal, timeoutMs: deadlineMs }));
      return answered(nodes, anew);
    }
  }

  /** A pod with a slot has one node, and nothing to choose. An error is no reason to wait: kube-scheduler goes on without scores. */
  function prioritize(args: unknown): HostPriority[] {
    const asked = read(args);
    if (typeof asked === 'string') return [];
    const { pod, nodes, wire } = asked;
    const scored = pod.slot === undefined && unlocked !== undefined ? unlocked(wire, pod.namespace, nodes) : [];
    return nodes.map((Host, at) => ({ Host, Score: scored[at]?.score ?? 0 }));
  }

  return {
    filter,
    prioritize,
    handle(request, response) {
      const path = URL.parse(request.url ?? '', 'http://localhost')?.pathname;
      if (path !== '/filter' && path !== '/prioritize') return false;
      void serve(path, request, response);
      return true;
    },
  };

  async function serve(path: '/filter' | '/prioritize', request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
      return;
    }
    const began = performance.now();
    const signal = AbortSignal.timeout(deadlineMs);
    const body = await readBody(request, { longest: LONGEST_BODY, signal });
    const args = typeof body === 'string' ? parsed(body) : undefined;
    const unread = typeof body === 'string' ? undefined : failed(`gala scheduler did not read what it was asked: ${body.because}`);
    const answer = path === '/prioritize' ? prioritize(args) : (unread ?? (await filter(args, signal, began)));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    discard(request);
  }
}

/** A pinned pod has one; whoever is asked about more reads no more than this anew. */
const MOST_LIVE = 4;

const passes = ({ reason }: Judged) => reason === undefined;
const isCertain = (verdict: Verdict) => verdict.reason !== undefined && CERTAIN.includes(verdict.rule);

/** As much of a verdict or a score as the answer has. */
type Judged = Pick<Verdict, 'reason'>;

/** NodeNames must be there, empty or not: without it kube-scheduler takes the answer for one with whole Nodes. */
function answered(nodes: readonly string[], verdicts: readonly Judged[]): ExtenderFilterResult {
  const refused = nodes.flatMap((node, at) => {
    const reason = verdicts[at]?.reason;
    return reason === undefined ? [] : [[node, reason] as const];
  });
  return { NodeNames: nodes.filter((_, at) => passes(verdicts[at]!)), FailedAndUnresolvableNodes: Object.fromEntries(refused) };
}

const failed = (because: string): ExtenderFilterResult => ({ Error: because });

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly pod: ScheduledPod;
  readonly nodes: readonly string[];
  /** The pod as it was sent. */
  readonly wire: WirePod;
}

/** What kube-scheduler asked, or what of it can't be read. */
function read(args: unknown): Asked | string {
  const { Pod: pod, NodeNames: nodes, Nodes: whole } = (typeof args === 'object' && args !== null ? args : {}) as ExtenderArgs;
  const { name, namespace, uid } = pod?.metadata ?? {};
  if (pod === undefined || typeof name !== 'string' || typeof namespace !== 'string' || typeof uid !== 'string')
    return 'gala scheduler was asked about no pod: the body must be ExtenderArgs of k8s.io/kube-scheduler/extender/v1, as JSON';
  if (!Array.isArray(nodes) || !nodes.every((node) => typeof node === 'string'))
    return `gala scheduler was asked with ${whole ? 'whole Nodes' : 'no NodeNames'}: set nodeCacheCapable: true in its section of KubeSchedulerConfiguration`;
  return { pod: scheduledPod(pod, { name, namespace, uid }), nodes, wire: pod };
}

function scheduledPod({ metadata, spec }: WirePod, id: Pick<ScheduledPod, 'name' | 'namespace' | 'uid'>): ScheduledPod {
  const { [LOCK_ANNOTATION]: lock, [SLOT_ANNOTATION]: slot } = metadata?.annotations ?? {};
  return { ...id, lock, slot, hostNetwork: spec?.hostNetwork === true, pinned: unpinned(spec?.affinity).node };
}
