/**
 * Requirements on labels, and label selectors made of them: whether labels meet them, as the API machinery decides
 * (apimachinery, pkg/labels/selector.go; component-helpers, scheduling/corev1/nodeaffinity).
 */
import type { Requirement, Selector } from './types.ts';

export type Labels = Readonly<Record<string, string>>;

/** What a selector that was left out selects: a LabelSelector of nil is nothing, of `{}` everything. */
export const NOTHING: Selector = [{ key: '', operator: 'In', values: [] }];

/** Whether labels meet every requirement; an empty list takes all. */
export function selects(selector: Selector, labels: Labels): boolean {
  for (const requirement of selector) if (!meets(requirement, labels)) return false;
  return true;
}

/** A label that is missing meets NotIn and DoesNotExist. */
export function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const found: unknown = labels[key];
  // Labels may be called `constructor`, which every object has.
  const value = typeof found === 'string' ? found : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [have, bound] = [integer(value), integer(values[0])];
      if (have === undefined || bound === undefined) return false;
      return operator === 'Gt' ? have > bound : have < bound;
    }
    default:
      operator satisfies never;
      return false;
  }
}

const MOST = 2n ** 63n;

/** As strconv.ParseInt reads 64 bits; undefined where that is an error. */
export function integer(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?[0-9]{1,40}$/.test(text)) return undefined;
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return number >= -MOST && number < MOST ? number : undefined;
}

/** One spelling for selectors that mean the same, so that results can be kept by it. */
export function canonical(requirements: readonly Requirement[]): Requirement[] {
  const spelt = new Map(requirements.map((it) => [spell(it), it]));
  return [...spelt]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { key, operator, values }]) => ({ key, operator, values: sorted(values) }));
}

const spell = ({ key, operator, values }: Requirement) => JSON.stringify([key, operator, sorted(values)]);
const sorted = (values: readonly string[]) => (values.length < 2 ? values : [...new Set(values)].sort());
