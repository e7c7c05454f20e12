/** Stock over HTTP: the question as a demand, and what the library says of it, with its age. Changes nothing. */
import { type Demanded, demandOf } from '../demand.ts';
import { type Never, whyNever } from '../never.ts';
import { capAt } from '../placing/caps.ts';
import type { PodFrom } from '../pod-template.ts';
import { racksOf } from '../racks.ts';
import { stock } from '../stock.ts';
import { tightCaps, tooTightProblems } from '../tight-caps.ts';
import type { Ask, Terrain } from '../types.ts';
import type { Asked, Handler } from './api.ts';
import { twoTemplates } from './locks.ts';
import { badInput, problem, type Reply } from './problem.ts';
import type { LockQuestion, StockAnswer, StockQuestion } from './schemas.ts';

export interface StockOptions {
  readonly terrain: Terrain;
  /** The pod template of an object; undefined: there is no such object. */
  readonly templateOf: (namespace: string, from: PodFrom, signal: AbortSignal) => Promise<unknown>;
  readonly ages: () => { readonly snapshotMs: number; readonly samplesMs?: number };
  /** Brings what goes by the clock up to date. */
  readonly tick?: () => void;
}

/**
 * Bookmarks come about every minute, and a watch that hears nothing for two is begun anew (kube/reflector.ts): what was not heard
 * of for so long is not merely quiet.
 */
const STALE_MS = 180_000;

export function stockHandler({ terrain, templateOf, ages, tick = () => {} }: StockOptions): Handler {
  return {
    access: ({ body }) => ({ verb: 'create', namespace: (body as StockQuestion).namespace }),
    async handle({ body, query, signal }: Asked): Promise<Reply> {
      const question = body as StockQuestion;
      const wrong = twoTemplates(question, '') ?? tooOld(ages());
      if (wrong !== undefined) return wrong;
      const { namespace, podFrom } = question;
      const template = podFrom === undefined ? question.template : await templateOf(namespace, podFrom, signal);
      if (template === undefined) return problem('no-such-object', `There is no ${podFrom?.kind} ${namespace}/${podFrom?.name}.`);
      const demanded = demandIn(template, question, podFrom === undefined ? 'template' : undefined);
      if (demanded.demand === undefined) return badInput(demanded.problems);
      tick();
      const { strategy, near, pools, byUse, count } = question;
      const { demand } = demanded;
      const tight = tightCaps(terrain, { demand, maxPer: question.maxPer, pools });
      const tooTight = count === undefined ? [] : tooTightProblems(tight, count, (level) => `maxPer.${level}`);
      if (tooTight.length > 0) return badInput(tooTight);
      const ask: Ask = { demand, strategy, maxPer: capsOf(question), near, pools, byUse };
      const found = stock(terrain, ask);
      const never = found.count === 0 ? whyNever(terrain, ask) : undefined;
      if (never !== undefined) return neverFits(never);
      const { snapshotMs, samplesMs } = ages();
      const known = { snapshotAgeSeconds: snapshotMs / 1000, ...(samplesMs === undefined ? {} : { samplesAgeSeconds: samplesMs / 1000 }) };
      const more = {
        ...(query.racks === true ? { racks: racksOf(terrain, ask, found.count) } : {}),
        ...(tight.length === 0 ? {} : { tightCaps: tight }),
      };
      const { nodes, ...answer } = { ...found, ...more, ...known } satisfies DeepReadonly<StockAnswer>;
      return { status: 200, body: query.nodes === false ? answer : { ...answer, nodes } };
    },
  };
}

/** Percentages are of the count that is wanted, where one is given; stock itself takes them of what fits. */
function capsOf({ maxPer, count }: StockQuestion): Ask['maxPer'] {
  if (maxPer === undefined || count === undefined) return maxPer;
  return Object.fromEntries(Object.entries(maxPer).map(([level, cap]) => [level, capAt(cap, count)]));
}

/** What stands against the pods of a Lock that is to be made, as far as it can be seen without reading anything. */
export function unfitLock({ terrain, ages }: Pick<StockOptions, 'terrain' | 'ages'>) {
  return ({ metadata: { namespace }, spec }: LockQuestion): Reply | undefined => {
    const stale = tooOld(ages());
    if (stale !== undefined || spec.template === undefined) return stale;
    const { demand, problems } = demandIn(spec.template, { namespace, owner: spec.owner }, 'spec.template');
    if (demand === undefined) return badInput(problems);
    const never = whyNever(terrain, { demand });
    if (never !== undefined) return neverFits(never);
    // Where fewer are welcome, percentages are of what is found.
    if (spec.allowPartial) return undefined;
    const tooTight = tooTightProblems(tightCaps(terrain, { demand, maxPer: spec.maxPer }), spec.count, (level) => `spec.maxPer.${level}`);
    return tooTight.length > 0 ? badInput(tooTight) : undefined;
  };
}

const demandIn = (
  template: unknown,
  { namespace, owner }: Pick<StockQuestion, 'namespace' | 'owner'>,
  path: string | undefined,
): Demanded => demandOf(template, { namespace, path, ...(owner === undefined ? {} : { owner: `${namespace}/${owner}` }) });

/** What is to be said instead of an answer where the cluster was not heard of for too long. */
export function tooOld({ snapshotMs }: ReturnType<StockOptions['ages']>): Reply | undefined {
  if (snapshotMs <= STALE_MS) return undefined;
  const age = Number.isFinite(snapshotMs) ? `was last heard of ${Math.round(snapshotMs / 1000)} s ago` : 'was not read yet';
  return problem('stale', `The cluster ${age}.`, {
    headers: { 'retry-after': '5' },
    members: { snapshotAgeSeconds: Number.isFinite(snapshotMs) ? snapshotMs / 1000 : null },
  });
}

function neverFits(never: readonly Never[]): Reply {
  const told = never.map(
    ({ limit, nodes, asks, most }) =>
      `${limit} on ${nodes} node${nodes === 1 ? '' : 's'}${asks === undefined ? '' : ` (asks ${asks}, the largest has ${most})`}`,
  );
  return problem('never-fits', `Refused by ${told.join(', ')}.`, { members: { limits: never } });
}

export type DeepReadonly<T> = T extends readonly (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
