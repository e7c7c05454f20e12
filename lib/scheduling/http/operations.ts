/** Every operation of the API: one list, of which the router, OpenAPI and the documentation are made. Pure data. */
import type * as z from 'zod';
import { flag, integer, oneOf } from '../../api/field.ts';
import { Lock } from '../../api/lock.ts';
import type { ProblemType } from './problem.ts';
import { namespace, podName, type SchemaName } from './schemas.ts';

export type OperationId = 'stock' | 'explain' | 'createLock' | 'getLock' | 'deleteLock' | 'renewLock' | 'openapi' | 'problems';

export interface Operation {
  readonly id: OperationId;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Segments in braces are parameters. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Of the path, by name. */
  readonly pathParameters?: Readonly<Record<string, z.ZodType>>;
  /** Of the query, by name. A value is judged as text, a number or a flag as its schema says. */
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly body?: SchemaName;
  /** By status. */
  readonly replies: Readonly<Record<number, { readonly doc: string; readonly schema?: SchemaName; readonly contentType?: string }>>;
  /** Beside those that any operation may have. */
  readonly problems: readonly ProblemType[];
  /** Asked without a token: it tells nothing of the cluster. */
  readonly open?: true;
}

const wait = {
  wait: oneOf(['ready'], { doc: 'Answer when the Lock is Ready, or surely will not be.', example: 'ready' }).optional(),
  timeoutSeconds: integer({
    doc: 'How long to wait; then the answer is the Lock as it is, with status 202.',
    noun: 'timeoutSeconds',
    min: 1,
    max: 300,
    default: 30,
    example: 30,
  }),
};
const lockPath = { namespace, name: Lock.name };
const podPath = { namespace, name: podName };
const notReady = {
  409: { doc: 'With `wait`: the slots are not there (`not-enough`), or the Lock has expired (`expired`).', schema: 'Problem' },
} as const;

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'stock',
    method: 'POST',
    path: '/v1/stock',
    summary: 'How many pods of a template fit now, where, and what limits it',
    description: 'Changes nothing. Takes the right to `create` `locks.gala.internal` in the namespace asked for: who may lock may ask.',
    query: {
      nodes: flag({ doc: 'Whether each node is told.', default: true, example: false }),
      racks: flag({
        doc: 'Whether it is told how many of them would lie in which rack; takes as long again.',
        default: false,
        example: true,
      }),
    },
    body: 'StockQuestion',
    replies: { 200: { doc: 'The stock; a count of 0 is an answer too.', schema: 'StockAnswer' } },
    problems: ['never-fits', 'no-such-object', 'stale'],
  },
  {
    id: 'explain',
    method: 'GET',
    path: '/v1/explain/{namespace}/{name}',
    summary: 'Why a pod waits: what each host has against it',
    description: 'Changes nothing. Takes the right to `get` the pod. Its claims, and its events, are not looked at.',
    pathParameters: podPath,
    replies: { 200: { doc: 'What is so, and what to do.', schema: 'ExplainAnswer' } },
    problems: ['no-such-object', 'stale'],
  },
  {
    id: 'createLock',
    method: 'POST',
    path: '/v1/locks',
    summary: 'Lock so many slots, all or nothing unless `allowPartial`',
    description:
      'Makes a Lock object; the same question under the same name again is answered with the same Lock. Takes the right to `create` `locks.gala.internal` in its namespace, and where the Lock is there already to `get` it.',
    query: wait,
    body: 'LockQuestion',
    replies: {
      200: { doc: 'It was there already, asking the same, or with `wait` is Ready.', schema: 'Lock' },
      201: { doc: 'It was made.', schema: 'Lock' },
      202: { doc: 'With `wait`: the time is over and it is not Ready yet.', schema: 'Lock' },
      ...notReady,
    },
    problems: ['another-question', 'not-enough', 'expired', 'never-fits', 'no-such-object', 'refused', 'stale'],
  },
  {
    id: 'getLock',
    method: 'GET',
    path: '/v1/locks/{namespace}/{name}',
    summary: 'A Lock: its phase, its slots, how many are used',
    description: 'Takes the right to `get` it.',
    pathParameters: lockPath,
    query: wait,
    replies: {
      200: { doc: 'The Lock.', schema: 'Lock' },
      202: { doc: 'With `wait`: the time is over and it is not Ready yet.', schema: 'Lock' },
      ...notReady,
    },
    problems: ['no-such-object', 'not-enough', 'expired'],
  },
  {
    id: 'deleteLock',
    method: 'DELETE',
    path: '/v1/locks/{namespace}/{name}',
    summary: 'Give a Lock back',
    description: 'Refused while pods use it. Takes the right to `delete` it.',
    pathParameters: lockPath,
    replies: { 200: { doc: 'It is gone; this is how it was.', schema: 'Lock' } },
    problems: ['no-such-object', 'in-use', 'refused'],
  },
  {
    id: 'renewLock',
    method: 'POST',
    path: '/v1/locks/{namespace}/{name}/renew',
    summary: 'Begin `ttlSeconds` anew',
    description: 'Takes the right to `patch` it.',
    pathParameters: lockPath,
    replies: { 200: { doc: 'The Lock, renewed.', schema: 'Lock' } },
    problems: ['no-such-object', 'expired', 'refused'],
  },
  {
    id: 'openapi',
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    replies: { 200: { doc: 'OpenAPI 3.1.' } },
    problems: [],
    open: true,
  },
  {
    id: 'problems',
    method: 'GET',
    path: '/problems',
    summary: 'What the types of problems mean',
    replies: { 200: { doc: 'Markdown.', contentType: 'text/markdown; charset=utf-8' } },
    problems: [],
    open: true,
  },
];

export interface Found {
  readonly operation: Operation;
  /** Segments of the path, decoded, by name. */
  readonly params: Readonly<Record<string, string>>;
}

/** What a request asks for; `allowed` are the methods of a path that is there, empty when there is no such path. */
export function find(method: string, path: string): Found | { readonly allowed: readonly string[] } {
  const there = OPERATIONS.flatMap((operation) => {
    const params = paramsOf(operation.path, path);
    return params === undefined ? [] : [{ operation, params }];
  });
  // HEAD is GET without a body (RFC 9110, 9.3.2); Node leaves the body out by itself.
  const asked = method === 'HEAD' ? 'GET' : method;
  return there.find(({ operation }) => operation.method === asked) ?? { allowed: there.map(({ operation }) => operation.method) };
}

function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [want, have] = [pattern.split('/'), path.split('/')];
  if (want.length !== have.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, segment] of want.entries()) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined && segment !== have[at]) return undefined;
    if (name !== undefined) params[name] = have[at]!;
  }
  return params;
}
