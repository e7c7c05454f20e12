/** OpenAPI 3.1 of the API, from its operations and schemas. Pure; served, and written to docs/reference by `npm run imports`. */
import type * as z from 'zod';
import { annotated, type JsonSchema, mapSchema } from '../../api/json-schema.ts';
import { API_PORT, API_SERVICE } from '../../api/scheduling.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import { PROBLEMS, type ProblemType } from './problem.ts';
import { SCHEMAS } from './schemas.ts';

/** @param version of Gala */
export function openapi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method.toLowerCase()] = described(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gala: stock and locks',
      version,
      description:
        'How many pods of a template fit now, where, and what limits it; and slots locked for them before they exist. Callers are known by their Kubernetes token, and may what they may in the cluster.',
    },
    servers: [
      {
        url: 'https://{replica}:{port}',
        description: 'Any replica, by the address of its host.',
        variables: { replica: { default: API_SERVICE }, port: { default: String(API_PORT) } },
      },
    ],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, plain(schema)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token of the cluster, judged by TokenReview.' } },
      headers: {
        'Gala-Snapshot-Age': { description: 'Seconds since the least fresh kind of object was heard of.', schema: { type: 'number' } },
        'Gala-Samples-Age': { description: 'Seconds since live use was measured; left out where none is.', schema: { type: 'number' } },
      },
    },
  };
}

function described(operation: Operation): object {
  const { id, summary, description, pathParameters = {}, query = {}, body, replies, problems, open } = operation;
  const parameters = [
    ...Object.entries(pathParameters).map(([name, schema]) => parameter(name, 'path', schema)),
    ...Object.entries(query).map(([name, schema]) => parameter(name, 'query', schema)),
  ];
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(open ? { security: [] } : { security: [{ token: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(replies).map(([status, reply]) => [status, response(reply)])),
      ...problemResponses([...problems, ...common(operation)], Object.keys(replies)),
    },
  };
}

function parameter(name: string, where: 'path' | 'query', schema: z.ZodType) {
  const { description, ...rest } = plain(schema);
  return { name, in: where, required: where === 'path', description, schema: rest };
}

const json = (name: string, contentType = 'application/json') => ({ [contentType]: { schema: { $ref: `#/components/schemas/${name}` } } });
const AGES = Object.fromEntries(['Gala-Snapshot-Age', 'Gala-Samples-Age'].map((name) => [name, { $ref: `#/components/headers/${name}` }]));

function response({ doc, schema, contentType }: Operation['replies'][number]) {
  const content =
    schema === undefined
      ? { [contentType ?? 'application/json']: {} }
      : json(schema, schema === 'Problem' ? 'application/problem+json' : 'application/json');
  return { description: doc, headers: AGES, content };
}

/** What can be said of any question. */
function common({ open, body, query, pathParameters }: Operation): ProblemType[] {
  return [
    ...(body || query || pathParameters ? (['bad-input'] as const) : []),
    ...(open ? [] : (['unauthenticated', 'forbidden', 'unavailable'] as const)),
    ...(body === undefined ? [] : (['too-slow', 'too-long', 'not-json'] as const)),
    'busy',
    'fault',
  ];
}

function problemResponses(types: readonly ProblemType[], told: readonly string[]) {
  const byStatus = Map.groupBy(types, (type) => String(PROBLEMS[type].status));
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !told.includes(status))
      .map(([status, group]) => {
        const description = group.map((type) => `${PROBLEMS[type].title} (\`${type}\`).`).join(' ');
        return [status, { description, content: json('Problem', 'application/problem+json') }];
      }),
  );
}

/** Without the words that only the API server and our own pages read. */
function plain(schema: z.ZodType): JsonSchema {
  return mapSchema(annotated(schema), (level) =>
    Object.fromEntries(Object.entries(level).filter(([keyword]) => !/^(x-kubernetes-.*|noun|intOrString)$/.test(keyword))),
  );
}
