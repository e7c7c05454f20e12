/**
 * Client tokens: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html. A call that is repeated with its token and
 * the same parameters succeeds and does nothing more; with others it is refused. Pure.
 */
import { type Ec2Error, tokenInvalid, tokenMismatch } from './error.ts';
import type { Call } from './query.ts';

/** What was answered, by action and token. Only what succeeded is remembered. */
export type Tokens<Answer> = Readonly<Record<string, { readonly asked: string; readonly answer: Answer }>>;

const MOST = 64;

const keyOf = ({ action, params }: Call) => (params.ClientToken ? `${action} ${params.ClientToken}` : undefined);
const askedOf = ({ params: { ClientToken: _token, ...rest } }: Call) => JSON.stringify(Object.entries(rest).sort());

/** What a call with a token that was seen gets; undefined: it is a new one. */
export function judgeToken<Answer>(
  tokens: Tokens<Answer>,
  call: Call,
): { readonly refused: Ec2Error } | { readonly answer: Answer } | undefined {
  const token = call.params.ClientToken ?? '';
  if (token.length > MOST) return { refused: tokenInvalid(token) };
  const known = tokens[keyOf(call) ?? ''];
  if (known === undefined) return undefined;
  return known.asked === askedOf(call) ? { answer: known.answer } : { refused: tokenMismatch() };
}

export function remember<Answer>(tokens: Tokens<Answer>, call: Call, answer: Answer): Tokens<Answer> {
  const key = keyOf(call);
  return key === undefined ? tokens : { ...tokens, [key]: { asked: askedOf(call), answer } };
}
