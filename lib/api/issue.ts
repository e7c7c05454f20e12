/** From what zod found to a problem in the operator's words: where, what, value got, what is allowed, remedy. */
import { closest, distance } from 'fastest-levenshtein';
import * as z from 'zod';
import type { FieldFacts } from './field.ts';
import { facts } from './field.ts';
import type { Problem } from './problem.ts';

type Path = readonly PropertyKey[];

/** `['pools', 'web', 'vlans', '110']` → `pools.web.vlans.110`; list items as `instanceTypes[1]`. */
export function spellPath(path: Path): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');
}

/** A value as a message shows it, cut at 60 characters: a definition may hold anything. */
export function spell(value: unknown, longest = 60): string {
  const text =
    typeof value === 'string'
      ? `'${value}'`
      : value === undefined
        ? 'undefined'
        : typeof value === 'object' && value !== null
          ? JSON.stringify(value)
          : String(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** The known word nearest to what was typed, where a slip of the keys explains it. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  // A number is not misspelt: 1.12 is no slip of 1.35.
  if (known.length === 0 || /^[0-9.]+$/.test(typed)) return undefined;
  const best = closest(typed, known);
  return distance(typed, best) <= Math.max(2, Math.floor(typed.length / 3)) ? best : undefined;
}

/** `Did you mean 'web'?`, or the other remedy. */
export function didYouMean(typed: string, known: readonly string[], otherwise: string): string {
  const best = nearest(typed, known);
  return best === undefined ? otherwise : `Did you mean '${best}'?`;
}

/** All problems of one zod issue; `root` is the schema that was asked, `input` what it was given. */
export function problemsOf(issue: z.core.$ZodIssue, root: z.ZodType, input: unknown): Problem[] {
  const path = spellPath(issue.path);
  const got = at(input, issue.path);
  const known = factsAt(root, issue.path, input);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const keys = keysAt(root, issue.path, input);
      return issue.keys.map((key) => ({
        path: spellPath([...issue.path, key]),
        what: `${key} is no known key`,
        got: at(got, [key]),
        allowed: `known here are ${keys.join(', ')}`,
        remedy: didYouMean(key, keys, 'Remove it.'),
        severity: 'error',
      }));
    }
    case 'invalid_key': {
      const key = String(issue.path.at(-1));
      const keyFacts = factsOfKey(root, issue.path.slice(0, -1), input);
      return [{ path, what: `${keyFacts.label ?? 'name'} is ${key}`, got: key, ...allowance(keyFacts), severity: 'error' }];
    }
    case 'custom':
      return [{ path, what: issue.message, got: issue.input ?? got, ...allowance(known), severity: 'error' }];
    default:
      if (got === undefined) return [missing(path, issue, known, schemaAt(root, issue.path, input))];
      return [
        {
          path,
          what: `${known.label ?? labelOf(issue.path)} is ${spell(got)}`,
          got,
          ...allowance(known, words(issue), got),
          severity: 'error',
        },
      ];
  }
}

function missing(path: string, issue: z.core.$ZodIssue, known: FieldFacts, schema: z.core.$ZodType | undefined): Problem {
  const shape = issue.code === 'invalid_union' ? 'intranet({ … }) or ec2({ … }) gives it' : allowance(known, words(issue)).allowed;
  const example = schema && exampleOf(schema);
  const remedy =
    example === undefined ? `Add ${labelOf(issue.path)}.` : `Add it, for example ${labelOf(issue.path)}: ${spell(example, 160)}.`;
  return { path, what: `${labelOf(issue.path)} is missing`, allowed: shape, remedy, severity: 'error' };
}

/** A right value of a schema, as far as its fields have examples. */
function exampleOf(schema: z.core.$ZodType): unknown {
  const { inner, known } = unwrap(schema);
  if (known?.example !== undefined) return known.example;
  if (inner instanceof z.ZodArray) return [exampleOf(inner.element)];
  if (inner instanceof z.ZodRecord) return { [String(exampleOf(inner.keyType))]: exampleOf(inner.valueType) };
  if (!(inner instanceof z.ZodObject)) return undefined;
  const needed = Object.entries(inner.shape).filter(([, field]) => field._zod.optin !== 'optional');
  return Object.fromEntries(needed.map(([name, field]) => [name, exampleOf(field)]));
}

const labelOf = (path: Path): string => {
  const last = path.findLast((key) => typeof key !== 'number');
  return last === undefined ? 'the definition' : String(last);
};

/** The words an enum or literal allows. */
function words(issue: z.core.$ZodIssue): readonly string[] {
  return issue.code === 'invalid_value' ? issue.values.map(String) : [];
}

function allowance(known: FieldFacts, choices: readonly string[] = [], got?: unknown): Pick<Problem, 'allowed' | 'remedy'> {
  const allowed =
    choices.length > 0
      ? `allowed are ${choices.join(', ')}`
      : known.noun === undefined
        ? undefined
        : / is /.test(known.noun)
          ? known.noun
          : `it is ${known.noun}`;
  const example = known.example === undefined ? 'See the reference of this field.' : `For example ${spell(known.example)}.`;
  const unquoted = typeof got === 'number' && choices.includes(String(got)) ? `Write it in quotes: '${got}'.` : undefined;
  return {
    allowed:
      allowed ??
      (known.doc === '' ? 'a value of its field' : `it is: ${known.doc.charAt(0).toLowerCase()}${known.doc.slice(1).replace(/\.$/, '')}`),
    remedy: unquoted ?? known.remedy ?? (typeof got === 'string' ? didYouMean(got, choices, example) : example),
  };
}

export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

/** A schema without what wraps it: optional, default, nullable. Facts may sit on any layer; the outermost wins. */
function unwrap(schema: z.core.$ZodType): { inner: z.core.$ZodType; known: FieldFacts | undefined } {
  let inner = schema;
  let known = facts.get(inner);
  while ('innerType' in inner._zod.def) {
    inner = inner._zod.def.innerType as z.core.$ZodType;
    known ??= facts.get(inner);
  }
  return { inner, known };
}

/** The schema that judged the value at `path`. */
export function schemaAt(root: z.core.$ZodType, path: Path, input: unknown): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  let value = input;
  for (const key of path) {
    schema = schema && step(chosen(unwrap(schema).inner, value), key);
    value = at(value, [key]);
  }
  return schema;
}

/** Of a union by `shape`, the branch that the value says it is. */
function chosen(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  return (
    schema.options.find((option) => option instanceof z.ZodObject && option.shape.shape?.safeParse(at(value, ['shape'])).success) ?? schema
  );
}

function step(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(key)];
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (schema instanceof z.ZodArray) return schema.element;
  return undefined;
}

function factsAt(root: z.ZodType, path: Path, input: unknown): FieldFacts {
  const schema = schemaAt(root, path, input);
  return (schema && unwrap(schema).known) ?? { doc: '' };
}

function factsOfKey(root: z.ZodType, path: Path, input: unknown): FieldFacts {
  const schema = schemaAt(root, path, input);
  const inner = schema && unwrap(schema).inner;
  return (inner instanceof z.ZodRecord ? unwrap(inner.keyType).known : undefined) ?? { doc: '' };
}

function keysAt(root: z.ZodType, path: Path, input: unknown): string[] {
  const schema = schemaAt(root, path, input);
  const inner = schema && chosen(unwrap(schema).inner, at(input, path));
  if (inner instanceof z.ZodRecord && inner.keyType instanceof z.ZodEnum) return inner.keyType.options.map(String);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
