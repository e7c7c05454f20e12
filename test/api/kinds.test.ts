/** One walk over every kind: whatever stands in KINDS is documented, bounded, exemplified and survives a round trip. */
import { describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { crd } from '../../lib/api/crd.ts';
import type { JsonSchema } from '../../lib/api/json-schema.ts';
import { annotated, editorSchema } from '../../lib/api/json-schema.ts';
import { KINDS } from '../../lib/api/kinds.ts';
import { referencePage } from '../../lib/api/reference.ts';
import type { Resource } from '../../lib/api/resource.ts';
import { REFUSALS } from './kinds-rules.ts';
import { objectOf } from './kinds-server.ts';

/** Every level of a schema with its path, the whole included. */
function levels(schema: JsonSchema, path: string): { path: string; level: JsonSchema }[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => levels(field, `${path}.${name}`));
  const items = schema.items === undefined ? [] : levels(schema.items, `${path}[]`);
  return [{ path, level: schema }, ...below, ...items];
}

const levelsOf = ({ spec, status }: Resource) => [
  ...levels(annotated(spec), 'spec'),
  ...(status === undefined ? [] : levels(annotated(status), 'status')),
];

/** The messages of all rules in a CRD's schema. */
function rulesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = ((schema as Record<string, unknown>)['x-kubernetes-validations'] ?? []) as readonly { message: string }[];
  const below = Object.values(schema).filter((value) => value !== own);
  return [...own.map(({ message }) => message), ...below.flatMap(rulesIn)];
}

const paths = (found: readonly { path: string }[]) => found.map(({ path }) => path);

describe.each(KINDS.map((resource) => [resource.kind, resource] as const))('%s', (_, resource) => {
  const all = levelsOf(resource);
  const examples = [resource.example, ...Object.values(resource.moreExamples ?? {})];

  test('every field says what it is, in a sentence', () => {
    expect(paths(all.filter(({ level }) => !/^.{4,}[.:]$/.test(level.description ?? '')))).toEqual([]);
  });

  test('every text, number and list is bounded', () => {
    const branches = all.flatMap(({ path, level }) => (level.anyOf ?? [level]).map((one) => ({ path, one })));
    const free = branches.filter(({ one }) => {
      if (one.type === 'string') return one.enum === undefined && one.maxLength === undefined;
      if (one.type === 'array') return one.maxItems === undefined;
      return (one.type === 'integer' || one.type === 'number') && (one.minimum === undefined || one.maximum === undefined);
    });
    expect(paths(free)).toEqual([]);
  });

  test('every list says how it merges, and the keys of its items are required or have a default', () => {
    const lists = all.filter(({ level }) => level.type === 'array');
    const unclear = lists.filter(({ level }) => {
      const keys = level['x-kubernetes-list-map-keys'] as readonly string[] | undefined;
      return (
        level['x-kubernetes-list-type'] === undefined ||
        keys?.some((key) => !level.items?.required?.includes(key) && level.items?.properties?.[key]?.default === undefined)
      );
    });
    expect(paths(unclear)).toEqual([]);
  });

  test('every field that is no object or list has an example, and it is right', () => {
    const plain = all.filter(({ level }) => level.type !== 'array' && level.type !== 'object' && level.const === undefined);
    const wrong = plain.filter(({ level: { examples: [example] = [], noun: _, intOrString: __, ...schema } }) => {
      return example === undefined || !z.fromJSONSchema(schema as never).safeParse(example).success;
    });
    expect(paths(wrong)).toEqual([]);
  });

  // RE2 has no look-around and no back-references; \d, \w and \s mean different things in the two.
  test('every pattern means the same in JavaScript and in RE2', () => {
    const patterns = [...all, { path: 'metadata.name', level: annotated(resource.name) }].flatMap(({ path, level }) =>
      (level.anyOf ?? [level]).map((one) => ({ path, pattern: String(one.pattern ?? '^$') })),
    );
    expect(paths(patterns.filter(({ pattern }) => /\(\?|\\[0-9dwsbDWSBpP]|\[\^/.test(pattern) || !/^\^.*\$$/.test(pattern)))).toEqual([]);
  });

  test('a default is a right value and is filled in once', () => {
    for (const example of examples) {
      const filled = resource.spec.parse(example);
      expect(resource.spec.parse(filled)).toEqual(filled);
    }
    const defaulted = all.filter(({ level }) => level.default !== undefined);
    const wrong = defaulted.filter(
      ({ level: { noun: _, ...schema } }) => !z.fromJSONSchema(schema as never).safeParse(schema.default).success,
    );
    expect(paths(wrong)).toEqual([]);
  });

  test('its examples are right, and come back from YAML as they went', () => {
    for (const example of examples) {
      expect(resource.spec.safeParse(example).error).toBeUndefined();
      expect(parse(stringify(objectOf(resource, example)))).toEqual(objectOf(resource, example));
    }
  });

  test('an editor takes its examples and underlines an unknown field', () => {
    const editor = z.fromJSONSchema(editorSchema(resource) as never);
    for (const example of examples) {
      expect(editor.safeParse(objectOf(resource, example)).error).toBeUndefined();
      expect(editor.safeParse(objectOf(resource, { ...(example as object), nonsense: 1 })).success).toBe(false);
    }
  });

  test('its CRD comes back from YAML as it went', () => {
    expect(parse(stringify(crd(resource)))).toEqual(JSON.parse(JSON.stringify(crd(resource))));
  });

  test('columns, selectors and the scale subresource point at fields that are there', () => {
    const { scale, columns, selectableFields = [] } = resource;
    const pointed = [
      ...columns.map(({ jsonPath }) => jsonPath),
      ...selectableFields,
      ...(scale === undefined ? [] : Object.values(scale).filter((path) => path !== undefined)),
    ];
    const known = new Set(all.map(({ path }) => `.${path}`));
    expect(pointed.filter((path) => !known.has(path))).toEqual([]);
    expect(columns.length).toBeGreaterThan(0);
  });

  test('says what it cannot check itself, and who does', () => {
    expect(Object.keys(resource.checkedElsewhere ?? {})).not.toEqual([]);
  });

  test('every rule has an object that it refuses', () => {
    const { openAPIV3Schema } = crd(resource).spec.versions[0]!.schema!;
    const shown = new Set(REFUSALS.filter(({ kind }) => kind === resource).map(({ rule }) => rule));
    expect([...shown].sort()).toEqual([...new Set(rulesIn(openAPIV3Schema))].sort());
  });

  test('its reference page has a line for each field and each rule', () => {
    const page = referencePage(resource);
    const missing = all.filter(({ path }) => path.includes('.') && !path.endsWith('[]') && !page.includes(`| \`${path}\` |`));
    expect(paths(missing)).toEqual([]);
    const rules = all.flatMap(({ level }) => (level['x-kubernetes-validations'] ?? []) as readonly { message: string }[]);
    expect([...rules, ...(resource.rules ?? [])].filter(({ message }) => !page.includes(message.replaceAll('<', '&lt;')))).toEqual([]);
  });
});

test('no two kinds share a name', () => {
  const names = KINDS.flatMap(({ kind, plural, shortNames }) => [kind.toLowerCase(), plural, ...shortNames]);
  expect(new Set(names).size).toBe(names.length);
});
