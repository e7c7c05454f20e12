/**
 * Stock of a cluster: the stock API of `gala scheduler` is asked, whose number is the one it acts on itself; where it can't be, or
 * not by us, the library counts with our own list rights.
 */
import { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import { sentence } from '../api/problem.ts';
import { API_SERVICE } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { kindOf } from '../kube/kinds.ts';
import { findStockApi } from '../scheduling/http/client.ts';
import type { ProblemDocument } from '../scheduling/http/problem.ts';
import type { StockAnswer as Answer } from '../scheduling/http/schemas.ts';
import type { Demand, PoolFit } from '../scheduling/types.ts';
import type { Pools } from './address-place.ts';
import { type ClusterOptions, inCluster, listed, namespaceOf } from './cluster.ts';
import { factsOfCluster } from './facts.ts';
import { type More, moreOf } from './more.ts';
import { notThere, withLaunches } from './not-there.ts';
import { BadInput, say } from './output.ts';
import type { Pods } from './pod-file.ts';
import { podsNamed } from './pods-from.ts';
import { about, answerWithAbsent, type Counted, demanded, type How } from './stock-answer.ts';
import type { Source, StockAnswer } from './stock-text.ts';

interface Options extends ClusterOptions {
  readonly leaseNamespace: string;
  readonly verbose?: boolean;
}

/** @param whose pods from a file, or the name of an object of the cluster */
export function stockOfCluster(whose: Pods | string, how: How, options: Options): Promise<StockAnswer> {
  return inCluster({ ...options, command: 'stock' }, async ({ api, namespace: here }) => {
    const namespace = namespaceOf(options, typeof whose === 'string' ? undefined : whose, here);
    const pods = typeof whose === 'string' ? (await podsNamed(api, namespace, whose)).pods : whose;
    return stockIn(api, pods, namespace, how, options);
  });
}

/** The same over a client that is there. */
export async function stockIn(
  api: Api,
  pods: Pods,
  namespace: string,
  how: How,
  options: Pick<Options, 'leaseNamespace' | 'verbose'>,
): Promise<StockAnswer> {
  const demand = demanded(pods, namespace);
  const asked = await askStockApi(api, { ...how, namespace, template: pods.template, owner: pods.name }, options.leaseNamespace);
  if ('absent' in asked) {
    if (options.verbose) say(`The library counts, with your rights: ${asked.absent}.${remedyOf(asked, options.leaseNamespace)}`);
    const { facts, source } = await factsOfCluster(api);
    return answerWithAbsent(facts, source, { pods, namespace, how });
  }
  if (options.verbose) say(`The stock API counted: ${asked.replica}.`);
  return { ...about(pods, demand, how, asked.source), ...asked.answer, ...(await beside(api, demand, asked.answer.pools)) };
}

interface Asking {
  readonly namespace: string;
  readonly template: unknown;
  readonly owner?: string;
  readonly strategy: string;
  readonly maxPer?: unknown;
  readonly near?: string;
  readonly pools?: readonly string[];
  readonly count?: number;
}

type Asked = { readonly answer: Omit<Counted, 'more'>; readonly source: Source; readonly replica: string } | Unasked;

interface Unasked {
  readonly absent: string;
  /** Endpoints were there, and none answered. */
  readonly silent?: true;
}

/** The number is as good; what brings the API into it. */
const remedyOf = ({ silent }: Unasked, namespace: string): string =>
  silent === undefined
    ? ''
    : ` Where the API is: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${API_SERVICE}; in a local trial nobody is there.`;

/** Answers that say: not you, or not now. The library may still do. */
const NOT_FROM_THERE: readonly number[] = [401, 403, 429, 500, 503];

/** @throws {BadInput} when the question itself is wrong */
async function askStockApi(api: Api, question: Asking, namespace: string): Promise<Asked> {
  const found = await findStockApi(api, { namespace });
  if ('absent' in found) return found;
  try {
    const said = await found.ask<Answer>('POST', '/v1/stock?racks=true', question);
    if ('absent' in said) return { ...said, silent: true };
    const { snapshotAgeSeconds: ageSeconds, samplesAgeSeconds, replica } = said;
    const source: Source = {
      ...{ from: 'cluster', name: api.url, by: 'stock API' },
      ...(ageSeconds === undefined ? {} : { ageSeconds }),
      ...(samplesAgeSeconds === undefined ? {} : { samplesAgeSeconds }),
    };
    if ('body' in said) {
      const { snapshotAgeSeconds: _, samplesAgeSeconds: __, ...answer } = said.body;
      return { answer: { ...answer, ...wanted(question.count, answer.count) }, source, replica };
    }
    const { problem, status } = said;
    if (NOT_FROM_THERE.includes(status)) return { absent: `${problem.title}: ${problem.detail}` };
    if (problem.type === NEVER) return { answer: neverIn(problem), source, replica };
    throw new BadInput(
      (problem.problems ?? []).map((one) => sentence({ ...one, path: optionOf(one.path), severity: 'error' })).join('\n') ||
        `${problem.detail} ${problem.remedy}`,
    );
  } finally {
    found.close();
  }
}

/** Of a field of the question, as it was typed. */
const optionOf = (path: string): string => path.replace(/^maxPer\./, '--max-per ');

const NEVER = '/problems#never-fits';

/** To a person "never" is an answer, and the number is 0. */
function neverIn(problem: ProblemDocument & { readonly limits?: Counted['never'] }): Omit<Counted, 'more'> {
  const never = problem.limits ?? [];
  return { count: 0, limit: never[0]?.limit ?? '', limits: never.map(({ limit, nodes }) => ({ limit, nodes })), pools: [], never };
}

const wanted = (count: number | undefined, found: number) =>
  count === undefined ? {} : { want: { count, found: Math.min(count, found) } };

/** What would make more, and what is declared and not there: told where we may look. */
async function beside(api: Api, demand: Demand, pools: readonly PoolFit[]): Promise<Pick<StockAnswer, 'more' | 'notThere'>> {
  try {
    const hostPools = await listed(api.list(kindOf(HostPool)));
    const absent = await withLaunches(notThere(pools, hostPools), hostPools, demand);
    const more = await heldFor(api, demand, pools, hostPools);
    return { more, ...(absent.length === 0 ? {} : { notThere: absent }) };
  } catch {
    return { more: [] };
  }
}

async function heldFor(api: Api, demand: Demand, pools: readonly PoolFit[], hostPools: Pools): Promise<More[]> {
  if (!pools.some(({ limits }) => limits.some(({ limit }) => limit === 'addresses'))) return [];
  const [ipLocks, networks] = await Promise.all([listed(api.list(kindOf(IPLock))), listed(api.list(kindOf(NodeNetwork)))]);
  return moreOf({ namespace: demand.namespace, owner: demand.owner, pools }, ipLocks, hostPools, networks);
}
