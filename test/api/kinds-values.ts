/**
 * Values of a kind's schema for properties: right ones, and right ones with one thing spoilt.
 * Made from the JSON Schema, so that a new field is covered by being declared.
 */
import fc from 'fast-check';
import type { JsonSchema } from '../../lib/api/json-schema.ts';

type Value = fc.Arbitrary<unknown>;

/** Right values of `schema`. `always` names fields (by path without indices) that are not left out, `never` those that are. */
export function valuesOf(schema: JsonSchema, { always = [], never = [] }: Presence = {}, path = ''): Value {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valuesOf(one, { always, never }, path)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (foreign(schema)) return anything;
  switch (schema.type) {
    case 'string':
      return textsOf(schema);
    case 'integer':
      return integersOf(schema);
    case 'number':
      return fc.double({ min: schema.minimum as number, max: schema.maximum as number, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return listsOf(schema, { always, never }, path);
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).filter(([name]) => !never.includes(`${path}.${name}`));
      const inner = fields.map(([name, field]) => [name, valuesOf(field, { always, never }, `${path}.${name}`)] as const);
      const there = fields.map(([name]) => name).filter((name) => schema.required?.includes(name) || always.includes(`${path}.${name}`));
      return fc.record(Object.fromEntries(inner), { requiredKeys: there, noNullPrototype: true });
    }
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

interface Presence {
  readonly always?: readonly string[];
  readonly never?: readonly string[];
}

const integersOf = ({ minimum, maximum }: JsonSchema): Value => {
  const [min, max] = [minimum as number, maximum as number];
  // Numbers at the bounds are where two validators part.
  return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
};

function textsOf({ pattern, maxLength, minLength }: JsonSchema): Value {
  const [max, min] = [maxLength as number, (minLength as number | undefined) ?? 0];
  if (pattern === undefined) return fc.string({ unit: 'binary', minLength: min, maxLength: Math.min(max, 40) });
  return fc.stringMatching(new RegExp(pattern as string)).filter((text) => text.length >= min && text.length <= max);
}

function listsOf(schema: JsonSchema, presence: Presence, path: string): Value {
  const [minLength, maxLength] = [(schema.minItems as number | undefined) ?? 0, Math.min(schema.maxItems as number, 4)];
  const item = valuesOf(schema.items!, presence, path);
  const keys = schema['x-kubernetes-list-map-keys'] as readonly string[] | undefined;
  if (mayRepeat(schema)) return fc.array(item, { minLength, maxLength });
  // One key alone, the one without a default: items that differ in it are certainly not alike, whatever the defaults of the others.
  const selector = (one: unknown) => (keys === undefined ? one : (one as Record<string, unknown>)[keys.at(-1)!]);
  return fc.uniqueArray(item, { minLength, maxLength, selector });
}

const foreign = (schema: JsonSchema) => schema['x-kubernetes-preserve-unknown-fields'] === true;

/** An ordered list of unlike items is atomic to server-side apply and has a rule instead. */
const mayRepeat = (schema: JsonSchema) => schema['x-kubernetes-list-type'] === 'atomic' && schema['x-kubernetes-validations'] === undefined;

/** The inside of a foreign object. Kubernetes reads numbers as int64 or float64, so these come back as they went. */
const anything: Value = fc.dictionary(
  fc.stringMatching(/^[a-z][a-zA-Z]{0,8}$/),
  fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.boolean(), fc.constant({ deep: [{ er: 1 }] })),
  { maxKeys: 3, noNullPrototype: true },
);

/** One thing to do to a right value that should make it wrong. */
export interface Spoilt {
  readonly how: string;
  readonly value: unknown;
}

/** Every way to spoil `value` once, by its schema. */
export function spoil(schema: JsonSchema, value: unknown, path = ''): Spoilt[] {
  const here = wrongInstead(schema, value).map(([how, wrong]) => ({ how: `${path || '.'}: ${how}`, value: wrong }));
  const within = (key: string | number, inner: JsonSchema, child: unknown) =>
    spoil(inner, child, typeof key === 'number' ? `${path}[]` : `${path}.${key}`).map(({ how, value: wrong }) => ({
      how,
      value: Array.isArray(value) ? value.with(key as number, wrong) : { ...(value as object), [key]: wrong },
    }));
  if (Array.isArray(value)) return [...here, ...value.slice(0, 1).flatMap((item, index) => within(index, schema.items!, item))];
  if (schema.properties === undefined || foreign(schema)) return here;
  const fields = Object.entries(value as object);
  return [...here, ...fields.flatMap(([name, child]) => within(name, schema.properties![name]!, child))];
}

function wrongInstead(schema: JsonSchema, value: unknown): [string, unknown][] {
  if (schema.anyOf !== undefined) {
    const branches = schema.anyOf.flatMap((one) => bounds(one, value));
    return [...branches, ['a list instead', []], ['yes or no instead', true], ['a fraction', 0.5]];
  }
  return [...bounds(schema, value), ...otherTypes(schema)];
}

function otherTypes({ type, items }: JsonSchema): [string, unknown][] {
  const all: [string, string[], unknown][] = [
    ['text instead', ['string'], 'text'],
    ['a number instead', ['integer', 'number'], 7],
    ['yes or no instead', ['boolean'], true],
    ['a list instead', ['array'], []],
    ['an object instead', ['object'], {}],
  ];
  const fraction: [string, unknown][] = type === 'integer' ? [['a fraction', 1.5]] : [];
  const inside: [string, unknown][] = items === undefined ? [] : [['an item of another type', [[[]]]]];
  return [
    ...all.filter(([, types]) => !types.includes(type!)).map(([how, , wrong]): [string, unknown] => [how, wrong]),
    ...fraction,
    ...inside,
  ];
}

function bounds(schema: JsonSchema, value: unknown): [string, unknown][] {
  const { minimum, maximum, minLength, maxLength, pattern, minItems, enum: words, required = [], properties } = schema;
  const wrong: [string, unknown][] = [];
  if (minimum !== undefined) wrong.push(['below minimum', (minimum as number) - 1]);
  if (maximum !== undefined && (maximum as number) < Number.MAX_SAFE_INTEGER) wrong.push(['above maximum', (maximum as number) + 1]);
  if (typeof minLength === 'number' && minLength > 0) wrong.push(['too short', '']);
  if (typeof maxLength === 'number')
    wrong.push(['too long', 'a'.repeat(maxLength + 1)], ['too long in pictograms', '🧧'.repeat(maxLength + 1)]);
  if (pattern !== undefined) {
    wrong.push(['not matching', '\u0000'], ['a line too many', `${typeof value === 'string' ? value : ''}\n`], ['not ASCII', 'ａ']);
  }
  if (words !== undefined) wrong.push(['an unknown word', 'nonsense'], ['an empty word', '']);
  if (Array.isArray(value) && typeof minItems === 'number' && minItems > 0) wrong.push(['too few', []]);
  if (Array.isArray(value) && value.length > 0 && !mayRepeat(schema)) wrong.push(['twice the same', [...value, value[0]]]);
  if (Array.isArray(value) && value.length > 0) wrong.push(...tooMany(schema, value[0]));
  if (properties !== undefined && !foreign(schema) && typeof value === 'object') {
    wrong.push(['an unknown field', { ...value, nonsense: 1 }]);
    for (const name of required) {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      wrong.push([`without ${name}`, rest]);
    }
  }
  return wrong;
}

/** One item more than allowed, no two alike where likes are refused as well. Empty when there are not so many different ones. */
function tooMany(schema: JsonSchema, first: unknown): [string, unknown][] {
  const length = (schema.maxItems as number) + 1;
  if (mayRepeat(schema)) return [['too many', Array(length).fill(first)]];
  const key = ((schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[]).at(-1);
  const different = key === undefined ? schema.items! : schema.items!.properties![key]!;
  if (different.type === 'integer' && (different.maximum as number) - (different.minimum as number) + 1 < length) return [];
  const values = fc.uniqueArray(valuesOf(different), { minLength: length, maxLength: length, size: 'max' });
  const [ids] = fc.sample(values, { numRuns: 1, seed: 1 }) as [unknown[]];
  return [['too many', key === undefined ? ids : ids.map((id) => ({ ...(first as object), [key]: id }))]];
}
