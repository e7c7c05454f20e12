import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openapi } from '../../../lib/scheduling/http/openapi.ts';
import { find, OPERATIONS } from '../../../lib/scheduling/http/operations.ts';
import { PROBLEMS, problemsPage } from '../../../lib/scheduling/http/problem.ts';
import { SCHEMAS } from '../../../lib/scheduling/http/schemas.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document as its readers see it
const document = JSON.parse(JSON.stringify(openapi('0.1.0'))) as any;

function* refs(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') yield inner;
    else yield* refs(inner);
  }
}

test('every operation is described, under its own path and method', () => {
  for (const { id, path, method } of OPERATIONS) expect(document.paths[path][method.toLowerCase()].operationId).toBe(id);
  expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
});

test('what the description refers to is in it', () => {
  const found = [...new Set(refs(document))];
  expect(found.length).toBeGreaterThan(4);
  for (const ref of found)
    expect(
      ref
        .slice(2)
        .split('/')
        .reduce((at, key) => at?.[key], document),
    ).toBeDefined();
});

test('each parameter of a path is described, and none that is not there', () => {
  for (const { path, method } of OPERATIONS) {
    const { parameters = [] } = document.paths[path][method.toLowerCase()];
    const described = parameters.filter((one: { in: string }) => one.in === 'path').map(({ name }: { name: string }) => name);
    expect(described).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  }
});

test('it has the bounds of the Lock kind, and no words that only the API server reads', () => {
  const { LockQuestion, StockQuestion } = document.components.schemas;
  expect(LockQuestion.properties.spec.properties.count).toMatchObject({ type: 'integer', minimum: 1, maximum: 5000 });
  expect(StockQuestion.properties.strategy).toMatchObject({ enum: ['concentrate', 'spread'], default: 'spread' });
  expect(JSON.stringify(document)).not.toMatch(/x-kubernetes|"noun"/);
});

test('the examples of questions are right ones', () => {
  expect(document.components.schemas.StockQuestion.examples).toHaveLength(1);
  expect(document.components.schemas.LockQuestion.examples).toHaveLength(1);
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const { examples = [] } = document.components.schemas[name];
    for (const example of examples) expect(schema.safeParse(example).error).toBeUndefined();
  }
});

test('each type of problem has its section on the page that the API serves and on the one in docs, and none has another', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/stock-api.md'), 'utf8');
  const types = Object.keys(PROBLEMS);
  const sections = (text: string, level: string) => [...text.matchAll(new RegExp(`^${level} ([a-z-]+)$`, 'gm'))].map(([, type]) => type);
  expect(sections(problemsPage(), '##')).toEqual(types);
  expect(sections(page, '###')).toEqual(types);
});

test('a path is found by its segments, a name may be anything that one segment holds', () => {
  expect(find('GET', '/v1/locks/feed/a%2Fb')).toMatchObject({ operation: { id: 'getLock' }, params: { namespace: 'feed', name: 'a%2Fb' } });
  expect(find('HEAD', '/openapi.json')).toMatchObject({ operation: { id: 'openapi' } });
  expect(find('PATCH', '/v1/locks/feed/a')).toEqual({ allowed: ['GET', 'DELETE'] });
  expect(find('GET', '/v1/locks/feed/a/b/c')).toEqual({ allowed: [] });
  expect(find('GET', '//v1/stock')).toEqual({ allowed: [] });
});
