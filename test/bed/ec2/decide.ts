/** What every call goes through before its action: the buckets, the dry run, the client token. */
import type { Account, Answer } from './account.ts';
import { actionOf } from './actions.ts';
import * as error from './error.ts';
import { Refusal } from './moto.ts';
import { type Call, isTrue } from './query.ts';
import { type Bucket, type Levels, take } from './throttle.ts';
import { judgeToken, remember, type Tokens } from './token.ts';
import type { Element } from './xml.ts';

/**
 * Answers one call after the other.
 * @param buckets undefined: nothing is throttled
 * @returns a function that throws `Refusal` where EC2 refuses
 */
export function deciding(
  account: Account,
  buckets: Readonly<Record<string, Bucket>> | undefined,
): (call: Call) => Promise<readonly Element[]> {
  let levels: Levels = {};
  let tokens: Tokens<Answer> = {};
  return async (call) => {
    const action = actionOf(call.action);
    if (action === undefined) throw new Refusal(error.notPlayed(call.action));
    if (buckets) {
      const left = take(levels, call, account.now(), buckets);
      if (left === undefined) throw new Refusal(error.throttled());
      levels = left;
    }
    if (isTrue(call.params.DryRun)) throw new Refusal(error.dryRun());
    const known = judgeToken(tokens, call);
    if (known !== undefined) {
      if ('refused' in known) throw new Refusal(known.refused);
      return (await known.answer.again?.()) ?? known.answer.body;
    }
    const answer = await action(account, call.params, call);
    tokens = remember(tokens, call, answer);
    return answer.body;
  };
}
