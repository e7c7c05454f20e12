/** Asking the stock API of `gala scheduler`: the number it acts on itself. Whatever keeps it from answering is no fault of ours. */
import { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import { sentence } from '../api/problem.ts';
import type { Api } from '../kube/client.ts';
import { kindOf } from '../kube/kinds.ts';
import { findStockApi } from '../scheduling/http/client.ts';
import type { ProblemDocument } from '../scheduling/http/problem.ts';
import type { StockAnswer as Answer } from '../scheduling/http/schemas.ts';
import type { Demand, PoolFit } from '../scheduling/types.ts';
import { listed } from './cluster.ts';
import { type More, moreOf } from './more.ts';
import { BadInput } from './output.ts';
import type { Counted } from './stock-answer.ts';
import type { Source } from './stock-text.ts';

export interface Asking {
  readonly namespace: string;
  readonly template: unknown;
  readonly owner?: string;
  readonly strategy: string;
  readonly maxPer?: unknown;
  readonly near?: string;
  readonly pools?: readonly string[];
  readonly count?: number;
}

export type Asked =
  | { readonly answer: Omit<Counted, 'more'>; readonly source: Source; readonly replica: string }
  | { readonly absent: string };

/** Answers that say: not you, or not now. The library may still do. */
const NOT_FROM_THERE: readonly number[] = [401, 403, 429, 500, 503];

/** @throws {BadInput} when the question itself is wrong */
export async function askStockApi(api: Api, question: Asking, namespace: string): Promise<Asked> {
  const found = await findStockApi(api, { namespace });
  if ('absent' in found) return found;
  try {
    const said = await found.ask<Answer>('POST', '/v1/stock', question);
    if ('absent' in said) return said;
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
      (problem.problems ?? []).map((one) => sentence({ ...one, severity: 'error' })).join('\n') || `${problem.detail} ${problem.remedy}`,
    );
  } finally {
    found.close();
  }
}

const NEVER = '/problems#never-fits';

/** To a person "never" is an answer, and the number is 0. */
function neverIn(problem: ProblemDocument & { readonly limits?: Counted['never'] }): Omit<Counted, 'more'> {
  const never = problem.limits ?? [];
  return { count: 0, limit: never[0]?.limit ?? '', limits: never.map(({ limit, nodes }) => ({ limit, nodes })), pools: [], never };
}

const wanted = (count: number | undefined, found: number) =>
  count === undefined ? {} : { want: { count, found: Math.min(count, found) } };

/** What would make more: told where we may look. */
export async function heldFor(api: Api, demand: Demand, pools: readonly PoolFit[]): Promise<More[]> {
  if (!pools.some(({ limits }) => limits.some(({ limit }) => limit === 'addresses'))) return [];
  try {
    const [ipLocks, hostPools, networks] = await Promise.all([
      listed(api.list(kindOf(IPLock))),
      listed(api.list(kindOf(HostPool))),
      listed(api.list(kindOf(NodeNetwork))),
    ]);
    return moreOf({ namespace: demand.namespace, owner: demand.owner, pools }, ipLocks, hostPools, networks);
  } catch {
    return [];
  }
}
