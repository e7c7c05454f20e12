/**
 * Reading objects whose shape nobody has promised: a wrong shape reads as nothing there.
 * The rules of the family `fields` report wrong shapes; all others read through these and go on.
 */

export type Fields = Readonly<Record<string, unknown>>;
const NONE: Fields = Object.freeze({});

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object, or an empty one. */
export function fields(value: unknown): Fields {
  return isFields(value) ? value : NONE;
}

/** What stands under a path of keys: `within(object, 'spec', 'template')`. */
export function within(value: unknown, ...keys: string[]): Fields {
  return fields(keys.reduce((seen: unknown, key) => fields(seen)[key], value));
}

/** The objects of a list with the place of each, other items left out. */
export function items(value: unknown): { readonly item: Fields; readonly index: number }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item, index) => (isFields(item) ? [{ item, index }] : []));
}

/** Text, or `undefined` where there is none. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The texts of a list. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The text entries of a map: labels, annotations. */
export function entries(value: unknown): [string, string][] {
  return Object.entries(fields(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** A path one key longer: `spec.image`, `metadata.labels["app.kubernetes.io/name"]`. */
export function join(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;

/** A value as it is shown in a message, cut when it is long. Never throws, whatever it is. */
export function shown(value: unknown): string {
  const said = json(value) ?? typeof value;
  return said.length > 80 ? `${said.slice(0, 77)}…` : said;
}

function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner));
  } catch {
    // A circle, or a toJSON of somebody's that throws: its type must do.
    return undefined;
  }
}
