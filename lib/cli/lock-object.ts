/** The Lock that `gala lock` asks for. Pure: pods and options in, the object or everything that is wrong out. */
import { createHash } from 'node:crypto';
import { problemsOf } from '../api/issue.ts';
import { Lock } from '../api/kinds.ts';
import { sentence } from '../api/problem.ts';
import { secondsOf } from './amount.ts';
import type { Pods } from './pod-file.ts';
import { type QuestionOptions, questionOf } from './question.ts';

export interface LockOptions extends QuestionOptions {
  readonly name?: string;
  readonly owner?: string;
  /** `5m` */
  readonly ttl?: string;
  /** `10m`; `0`: for ever. */
  readonly hold?: string;
  readonly onDrain?: Lock['spec']['moveOnDrain'];
  readonly allowPartial?: boolean;
}

export interface Asked {
  readonly namespace: string;
  readonly name: string;
  /** The name was made of the question: another question has another name. */
  readonly named: 'by the question' | 'by the caller';
  readonly spec: Lock['spec'];
}

/** Pods by their template, or by the object that has it. */
export type Whose = { readonly pods: Pods } | { readonly podFrom: NonNullable<Lock['spec']['podFrom']> };

/**
 * @param count as it was typed
 * @returns the Lock, or a line for each thing that is wrong
 */
export function lockFrom(
  whose: Whose,
  count: string,
  namespace: string,
  options: LockOptions,
): Asked | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const problem = (line: string) => problems.push(line);
  const { strategy, maxPer, near } = questionOf(options, problem);
  const called = 'pods' in whose ? whose.pods.name : whose.podFrom.name;
  const owner = options.owner ?? called;
  if (owner === undefined)
    problem(
      '--owner is missing: a bare pod template has no name. Say who the slots are for, the same over all releases: --owner feed-api.',
    );
  const spec = {
    ...('pods' in whose ? { template: whose.pods.template } : { podFrom: whose.podFrom }),
    count: /^-?\d+$/.test(count) ? Number(count) : count,
    ...{ strategy, maxPer, near, owner },
    ttlSeconds: durationOf('--ttl', options.ttl, problem),
    holdSeconds: durationOf('--hold', options.hold, problem),
    moveOnDrain: options.onDrain,
    allowPartial: options.allowPartial,
  };
  const parsed = Lock.spec.safeParse(withoutUndefined(spec));
  if (!parsed.success)
    for (const issue of parsed.error.issues)
      for (const found of problemsOf(issue, Lock.spec, spec))
        if (!said(found.path, spec)) problem(sentence({ ...found, path: flagOf(found.path) }));
  const name = options.name ?? (parsed.success ? nameOf(parsed.data) : 'unnamed');
  const named = Lock.name.safeParse(name);
  if (!named.success)
    for (const found of named.error.issues.flatMap((issue) => problemsOf(issue, Lock.name, name)))
      problem(sentence({ ...found, path: '--name', what: found.what.replace('the definition', 'the name') }));
  if (problems.length > 0 || !parsed.success) return { problems };
  return { namespace, name, named: options.name === undefined ? 'by the question' : 'by the caller', spec: parsed.data };
}

function durationOf(flag: string, typed: string | undefined, problem: (line: string) => void): number | undefined {
  if (typed === undefined) return undefined;
  const seconds = secondsOf(typed);
  if (seconds === undefined) problem(`${flag} is '${typed}'; it is a duration. For example 5m, 90s or 1h30m.`);
  return seconds;
}

/**
 * `feed-api-1f0c9a3b`: the owner and a hash of the question. The same question again is the same Lock, so that a command that
 * was cut short can be typed once more; another question is another Lock, because the question of a Lock never changes.
 */
function nameOf(spec: Lock['spec']): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted(spec)))
    .digest('hex')
    .slice(0, 8);
  return `${spec.owner.replaceAll('.', '-').slice(0, LONGEST_NAME - hash.length - 1)}-${hash}`;
}
/** An RFC 1123 label. */
const LONGEST_NAME = 63;

/** Keys in one order at every depth: who wrote the file in another order asks the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function withoutUndefined(spec: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}

/** What was told already in words of the command. */
const said = (path: string, spec: { readonly owner?: string }): boolean => path === 'owner' && spec.owner === undefined;

const FLAGS: Readonly<Record<string, string>> = {
  count: '<count>',
  owner: '--owner',
  near: '--near',
  ttlSeconds: '--ttl',
  holdSeconds: '--hold',
  strategy: '--strategy',
};
const flagOf = (path: string): string => FLAGS[path] ?? (path.startsWith('maxPer') ? '--max-per' : path);
