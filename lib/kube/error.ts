/**
 * What can go wrong with a call: the API server said no (ApiError), or there was no answer (NoAnswer), which leaves open
 * whether the call was done.
 */

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** The API server answered, with a status of 400 or more. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Kubernetes' own word: `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Forbidden`, `Expired`, … */
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** What the server asks to wait, from the header or the body. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    what: string,
    answer: { status: number; reason: string; message: string; details?: StatusDetails; retryAfterSeconds?: number },
  ) {
    super(`${what}: ${answer.status} ${answer.reason}: ${answer.message}`);
    this.status = answer.status;
    this.reason = answer.reason;
    this.details = answer.details;
    this.retryAfterSeconds = answer.retryAfterSeconds;
  }
}

/** No answer, or half of one: refused, reset, timed out. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** False when the call surely was not done: it never left this process. */
  readonly maybeDone: boolean;
  /** The caller's own signal ended it. */
  readonly aborted: boolean;

  constructor(what: string, how: { maybeDone: boolean; aborted?: boolean; cause?: unknown }) {
    super(what, { cause: how.cause });
    this.maybeDone = how.maybeDone;
    this.aborted = how.aborted ?? false;
  }
}

const answered = (error: unknown, status: number, reason?: string) =>
  error instanceof ApiError && error.status === status && (reason === undefined || error.reason === reason);

/** There is no such object. */
export const isNotFound = (error: unknown) => answered(error, 404);
/** Somebody else wrote first, or a precondition did not hold: read again and decide again. */
export const isConflict = (error: unknown) => answered(error, 409, 'Conflict');
/** `create`: the name is taken. */
export const isAlreadyExists = (error: unknown) => answered(error, 409, 'AlreadyExists');
/** The resourceVersion is too old for the server to go on from: read everything again. */
export const isGone = (error: unknown) => answered(error, 410);

/** What was asked for, or undefined where there is no such object. */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
