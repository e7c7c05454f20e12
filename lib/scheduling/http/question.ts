/**
 * The question in a request: path, query and body, judged by the operation's schemas. All that is wrong is told at once; a body
 * that can't be read at all is told by itself.
 */
import type { IncomingMessage } from 'node:http';
import type * as z from 'zod';
import { didYouMean, problemsOf } from '../../api/issue.ts';
import { annotated } from '../../api/json-schema.ts';
import type { Problem } from '../../api/problem.ts';
import { DEEPEST, deeperThan } from '../depth.ts';
import { readBody } from './body.ts';
import type { Found, Operation } from './operations.ts';
import { badInput, problem, type Reply } from './problem.ts';
import { SCHEMAS } from './schemas.ts';

export interface Question {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** As its schema has it, defaults filled in. */
  readonly body: unknown;
}

/** As the API server bounds an object (etcd's 1.5 MiB, less what it adds). */
export const LONGEST_BODY = 2 ** 20;

/** What was asked, or the reply that ends it. */
export async function questionOf(
  request: IncomingMessage,
  { operation, params: raw }: Found,
  search: URLSearchParams,
  signal: AbortSignal,
): Promise<{ question: Question } | { reply: Reply }> {
  const body = operation.body === undefined ? { value: undefined } : await bodyOf(request, signal);
  if ('reply' in body) return body;
  const problems: Problem[] = [];
  const params = paramsOf(operation, raw, problems);
  const query = queryOf(operation, search, problems);
  const judged = operation.body === undefined ? undefined : judge(SCHEMAS[operation.body], body.value, problems);
  return problems.length > 0 ? { reply: badInput(problems) } : { question: { params, query, body: judged } };
}

async function bodyOf(request: IncomingMessage, signal: AbortSignal): Promise<{ value: unknown } | { reply: Reply }> {
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = request.headers;
  const headers = { accept: 'application/json' };
  if (type === undefined || !/^application\/json *(;|$)/i.test(type))
    return { reply: problem('not-json', `Content-Type is ${type ?? 'missing'}; it is application/json.`, { headers }) };
  if (encoding !== 'identity')
    return { reply: problem('not-json', `Content-Encoding is ${encoding}; bodies are sent as they are.`, { headers }) };
  const text = await readBody(request, { longest: LONGEST_BODY, signal });
  if (typeof text !== 'string') return { reply: problem(UNREAD[text.refused], sentenceOf(text.because)) };
  try {
    const value: unknown = JSON.parse(text);
    return deeperThan(DEEPEST, value) ? { reply: problem('bad-input', `The body is nested deeper than ${DEEPEST} levels.`) } : { value };
  } catch (error) {
    return { reply: problem('bad-input', `The body is no JSON: ${(error as Error).message}.`) };
  }
}

const UNREAD = { tooLong: 'too-long', tooSlow: 'too-slow', brokenOff: 'bad-input', notUtf8: 'bad-input' } as const;

const sentenceOf = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

function paramsOf({ pathParameters = {} }: Operation, raw: Found['params'], problems: Problem[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(pathParameters).map(([name, schema]) => [name, String(judge(schema, decoded(raw[name] ?? ''), problems, `{${name}}`))]),
  );
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function queryOf({ query = {} }: Operation, search: URLSearchParams, problems: Problem[]): Record<string, unknown> {
  const known = Object.keys(query);
  for (const name of new Set(search.keys())) {
    if (!known.includes(name)) {
      const allowed = known.length === 0 ? 'there are none here' : `known here are ${known.join(', ')}`;
      problems.push({
        path: `?${name}`,
        what: `${name} is no known parameter`,
        allowed,
        remedy: didYouMean(name, known, 'Remove it.'),
        severity: 'error',
      });
    } else if (search.getAll(name).length > 1) {
      problems.push({
        path: `?${name}`,
        what: `${name} stands there ${search.getAll(name).length} times`,
        allowed: 'once',
        severity: 'error',
      });
    }
  }
  return Object.fromEntries(
    Object.entries(query).map(([name, schema]) => [name, judge(schema, typed(search.get(name), schema), problems, `?${name}`)]),
  );
}

/** A parameter is text; one that should be a number or a flag, and looks like one, is. */
function typed(text: string | null, schema: z.ZodType): unknown {
  if (text === null) return undefined;
  const { type } = annotated(schema);
  if (type === 'integer' && /^-?[0-9]{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** What the schema makes of a value; problems get the path below `where`. */
function judge(schema: z.ZodType, value: unknown, problems: Problem[], where = ''): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const found = parsed.error.issues.flatMap((issue) => problemsOf(issue, schema, value));
  problems.push(
    ...found.map((one) => ({ ...one, path: where === '' ? one.path : where, what: where === '' ? one.what : named(one.what, where) })),
  );
  return undefined;
}

/** A value without a path has no label of its own. */
const named = (what: string, where: string) => what.replace(/^the definition\b/, where.replace(/[?{}]/g, ''));
