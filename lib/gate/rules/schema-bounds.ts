/** Bounds in a CRD's schema, as the API server reads them: kube-openapi's validation, and the keys of keyed lists. */
import { type Fields, fields, texts } from '../shape.ts';

/** What the schema allows instead; `undefined` when the value keeps to it. */
export function brokenBound(value: unknown, schema: Fields): string | undefined {
  if (typeof value === 'number') return brokenNumber(value, schema);
  if (typeof value === 'string') return brokenText(value, schema);
  if (Array.isArray(value)) return brokenCount(value.length, 'items', schema.minItems, schema.maxItems) ?? twice(value, schema);
  return undefined;
}

function brokenNumber(value: number, { minimum, maximum }: Fields): string | undefined {
  if (typeof minimum === 'number' && value < minimum) return `the schema wants at least ${minimum}`;
  return typeof maximum === 'number' && value > maximum ? `the schema allows at most ${maximum}` : undefined;
}

function brokenText(value: string, { pattern, minLength, maxLength }: Fields): string | undefined {
  const broken = brokenCount(value.length, 'characters', minLength, maxLength);
  if (broken !== undefined) return broken;
  return typeof pattern === 'string' && compiled(pattern)?.test(value) === false ? `the schema wants ${pattern}` : undefined;
}

function brokenCount(count: number, of: string, min: unknown, max: unknown): string | undefined {
  if (typeof min === 'number' && count < min) return `the schema wants at least ${min} ${of}`;
  return typeof max === 'number' && count > max ? `the schema allows at most ${max} ${of}` : undefined;
}

/** Two items that the API server takes for one. */
function twice(list: readonly unknown[], schema: Fields): string | undefined {
  const keyed = schema['x-kubernetes-list-type'] === 'map';
  if (!keyed && schema['x-kubernetes-list-type'] !== 'set') return undefined;
  const keys = texts(schema['x-kubernetes-list-map-keys']);
  const seen = new Set<string>();
  for (const item of list) {
    const values = keyed ? keys.map((key) => fields(item)[key]) : [item];
    // A key that is left out may have a default; what is no scalar is a wrong type.
    if (values.some((value) => typeof value !== 'string' && typeof value !== 'number')) continue;
    const identity = values.map((value) => JSON.stringify(value)).join(', ');
    if (seen.has(identity)) return `two items are ${identity}${keyed ? ` by ${keys.join(', ')}` : ''}`;
    seen.add(identity);
  }
  return undefined;
}

/** A pattern that only Go's syntax knows is left to the API server. */
function compiled(pattern: string): RegExp | undefined {
  if (!patterns.has(pattern)) {
    try {
      patterns.set(pattern, new RegExp(pattern));
    } catch {
      patterns.set(pattern, undefined);
    }
  }
  return patterns.get(pattern);
}
const patterns = new Map<string, RegExp | undefined>();
