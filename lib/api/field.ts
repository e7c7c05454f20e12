/**
 * Fields: each is described once (type, bound, default, doc, example, remedy) and everything else is derived from that:
 * TypeScript type, CRD, JSON Schema, reference page, message to the person who typed it wrong.
 * zod underneath; these builders only make doc and noun compulsory and keep to what a CRD's structural schema can say.
 */
import * as z from 'zod';

/** What is known of a field beyond its zod schema. */
export interface FieldFacts {
  /** One sentence for the reference page and the editor's hover. */
  readonly doc: string;
  /** How a message names the field where its key would not do: `VLAN id`. */
  readonly label?: string;
  /** What the value is called in a sentence: `an 802.1Q id`. */
  readonly noun?: string;
  /** What to do when the value is wrong. */
  readonly remedy?: string;
  /** A right value. */
  readonly example?: unknown;
}

/** Facts by schema; survives `.optional()` and `.default()`, which wrap the schema that has them. */
export const facts = z.registry<FieldFacts>();

interface Common<T> extends FieldFacts {
  readonly default?: T;
}
type Defaulted<O, S extends z.ZodType> = O extends { default: unknown } ? z.ZodDefault<S> : S;

function described<O extends Common<unknown>, S extends z.ZodType>(options: O, schema: S): Defaulted<O, S> {
  const { doc, label, noun, remedy, example } = options;
  const named = schema.meta({
    ...z.globalRegistry.get(schema),
    description: doc,
    ...(example === undefined ? {} : { examples: [example] }),
  }) as S;
  facts.add(named, { doc, label, noun, remedy, example });
  return (options.default === undefined ? named : named.default(options.default as never)) as Defaulted<O, S>;
}

/** A whole number between `min` and `max`, both included. */
export function integer<const O extends Common<number> & { min: number; max: number }>(options: O): Defaulted<O, z.ZodInt> {
  const noun = `${options.noun ?? 'this'} is ${options.min} to ${options.max}`;
  return described({ ...options, noun }, z.int().min(options.min).max(options.max)) as Defaulted<O, z.ZodInt>;
}

/** A number between `min` and `max`, both included. */
export function number<const O extends Common<number> & { min: number; max: number }>(options: O): Defaulted<O, z.ZodNumber> {
  const noun = `${options.noun ?? 'this'} is ${options.min} to ${options.max}`;
  return described({ ...options, noun }, z.number().min(options.min).max(options.max)) as Defaulted<O, z.ZodNumber>;
}

/**
 * Text of at most `max` characters (code points, as the API server counts) that matches `pattern`.
 * A pattern keeps to what JavaScript and Go's RE2 read alike: no look-around, no back-references, no `\d` and friends.
 */
export function text<const O extends Common<string> & { max: number; min?: number; pattern?: RegExp }>(
  options: O,
): Defaulted<O, z.ZodString> {
  let schema = z.string().check((ctx) => refuseLonger(ctx, options.max));
  if (options.min !== undefined) schema = schema.min(options.min);
  if (options.pattern !== undefined) schema = schema.regex(options.pattern);
  return described(options, schema.meta({ maxLength: options.max })) as Defaulted<O, z.ZodString>;
}

/** zod's own `max` counts UTF-16 units, the API server code points: a pictogram is two of the one and one of the other. */
function refuseLonger(ctx: z.core.ParsePayload<string>, max: number): void {
  if (ctx.value.length <= max || [...ctx.value].length <= max) return;
  ctx.issues.push({ code: 'too_big', origin: 'string', maximum: max, inclusive: true, input: ctx.value });
}

/** One of a few words. */
export function oneOf<const W extends readonly [string, ...string[]], const O extends Common<W[number]>>(
  words: W,
  options: O,
): Defaulted<O, z.ZodEnum<{ [K in W[number]]: K }>> {
  return described(options, z.enum(words)) as never;
}

/** Yes or no. */
export function flag<const O extends Common<boolean>>(options: O): Defaulted<O, z.ZodBoolean> {
  return described(options, z.boolean()) as Defaulted<O, z.ZodBoolean>;
}

/** A record with fixed keys; unknown ones are refused, as the API server does under strict field validation. */
export function object<const O extends FieldFacts & Rules, F extends z.ZodRawShape>(options: O, fields: F): z.ZodObject<F, z.core.$strict> {
  return described(options, z.strictObject(fields).meta(rulesMeta(options))) as z.ZodObject<F, z.core.$strict>;
}

interface ListOptions extends FieldFacts, Rules {
  readonly max: number;
  readonly min?: number;
  /** Items are told apart by this field, or by these together; two with the same values are refused. */
  readonly key?: string | readonly string[];
  /** No two items are alike. `ordered`: and their order counts, so that server-side apply replaces the list whole. */
  readonly set?: boolean | 'ordered';
}

/** A list; without `key` or `set` items may repeat, and server-side apply replaces it whole. */
export function list<const O extends ListOptions, I extends z.ZodType>(options: O, item: I): z.ZodArray<I> {
  const { set = false, rules = [] } = options;
  const keys = typeof options.key === 'string' ? [options.key] : options.key;
  let schema = z.array(item).max(options.max);
  if (options.min !== undefined) schema = schema.min(options.min);
  if (keys !== undefined || set !== false) schema = schema.check((ctx) => refuseTwice(ctx, keys));
  const all = set === 'ordered' ? [...rules, EACH_ONCE] : rules;
  const meta = { ...listType(keys, set), ...(all.length === 0 ? {} : rulesMeta({ rules: all })) };
  return described(options, schema.meta(meta)) as z.ZodArray<I>;
}

const EACH_ONCE: Rule = { rule: 'self.all(one, self.exists_one(other, other == one))', message: 'no item may stand here twice' };

function listType(keys: readonly string[] | undefined, set: ListOptions['set']): Record<string, unknown> {
  if (keys !== undefined) return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
  return { 'x-kubernetes-list-type': set === true ? 'set' : 'atomic' };
}

function refuseTwice(ctx: z.core.ParsePayload<unknown[]>, keys: readonly string[] | undefined): void {
  const seen = new Set<string>();
  ctx.value.forEach((item, index) => {
    const ids = keys === undefined ? [item] : keys.map((key) => (item as Record<string, unknown>)?.[key]);
    const id = ids.map((one) => JSON.stringify(one)).join(', ');
    if (seen.has(id))
      ctx.issues.push({
        code: 'custom',
        message: `${id} stands here twice`,
        path: [index, ...(keys ?? []).slice(0, 1)],
        input: ids[0],
      });
    seen.add(id);
  });
}

/** Names → values, for definitions: names unique by language, paths sayable. Kinds use `list` with `key` instead. */
export function record<const O extends FieldFacts & { max: number; min?: number }, K extends z.core.$ZodRecordKey, V extends z.ZodType>(
  options: O,
  key: K,
  value: V,
): z.ZodRecord<K, V> {
  const schema = z.partialRecord(key, value).check((ctx) => {
    const size = Object.keys(ctx.value as object).length;
    const { min = 0 } = options;
    if (size < min)
      ctx.issues.push({ code: 'custom', message: `has ${size} entries; at least ${min} is needed`, path: [], input: ctx.value });
    if (size > options.max)
      ctx.issues.push({ code: 'custom', message: `has ${size} entries; at most ${options.max} are allowed`, path: [], input: size });
  });
  return described(
    options,
    schema.meta({ maxProperties: options.max, ...(options.min === undefined ? {} : { minProperties: options.min }) }),
  ) as z.ZodRecord<K, V>;
}

/** An object whose inside is somebody else's schema (a pod spec): kept as it is, checked by its owner. */
export function foreign<const O extends FieldFacts>(options: O): z.ZodObject<Record<never, never>, z.core.$loose> {
  return described(options, z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true })) as z.ZodObject<
    Record<never, never>,
    z.core.$loose
  >;
}

/** A rule over several fields, as the API server checks it (CEL). */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** CEL that makes the message, to name what was found; `message` stands in when it fails. */
  readonly messageExpression?: string;
  /** The rule also runs on create; `oldSelf` is an optional then (KEP-4008). */
  readonly optionalOldSelf?: true;
  /** Where the API server says the mistake is, below the object that has the rule: `.region`. */
  readonly fieldPath?: string;
}
interface Rules {
  readonly rules?: readonly Rule[];
}
function rulesMeta({ rules }: Rules): Record<string, unknown> {
  return rules === undefined ? {} : { 'x-kubernetes-validations': rules };
}
