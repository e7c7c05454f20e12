/**
 * Problem documents (RFC 9457): every way in which the API says no, each with a type that its documentation explains. A client
 * acts on `type` and `status`; a person reads `detail` and, of bad input, all `problems` at once.
 */
import { type Problem, sentence } from '../../api/problem.ts';

/** The types: their part of the URI `/problems#<type>`, which the API serves and docs/stock-api.md explains. */
export const PROBLEMS = {
  'bad-input': { status: 400, title: 'The question is wrong', remedy: 'Mend all that `problems` names, then ask again.' },
  unauthenticated: {
    status: 401,
    title: 'Nobody known is asking',
    remedy: "Send `Authorization: Bearer <token>` with a token of this cluster's, for example `kubectl create token`.",
  },
  forbidden: { status: 403, title: 'The caller may not', remedy: 'Somebody who may grants the verb that `detail` names.' },
  'no-such-path': { status: 404, title: 'There is no such path', remedy: '`GET /openapi.json` lists all there are.' },
  'no-such-object': { status: 404, title: 'There is no such object', remedy: 'Mind namespace and name.' },
  'no-such-method': { status: 405, title: 'The path has no such method', remedy: 'The header `Allow` lists those it has.' },
  'too-slow': { status: 408, title: 'The question came too slowly', remedy: 'Send the whole body at once.' },
  'another-question': {
    status: 409,
    title: 'A Lock of this name asks another question',
    remedy: 'The name is the idempotency key: take another name, or ask what the Lock asks.',
  },
  'in-use': {
    status: 409,
    title: 'Pods use the Lock',
    remedy: 'Delete the pods first, or let the Lock be: it ends by itself when they have.',
  },
  'not-enough': {
    status: 409,
    title: 'The slots are not there',
    remedy: 'Ask for fewer, with `allowPartial`, or later under another name.',
  },
  expired: { status: 409, title: 'The Lock has expired', remedy: 'Make one of another name, and renew it in time.' },
  'too-long': { status: 413, title: 'The body is too long', remedy: 'A question has 1 MiB at most, as an object has in the cluster.' },
  'not-json': { status: 415, title: 'The body is not JSON', remedy: 'Send `Content-Type: application/json`, not compressed.' },
  'never-fits': {
    status: 422,
    title: 'No node could ever take such a pod',
    remedy: 'Change what `detail` names in the pod template, or add nodes that have it.',
  },
  refused: { status: 422, title: 'The API server refuses it', remedy: '`detail` has its words: a rule of the kind, a policy or a quota.' },
  busy: { status: 429, title: 'Too many questions at once', remedy: 'Ask again after `Retry-After` seconds.' },
  fault: { status: 500, title: 'The API has failed', remedy: 'Its log says more; ask again.' },
  unavailable: {
    status: 503,
    title: 'The API server does not answer',
    remedy: 'Ask again after `Retry-After` seconds; nothing was changed, or `detail` says so.',
  },
  stale: {
    status: 503,
    title: 'What is known is too old',
    remedy: 'Ask again after `Retry-After` seconds: the API server has not been heard of for too long.',
  },
} as const satisfies Record<string, { status: number; title: string; remedy: string }>;
export type ProblemType = keyof typeof PROBLEMS;

/** What goes back: a document as JSON, unless it is a text. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** @default 'application/json' */
  readonly contentType?: string;
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly remedy: string;
  /** Of bad input: where, what, and what would be right. */
  readonly problems?: readonly Omit<Problem, 'severity'>[];
}

interface More extends Pick<Reply, 'headers'> {
  /** @default the type's own */
  readonly status?: number;
  readonly problems?: readonly Problem[];
  /** Members beside the standard ones. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** @param detail a sentence about this very case */
export function problem(type: ProblemType, detail: string, { headers, problems, members, status }: More = {}): Reply {
  const { title, remedy } = PROBLEMS[type];
  const code = status ?? PROBLEMS[type].status;
  const document: ProblemDocument = {
    ...{ type: `/problems#${type}`, title, status: code, detail, remedy },
    ...(problems === undefined ? {} : { problems: problems.map(({ severity: _, ...told }) => told) }),
    ...members,
  };
  return { status: code, headers, body: document, contentType: 'application/problem+json' };
}

/** All that is wrong with a question, at once. */
export const badInput = (problems: readonly Problem[]): Reply => problem('bad-input', problems.map(sentence).join(' '), { problems });

/** What `GET /problems` says: where the types lead. */
export function problemsPage(): string {
  const sections = Object.entries(PROBLEMS).map(([type, { status, title, remedy }]) => `## ${type}\n\n${status}: ${title}. ${remedy}\n`);
  return ['# Problems\n', ...sections].join('\n');
}
