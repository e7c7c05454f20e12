/** Label selectors, as the API server reads them. */
import { entries, type Fields, fields, items, text, texts } from './shape.ts';

/** Whether a LabelSelector (`matchLabels`, `matchExpressions`) takes these labels. An empty one takes all. */
export function selects(selector: unknown, labels: Fields): boolean {
  const { matchLabels, matchExpressions } = fields(selector);
  return (
    entries(matchLabels).every(([key, value]) => labels[key] === value) && items(matchExpressions).every(({ item }) => holds(item, labels))
  );
}

function holds({ key, operator, values }: Fields, labels: Fields): boolean {
  const name = text(key);
  if (name === undefined) return false;
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  const listed = typeof value === 'string' && texts(values).includes(value);
  switch (operator) {
    case 'In':
      return listed;
    case 'NotIn':
      return !listed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Whether a selector names no label at all. */
export function isEmpty(selector: unknown): boolean {
  const { matchLabels, matchExpressions } = fields(selector);
  return Object.keys(fields(matchLabels)).length === 0 && items(matchExpressions).length === 0;
}

/** A Service's selector is a plain map of labels. */
export function hasLabels(selector: unknown, labels: Fields): boolean {
  return entries(selector).every(([key, value]) => labels[key] === value);
}
