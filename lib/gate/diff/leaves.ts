/** Two values compared down to their leaves. Items of a list are told apart by name where they have one, else by place. */
import { isFields, shown } from '../shape.ts';

/** One difference. */
export interface Leaf {
  /** Keys down to it; an item of a list is `[agent]`, `[110]`, `[0]`. */
  readonly path: readonly string[];
  /** `undefined`: it was not there. */
  readonly before: unknown;
  /** `undefined`: it is gone. */
  readonly after: unknown;
}

/** Everything that differs, in the order of `after`, then what is gone. */
export function leaves(before: unknown, after: unknown, path: readonly string[] = []): Leaf[] {
  if (Object.is(before, after)) return [];
  if (isFields(before) && isFields(after)) {
    const keys = [...new Set([...Object.keys(after), ...Object.keys(before)])];
    return keys.flatMap((key) => leaves(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const key = identity([...before, ...after], before, after);
    const [old, now] = [byIdentity(before, key), byIdentity(after, key)];
    return [...new Set([...now.keys(), ...old.keys()])].flatMap((id) => leaves(old.get(id), now.get(id), [...path, `[${id}]`]));
  }
  // An empty map or list and none at all are the same to the API server.
  if (isNothing(before) && isNothing(after)) return [];
  return [{ path, before, after }];
}

function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || (isFields(value) && Object.keys(value).length === 0);
}

/** Fields that Kubernetes' own lists are told apart by, and those of Gala's kinds. */
const IDENTITIES = ['name', 'id', 'key', 'mountPath', 'containerPort', 'type', 'topologyKey'];

function identity(all: readonly unknown[], ...lists: (readonly unknown[])[]): string | undefined {
  return IDENTITIES.find(
    (key) =>
      all.every((item) => isFields(item) && (typeof item[key] === 'string' || typeof item[key] === 'number')) &&
      lists.every((list) => new Set(list.map((item) => (item as Record<string, unknown>)[key])).size === list.length),
  );
}

function byIdentity(list: readonly unknown[], key: string | undefined): Map<string, unknown> {
  return new Map(list.map((item, index) => [key === undefined ? `${index}` : String((item as Record<string, unknown>)[key]), item]));
}

/** `spec.template.spec.containers[agent].image` */
export function pathText(path: readonly string[]): string {
  return path.reduce(
    (text, key) =>
      key.startsWith('[')
        ? text + key
        : /^[A-Za-z_$][\w$-]*$/.test(key)
          ? `${text}${text === '' ? '' : '.'}${key}`
          : `${text}[${JSON.stringify(key)}]`,
    '',
  );
}

/** `image 91c… → c07…`, `replicas 2 → 3`, `env LOG added`: what a person wants to read of a difference. */
export function leafText({ path, before, after }: Leaf): string {
  const name = leafName(path);
  if (before === undefined) return `${name} added${brief(after) === '' ? '' : `: ${brief(after)}`}`;
  if (after === undefined) return `${name} removed`;
  if (name === 'image' && typeof before === 'string' && typeof after === 'string') return `image ${imageChange(before, after)}`;
  return `${name} ${shortened(before)} → ${shortened(after)}`;
}

/** `image`, `racks[r16]`, and for the value of a named item the item: `env[LOG]`. */
function leafName(path: readonly string[]): string {
  const named = path.at(-1) === 'value' && path.at(-2)?.startsWith('[') ? path.slice(0, -1) : path;
  const [list, last = 'object'] = [named.at(-2), named.at(-1)];
  return last.startsWith('[') ? `${list}${last}` : last;
}

function brief(value: unknown): string {
  return typeof value === 'object' ? '' : shortened(value);
}

function shortened(value: unknown): string {
  const text = typeof value === 'string' ? value : shown(value);
  return text.length > 40 ? `${text.slice(0, 37)}…` : text === '' ? '""' : text;
}

/** Only what differs: three characters of a digest, the tag alone when the name is the same. */
function imageChange(before: string, after: string): string {
  const [old, now] = [parts(before), parts(after)];
  if (old.name !== now.name) return `${before} → ${after}`;
  return `${old.version} → ${now.version}`;
}

function parts(image: string): { name: string; version: string } {
  const [tagged = image, digest] = image.split('@');
  const tag = /:([^:/]+)$/.exec(tagged)?.[1];
  const name = tag === undefined ? tagged : tagged.slice(0, -tag.length - 1);
  return { name, version: digest === undefined ? (tag ?? 'latest') : `${digest.replace(/^\w+:/, '').slice(0, 3)}…` };
}
