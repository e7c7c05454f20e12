/** On which nodes a pod may run by labels and name: node selector, required node affinity, tolerations. Read and combined. */
import { spell } from '../api/issue.ts';
import type { Fields, Reader } from './reading.ts';
import { integer } from './requirement.ts';
import type { NodeTerm, Requirement, Toleration } from './types.ts';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;

/** `requiredDuringSchedulingIgnoredDuringExecution` of node affinity. A term without requirements selects no node. */
export function nodeTermsOf(required: unknown, read: Reader, path: string): readonly NodeTerm[] {
  if (required === undefined || required === null) return [];
  const at = `${path}.nodeSelectorTerms`;
  const terms = read.items(read.fields(required, path).nodeSelectorTerms, at).map(({ item, path }) => ({
    matchExpressions: read
      .items(item.matchExpressions, `${path}.matchExpressions`)
      .flatMap(({ item, path }) => requirementOf(item, OPERATORS, read, path)),
    matchFields: read.items(item.matchFields, `${path}.matchFields`).flatMap(({ item, path }) => fieldOf(item, read, path)),
  }));
  if (terms.length === 0) read.wrong(at, 'required node affinity has no term', required, 'at least one', 'Leave the affinity out.');
  return terms;
}

function fieldOf(item: Fields, read: Reader, path: string): Requirement[] {
  const [field] = requirementOf(item, ['In', 'NotIn'], read, path);
  if (field === undefined || (field.key === 'metadata.name' && field.values.length === 1)) return field === undefined ? [] : [field];
  read.wrong(path, `matchFields has ${spell(field.key)} with ${field.values.length} values`, item, 'metadata.name with one value');
  return [];
}

/** One requirement, or none where it can't be read. */
export function requirementOf<const O extends Requirement['operator']>(
  item: Fields,
  operators: readonly O[],
  read: Reader,
  path: string,
): Requirement[] {
  const key = read.text(item.key, `${path}.key`);
  const operator = read.word(item.operator, `${path}.operator`, operators);
  const values = read.texts(item.values, `${path}.values`);
  if (key === undefined || key === '') read.wrong(`${path}.key`, 'key is missing', item.key, 'the key of a label', 'Add it.');
  if (item.operator === undefined) read.wrong(`${path}.operator`, 'operator is missing', undefined, `allowed are ${operators.join(', ')}`);
  if (key === undefined || key === '' || operator === undefined) return [];
  const wants = wanted(operator, values);
  if (wants === undefined) return [{ key, operator, values }];
  read.wrong(`${path}.values`, `${operator} has values ${spell(values)}`, values, wants);
  return [];
}

/** What the values of an operator should be, where they aren't. */
function wanted(operator: Requirement['operator'], values: readonly string[]): string | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? undefined : 'at least one value';
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? undefined : 'no value';
    default:
      return values.length === 1 && integer(values[0]) !== undefined ? undefined : 'one whole number, as text';
  }
}

export function tolerationsOf(list: unknown, read: Reader, path: string): readonly Toleration[] {
  return read.items(list, path).map(({ item, path }) => {
    const key = read.text(item.key, `${path}.key`) || undefined;
    const operator = read.word(item.operator || undefined, `${path}.operator`, ['Exists', 'Equal', 'Lt', 'Gt']);
    const value = read.text(item.value, `${path}.value`) || undefined;
    const effect = read.word(item.effect || undefined, `${path}.effect`, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
    if (key === undefined && operator !== 'Exists')
      read.wrong(`${path}.operator`, 'a toleration without key takes every taint', operator, "operator 'Exists' then", 'Give the key.');
    return { key, operator, value, effect };
  });
}

/** Both must hold: each alternative of the one with each of the other. Empty means anywhere. */
export function both(a: readonly NodeTerm[], b: readonly NodeTerm[]): readonly NodeTerm[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  return a.flatMap((one) =>
    b.map((other) =>
      isEmpty(one) || isEmpty(other)
        ? NOWHERE
        : {
            matchExpressions: [...one.matchExpressions, ...other.matchExpressions],
            matchFields: [...one.matchFields, ...other.matchFields],
          },
    ),
  );
}

/** A term without requirements selects no node (nodeaffinity.go, isEmptyNodeSelectorTerm). */
export const NOWHERE: NodeTerm = { matchExpressions: [], matchFields: [] };
export const isEmpty = ({ matchExpressions, matchFields }: NodeTerm): boolean => matchExpressions.length === 0 && matchFields.length === 0;

/** The node of this name and no other. */
export const onNode = (name: string): NodeTerm => ({
  matchExpressions: [],
  matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
});
