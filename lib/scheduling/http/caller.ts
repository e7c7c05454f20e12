/**
 * Callers: who asks (TokenReview) and whether they may (SubjectAccessReview), by the API server's own judgement. Both answers
 * are remembered for seconds, so that a pipeline that polls costs the API server nothing; a token that is taken back works for
 * half a minute more at most, a right for ten seconds.
 */
import { createHash } from 'node:crypto';
import { API_AUDIENCE } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import { SUBJECTACCESSREVIEWS, TOKENREVIEWS } from '../../kube/kinds.ts';
import { type Recent, recent } from './recent.ts';

export interface Caller {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What one may want to do with Locks, or pods, of a namespace. */
export interface Access {
  /** @default 'locks' */
  readonly resource?: 'pods';
  readonly verb: 'create' | 'get' | 'patch' | 'delete';
  readonly namespace: string;
  /** Of the object; rights may be given for one name. */
  readonly name?: string;
}

export interface Callers {
  /**
   * @param authorization the request's header
   * @returns who it is, or why it is nobody
   * @throws when the API server does not say
   */
  who(authorization: string | undefined, signal: AbortSignal): Promise<{ caller: Caller } | { unknown: string }>;
  /** @returns undefined when the caller may, else why not */
  mayNot(caller: Caller, access: Access, signal: AbortSignal): Promise<string | undefined>;
}

const KNOWN_MS = 30_000;
const ALLOWED_MS = 10_000;
/** Short: a token that was made, or a right that was given, a moment ago shall work. */
const DENIED_MS = 2_000;
/** An entry has some 2 KiB; a flood of invented tokens pushes out the oldest and no more. */
const MOST = 2_000;
/** Tokens of ServiceAccounts have some 1,000 characters; those of others' issuers more. */
const LONGEST_TOKEN = 16_384;

export function callers(api: Api, now: () => number = () => performance.now()): Callers {
  const identities = recent<{ caller: Caller } | { unknown: string }>(MOST, now);
  const rights = recent<string>(MOST, now);
  const asking = new Map<string, Promise<unknown>>();

  return {
    async who(authorization, signal) {
      if (authorization === undefined) return { unknown: 'The request has no Authorization header.' };
      const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization)?.[1];
      if (token === undefined) return { unknown: 'The Authorization header is not `Bearer <token>`.' };
      if (token.length > LONGEST_TOKEN) return { unknown: `The token is longer than ${LONGEST_TOKEN} characters.` };
      // Never the token itself: this map would be what a core dump is searched for.
      const key = createHash('sha256').update(token).digest('base64');
      return remembered(identities, key, async () => {
        const found = await review(token, signal);
        return [found, 'caller' in found ? KNOWN_MS : DENIED_MS];
      });
    },
    async mayNot(caller, access, signal) {
      const key = JSON.stringify([caller, access]);
      const answer = await remembered(rights, key, async () => {
        const why = await denial(caller, access, signal);
        return why === undefined ? [MAY, ALLOWED_MS] : [why, DENIED_MS];
      });
      return answer === MAY ? undefined : answer;
    },
  };

  /** The same question at the same moment is asked once; a failure is nobody's answer but its askers'. */
  async function remembered<T>(kept: Recent<T>, key: string, ask: () => Promise<readonly [T, number]>): Promise<T> {
    const found = kept.get(key);
    if (found !== undefined) return found;
    const running = asking.get(key) as Promise<T> | undefined;
    if (running !== undefined) return running.catch(() => ask().then(([answer]) => answer));
    const answer = ask().then(([answer, forMs]) => {
      kept.set(key, answer, forMs);
      return answer;
    });
    asking.set(key, answer);
    try {
      return await answer;
    } finally {
      asking.delete(key);
    }
  }

  async function review(token: string, signal: AbortSignal): Promise<{ caller: Caller } | { unknown: string }> {
    // A token that is for us alone is no good at the API server, which is the point of it; one for the API server says nothing of us.
    const audiences = isForUs(token) ? [API_AUDIENCE] : undefined;
    const { status } = await api.create(TOKENREVIEWS, { metadata: {}, spec: { token, audiences } }, { signal });
    const { authenticated, user, error } = status ?? {};
    const meant = audiences === undefined || status?.audiences?.includes(API_AUDIENCE) === true;
    if (authenticated !== true || user?.username === undefined || !meant)
      return {
        unknown: `The API server does not know the token${error ? ` (${error})` : ': it is expired, taken back, or for somebody else'}.`,
      };
    const { username, uid, groups = [], extra } = user;
    return { caller: { username, uid, groups, extra } };
  }

  async function denial(caller: Caller, { resource, verb, namespace, name }: Access, signal: AbortSignal): Promise<string | undefined> {
    const { username: user, uid, groups, extra } = caller;
    const [plural, group] = resource === 'pods' ? ['pods', ''] : ['locks', 'gala.internal'];
    const resourceAttributes = { group, resource: plural, verb, namespace, name };
    const asked = { metadata: {}, spec: { user, uid, groups, extra, resourceAttributes } };
    const { status } = await api.create(SUBJECTACCESSREVIEWS, asked, { signal });
    if (status?.allowed === true) return undefined;
    const which = name === undefined ? '' : ` ${name}`;
    return `${user} may not ${verb} ${plural}${group && `.${group}`}${which} in namespace ${namespace}${status?.reason ? ` (${status.reason})` : ''}.`;
  }
}

/** Nothing stands against it. */
const MAY = '';

/** Looks at the token's own claims, which prove nothing: they only choose the question that the API server is asked. */
function isForUs(token: string): boolean {
  try {
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return [aud].flat().includes(API_AUDIENCE);
  } catch {
    return false;
  }
}
