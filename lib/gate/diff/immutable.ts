/**
 * What the API server refuses to change, as far as it is known without asking it: for Kubernetes' own kinds the tables of
 * fixed.ts and one-way.ts, for custom kinds the CRD's transition rules (x-kubernetes-validations with oldSelf).
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../api/manifest.ts';
import { fields, items, text, within } from '../shape.ts';
import { DEFAULTS, FIXED } from './fixed.ts';
import type { Leaf } from './leaves.ts';
import { ONE_WAY, type Verdict } from './one-way.ts';

export type { Verdict } from './one-way.ts';

/** Every field that this file knows of, as `Kind.path`, for the test that asks a real API server about each. */
export const immutableFields: readonly string[] = [
  ...Object.entries(FIXED).flatMap(([kind, { paths }]) => paths.map((path) => `${kind}.${path}`)),
  ...Object.entries(ONE_WAY).flatMap(([kind, ways]) => ways.map(({ path }) => (path === '' ? kind : `${kind}.${path}`))),
];

/**
 * What the API server says to one difference; `undefined` when it has nothing against it.
 * @param crd of the object's kind, where it is known
 */
export function verdict(leaf: Leaf, before: KubeObject, after: KubeObject, crd: KubeObject | undefined): Verdict | undefined {
  const { kind } = before;
  if (isDefault(kind, leaf)) return undefined;
  const ways = Object.hasOwn(ONE_WAY, kind) ? ONE_WAY[kind] : undefined;
  const way = ways?.find(({ path }) => path !== '' && isBelow(leaf, path));
  if (way !== undefined) return way.verdict(leaf, before, after);
  return ways?.find(({ path }) => path === '')?.verdict(leaf, before, after) ?? fixedField(kind, leaf) ?? transition(before, leaf, crd);
}

function isDefault(kind: string, { path, before, after }: Leaf): boolean {
  const name = `${kind}.${path.join('.')}`;
  if (!Object.hasOwn(DEFAULTS, name)) return false;
  return isDeepStrictEqual(before ?? DEFAULTS[name], after ?? DEFAULTS[name]);
}

function fixedField(kind: string, leaf: Leaf): Verdict | undefined {
  const fixed = Object.hasOwn(FIXED, kind) ? FIXED[kind] : undefined;
  const path = fixed?.paths.find((path) => isBelow(leaf, path));
  if (fixed === undefined || path === undefined || fixed.except?.some((path) => isBelow(leaf, path))) return undefined;
  return { is: 'refused', note: `${path} is immutable. ${fixed.remedy}` };
}

function isBelow({ path }: Leaf, of: string): boolean {
  return of.split('.').every((key, index) => path[index] === key);
}

/** `self == oldSelf`, `self.mac == oldSelf.mac`, or the same with has() on both sides for an optional field. */
const NEVER_CHANGES =
  /^(?:has\(self\.(\w+)\) == has\(oldSelf\.\1\) && \(!has\(self\.\1\) \|\| self\.\1 == oldSelf\.\1\)|self(?:\.(\w+))? == oldSelf(?:\.\2)?)$/;

/** Walks the CRD's schema down to the difference and reads the transition rules on the way: one that is sure counts first. */
function transition(before: KubeObject, leaf: Leaf, crd: KubeObject | undefined): Verdict | undefined {
  let perhaps: Verdict | undefined;
  const version = before.apiVersion.split('/')[1];
  const served = items(within(crd, 'spec').versions).find(({ item }) => item.name === version);
  let schema = within(served?.item, 'schema', 'openAPIV3Schema');
  for (const [depth, key] of leaf.path.entries()) {
    for (const { item } of items(schema['x-kubernetes-validations'])) {
      const rule = text(item.rule) ?? '';
      if (!rule.includes('oldSelf') || item.optionalOldSelf === true) continue;
      const said = text(item.message) ?? 'the CRD has a rule against it';
      const never = NEVER_CHANGES.exec(rule);
      const field = never?.[1] ?? never?.[2];
      if (never !== null && (field === undefined || field === key)) return { is: 'refused', note: `${said}.` };
      if (never === null && isNamed(leaf, depth, rule)) perhaps ??= { is: 'perhaps', note: said };
    }
    schema = key.startsWith('[') ? fields(schema.items) : fields(fields(schema.properties)[key] ?? schema.additionalProperties);
  }
  return perhaps;
}

/** Whether a rule that stands at `depth` speaks of the difference. An item that is new has no old self to be held against. */
function isNamed({ path, before }: Leaf, depth: number, rule: string): boolean {
  if (before === undefined && path.at(-1)?.startsWith('[')) return false;
  const below = path.slice(depth).filter((step) => !step.startsWith('['));
  return below.every((step) => new RegExp(`\\.${step}\\b`).test(rule));
}
