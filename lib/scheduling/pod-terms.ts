/**
 * How pods want to stand to each other, read from a pod's spec: required topology spread, affinity and anti-affinity. What the
 * API server would have merged into the selectors of a stored pod (`matchLabelKeys`) is merged here.
 */
import { requirementOf } from './node-terms.ts';
import type { Fields, Reader } from './reading.ts';
import { canonical, type Labels, NOTHING } from './requirement.ts';
import type { PodTerm, Requirement, Selector, Spread } from './types.ts';

/** What a pod's terms refer to. */
export interface Own {
  readonly namespace: string;
  readonly labels: Labels;
}

/** `topologySpreadConstraints` with DoNotSchedule. ScheduleAnyway is a wish, and keeps no pod from a node. */
export function spreadOf(list: unknown, own: Own, read: Reader, path: string): readonly Spread[] {
  return read.items(list, path).flatMap(({ item, path }) => {
    const when = read.word(item.whenUnsatisfiable, `${path}.whenUnsatisfiable`, ['DoNotSchedule', 'ScheduleAnyway']);
    const maxSkew = read.integer(item.maxSkew, `${path}.maxSkew`, 1, 2 ** 31 - 1);
    const topologyKey = topologyKeyOf(item, read, path);
    if (item.whenUnsatisfiable === undefined)
      read.wrong(`${path}.whenUnsatisfiable`, 'whenUnsatisfiable is missing', undefined, 'allowed are DoNotSchedule, ScheduleAnyway');
    if (item.maxSkew === undefined) read.wrong(`${path}.maxSkew`, 'maxSkew is missing', undefined, 'a whole number of 1 or more');
    const minDomains = read.integer(item.minDomains, `${path}.minDomains`, 1, 2 ** 31 - 1);
    const merged = withKeys(item, 'matchLabelKeys', 'In', own, read, path);
    const selector = [...selectorOf(item.labelSelector, read, `${path}.labelSelector`), ...merged];
    const nodeAffinityPolicy = read.word(item.nodeAffinityPolicy, `${path}.nodeAffinityPolicy`, ['Honor', 'Ignore']) ?? 'Honor';
    const nodeTaintsPolicy = read.word(item.nodeTaintsPolicy, `${path}.nodeTaintsPolicy`, ['Honor', 'Ignore']) ?? 'Ignore';
    if (when !== 'DoNotSchedule' || maxSkew === undefined || topologyKey === undefined) return [];
    return [{ maxSkew, topologyKey, selector: canonical(selector), minDomains, nodeAffinityPolicy, nodeTaintsPolicy }];
  });
}

/** `requiredDuringSchedulingIgnoredDuringExecution` of pod affinity or anti-affinity. */
export function podTermsOf(list: unknown, own: Own, read: Reader, path: string): readonly PodTerm[] {
  return read.items(list, path).flatMap(({ item, path }) => {
    const topologyKey = topologyKeyOf(item, read, path);
    const selector = canonical([
      ...selectorOf(item.labelSelector, read, `${path}.labelSelector`),
      ...withKeys(item, 'matchLabelKeys', 'In', own, read, path),
      ...withKeys(item, 'mismatchLabelKeys', 'NotIn', own, read, path),
    ]);
    const named = read.texts(item.namespaces, `${path}.namespaces`);
    const hasSelector = item.namespaceSelector !== undefined && item.namespaceSelector !== null;
    const namespaceSelector = hasSelector ? canonical(selectorOf(item.namespaceSelector, read, `${path}.namespaceSelector`)) : undefined;
    // GetNamespacesFromPodAffinityTerm: its own, where neither is given.
    const namespaces = named.length === 0 && !hasSelector ? [own.namespace] : [...new Set(named)].sort();
    return topologyKey === undefined ? [] : [{ topologyKey, selector, namespaces, namespaceSelector }];
  });
}

function topologyKeyOf(item: Fields, read: Reader, path: string): string | undefined {
  const key = read.text(item.topologyKey, `${path}.topologyKey`);
  if (key !== undefined && key !== '') return key;
  read.wrong(`${path}.topologyKey`, 'topologyKey is missing', item.topologyKey, 'the key of a node label', 'Add it.');
  return undefined;
}

/** A LabelSelector as requirements that all hold. One that is left out selects nothing. */
export function selectorOf(selector: unknown, read: Reader, path: string): Selector {
  if (selector === undefined || selector === null) return NOTHING;
  const { matchLabels, matchExpressions } = read.fields(selector, path);
  return [
    ...Object.entries(read.labels(matchLabels, `${path}.matchLabels`)).map(
      ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
    ),
    ...read
      .items(matchExpressions, `${path}.matchExpressions`)
      .flatMap(({ item, path }) => requirementOf(item, ['In', 'NotIn', 'Exists', 'DoesNotExist'], read, path)),
  ];
}

/** KEP-3633, KEP-3243: keys that the pod does not carry are passed over. A stored pod has them merged already: once is enough. */
function withKeys(item: Fields, field: string, operator: 'In' | 'NotIn', own: Own, read: Reader, path: string): Requirement[] {
  return read.texts(item[field], `${path}.${field}`).flatMap((key) => {
    const value = Object.hasOwn(own.labels, key) ? own.labels[key] : undefined;
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
}
