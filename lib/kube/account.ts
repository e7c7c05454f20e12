/**
 * As whom a program asks, and whether it may write as that one. Where an admission policy knows a program's account by name, every
 * other one is refused for ever, an administrator's too: that is told at the start, and not by each write.
 */
import type { Api } from './client.ts';
import { sleep } from './clock.ts';
import { ApiError, isNotFound } from './error.ts';
import { SELFSUBJECTREVIEWS, VALIDATINGADMISSIONPOLICIES } from './kinds.ts';
import { type Log, reasonOf, silent } from './log.ts';

export interface AccountOptions {
  /** `system:serviceaccount:<namespace>:<name>`: whom the policy lets write. */
  readonly account: string;
  /** Name of the ValidatingAdmissionPolicy that refuses the others; where it is not there, anybody may. */
  readonly policy: string;
  readonly signal: AbortSignal;
  readonly log?: Log;
  /** Between looks, while it may not write: a policy may be taken away. @default 10_000 */
  readonly againMs?: number;
}

export interface Account {
  /** Undefined: it may write; else why not, and what to do. */
  wrong(): string | undefined;
  /** Resolves when it may write, or when the signal aborts. */
  readonly settled: Promise<void>;
}

export function accountOf(api: Api, { account, policy, signal, log = silent, againMs = 10_000 }: AccountOptions): Account {
  let wrong: string | undefined = 'as whom it asks is not known yet';

  async function settle(): Promise<void> {
    while (!signal.aborted) {
      try {
        const now = await barred(api, { account, policy, signal });
        if (now !== undefined && now !== wrong) log.error('it may not write', { because: now });
        wrong = now;
        if (wrong === undefined) return;
        await sleep(againMs, signal);
      } catch (error) {
        log.debug('as whom it asks is not known', { because: reasonOf(error) });
        await sleep(UNANSWERED_MS, signal);
      }
    }
  }

  return { settled: settle(), wrong: () => wrong };
}

/** A program that starts with its API server shall not wait for long. */
const UNANSWERED_MS = 1_000;

type Asked = Pick<AccountOptions, 'account' | 'policy' | 'signal'>;

/** @returns undefined: nothing that is known stands against its writes */
async function barred(api: Api, { account, policy, signal }: Asked): Promise<string | undefined> {
  const user = await userOf(api, signal);
  if (user === undefined || user === account) return undefined;
  try {
    await api.get(VALIDATINGADMISSIONPOLICIES, { name: policy }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    // Who may not look is no administrator; that the policy is there is what to expect.
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
  }
  const [, , namespace, name] = account.split(':');
  return (
    `it asks the API server as ${user}, and policy ${policy} lets ${account} alone write. Run it in its pod, or give it a kubeconfig ` +
    `with the token that kubectl -n ${namespace} create token ${name} prints (docs/operations/bed.md)`
  );
}

/** Undefined where the API server does not say: everybody may ask, unless somebody took `system:basic-user` away. */
async function userOf(api: Api, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await api.create(SELFSUBJECTREVIEWS, { metadata: {} }, { signal })).status?.userInfo?.username;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
}
