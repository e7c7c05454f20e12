/**
 * Log lines: one JSON object each on stderr, a constant sentence plus fields, so that they can be searched:
 * `log.info('lock expired', { ip, node })`. Kubernetes collects both streams; stdout is left to what a program answers.
 */

export type Fields = Readonly<Record<string, unknown>>;
export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  debug(sentence: string, fields?: Fields): void;
  info(sentence: string, fields?: Fields): void;
  warn(sentence: string, fields?: Fields): void;
  error(sentence: string, fields?: Fields): void;
  /** The same log, with these fields on each line. */
  with(fields: Fields): Log;
}

export interface LogOptions {
  /** @default 'info' */
  readonly level?: Level;
  readonly fields?: Fields;
  /** Takes one line, without its end. @default stderr */
  readonly write?: (line: string) => void;
  /** @default the wall clock */
  readonly now?: () => Date;
}

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];
/** A line longer than this is cut by containerd into several (16 KiB), which no parser puts together again. */
const LONGEST_FIELD = 8_000;

export function logger(options: LogOptions = {}): Log {
  const { level = 'info', fields = {}, write = (line) => void process.stderr.write(`${line}\n`), now = () => new Date() } = options;
  const least = LEVELS.indexOf(level);
  const say = (at: Level) => (sentence: string, more?: Fields) => {
    if (LEVELS.indexOf(at) < least) return;
    write(lineOf({ time: now().toISOString(), level: at, message: sentence, ...fields, ...more }));
  };
  return {
    ...{ debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    with: (more) => logger({ ...options, fields: { ...fields, ...more } }),
  };
}

/** Says nothing: for callers that want no lines. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent };

/** An error and what caused it, outermost first, as one sentence: a log field, a condition's message. */
export function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && parts.length < 5; at = (at as { cause?: unknown }).cause) {
    const part = at instanceof Error ? at.message || at.name : String(at);
    if (!parts.some((said) => said.includes(part))) parts.push(part);
  }
  return parts.join(': ');
}

function lineOf(fields: Record<string, unknown>): string {
  const plain = (_key: string, value: unknown) => {
    if (value instanceof Error) return reasonOf(value);
    if (typeof value === 'bigint') return String(value);
    return typeof value === 'string' && value.length > LONGEST_FIELD ? `${value.slice(0, LONGEST_FIELD)}…` : value;
  };
  try {
    return JSON.stringify(fields, plain);
  } catch {
    // A field that refers to itself must not take the line with it.
    return JSON.stringify({ ...fields, ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)])) });
  }
}
