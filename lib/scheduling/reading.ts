/**
 * Reading what somebody else wrote: each value comes out in the shape it should have, and what hasn't that shape becomes a
 * problem with its path. Nothing is thrown, so one reading tells all that is wrong.
 */
import { spell } from '../api/issue.ts';
import type { Problem } from '../api/problem.ts';

export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = Object.freeze({});

/** The longest list that is read: no pod the API server takes has a longer one, as an object has 1.5 MiB at most. */
const MOST_ITEMS = 1000;

export interface Reader {
  readonly problems: Problem[];
  /** `what` is the sentence, without the path. */
  wrong(path: string, what: string, got: unknown, allowed: string, remedy?: string): void;
  /** An object; an empty one where there is none. */
  fields(value: unknown, path: string): Fields;
  /** The objects of a list, each with its path. */
  items(value: unknown, path: string): readonly { readonly item: Fields; readonly path: string }[];
  /** The texts of a list. */
  texts(value: unknown, path: string): readonly string[];
  /** The entries of a map of texts. */
  labels(value: unknown, path: string): Readonly<Record<string, string>>;
  text(value: unknown, path: string): string | undefined;
  /** One of a few words. */
  word<const W extends string>(value: unknown, path: string, words: readonly W[]): W | undefined;
  integer(value: unknown, path: string, min: number, max: number): number | undefined;
}

export function reader(): Reader {
  const problems: Problem[] = [];
  const wrong: Reader['wrong'] = (path, what, got, allowed, remedy) => {
    // A list is read once for each thing that is looked for in it.
    if (problems.some((it) => it.path === path && it.what === what)) return;
    problems.push({ path, what, got, allowed, remedy, severity: 'error' });
  };
  const notA = (path: string, got: unknown, allowed: string) => wrong(path, `${lastOf(path)} is ${spell(got)}`, got, allowed);

  const listOf = (value: unknown, path: string): readonly unknown[] => {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) notA(path, value, 'it is a list');
    else if (value.length > MOST_ITEMS) wrong(path, `${lastOf(path)} has ${value.length} items`, value.length, `at most ${MOST_ITEMS}`);
    else return value;
    return [];
  };
  const fields = (value: unknown, path: string): Fields => {
    if (value === undefined || value === null) return NONE;
    if (typeof value === 'object' && !Array.isArray(value)) return value as Fields;
    notA(path, value, 'it is an object');
    return NONE;
  };
  const text = (value: unknown, path: string): string | undefined => {
    if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
    notA(path, value, 'it is text');
    return undefined;
  };

  return {
    problems,
    wrong,
    fields,
    text,
    items: (value, path) =>
      listOf(value, path).map((item, index) => ({ item: fields(item, `${path}[${index}]`), path: `${path}[${index}]` })),
    texts: (value, path) => listOf(value, path).flatMap((item, index) => text(item, `${path}[${index}]`) ?? []),
    labels(value, path) {
      const entries = Object.entries(fields(value, path));
      if (entries.every(([, it]) => typeof it === 'string')) return fields(value, path) as Readonly<Record<string, string>>;
      return Object.fromEntries(entries.flatMap(([key, it]) => [[key, text(it, below(path, key))]]).filter(([, it]) => it !== undefined));
    },
    word(value, path, words) {
      if (value === undefined || value === null) return undefined;
      const found = words.find((word) => word === value);
      if (found === undefined) notA(path, value, `allowed are ${words.join(', ')}`);
      return found;
    },
    integer(value, path, min, max) {
      if (value === undefined || value === null) return undefined;
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
      notA(path, value, `a whole number of ${min} to ${max}`);
      return undefined;
    },
  };
}

/** A path one key longer: `metadata.labels["app.kubernetes.io/name"]`. */
export function below(path: string, key: string): string {
  return /^[A-Za-z_][\w-]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

const lastOf = (path: string): string => /([\w-]+)(?:\[[^\]]*\])?$/.exec(path)?.[1] ?? path;
