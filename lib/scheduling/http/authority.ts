/**
 * Authority: the API's own certificate authority, and what to do with it now. Pure: what was seen and the time go in, one step
 * comes out; issue.ts makes what a step asks for, certificate.ts stores and publishes it.
 *
 *     make ──→ current … prepare: a next one is published ──→ … promote: it signs; the former one is trusted to its end
 *
 * Three months lie between prepare and promote, so that a file somebody made of the published certificates knows the authority
 * before anything is signed by it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A certificate and its key, PEM; times are Unix milliseconds. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Authority {
  /** Signs. */
  readonly current: Pair;
  /** Signs later; already trusted. */
  readonly next?: Pair;
  /** Certificates that signed once; trusted until they end. */
  readonly former: readonly Pick<Pair, 'cert' | 'untilMs'>[];
}

export type Step =
  | { readonly do: 'keep' }
  | { readonly do: 'make'; readonly because: string }
  | { readonly do: 'prepare'; readonly because: string }
  | { readonly do: 'promote'; readonly because: string };

const DAY_MS = 86_400_000;
export const AUTHORITY_DAYS = 730;
export const PREPARE_DAYS = 180;
export const PROMOTE_DAYS = 90;
/** Where clocks differ, a certificate of this very moment is one of the future for somebody. */
export const BACKDATED_MS = 3_600_000;

/** @param seen what the Secret holds; undefined: it isn't there, or can't be read */
export function nextStep(seen: Authority | undefined, nowMs: number): Step {
  if (seen === undefined) return { do: 'make', because: 'there is none' };
  const { current, next } = seen;
  const left = current.untilMs - nowMs;
  // One that begins in the future is kept: two replicas whose clocks differ must not take turns in making new ones.
  const takesOver = next !== undefined && next.untilMs > Math.max(nowMs, current.untilMs);
  if (takesOver && left <= PROMOTE_DAYS * DAY_MS) return { do: 'promote', because: `the current one ends ${date(current.untilMs)}` };
  if (left <= 0) return { do: 'make', because: `the one that was there ended ${date(current.untilMs)}` };
  if (!takesOver && left <= PREPARE_DAYS * DAY_MS) return { do: 'prepare', because: `the current one ends ${date(current.untilMs)}` };
  return { do: 'keep' };
}

/** What a step makes of what was seen; `fresh` makes a pair, for `make` and `prepare`. */
export async function after(
  step: Exclude<Step, { do: 'keep' }>,
  seen: Authority | undefined,
  fresh: () => Promise<Pair>,
  nowMs: number,
): Promise<Authority> {
  if (step.do === 'prepare' && seen !== undefined) return { ...seen, next: await fresh() };
  const current = step.do === 'promote' ? seen?.next : undefined;
  const former = seen === undefined ? [] : [...seen.former, { cert: seen.current.cert, untilMs: seen.current.untilMs }];
  return { current: current ?? (await fresh()), former: former.filter(({ untilMs }) => untilMs > nowMs) };
}

/** What those who ask trust: every certificate that signs, will sign or has signed, PEM. */
export function bundle({ current, next, former }: Authority, nowMs: number): string {
  const alive = former.filter(({ untilMs }) => untilMs > nowMs);
  return [current, ...(next === undefined ? [] : [next]), ...alive].map(({ cert }) => `${cert.trim()}\n`).join('');
}

/** The Secret's data, base64 as the API server has it. `tls.crt` and `tls.key` as in every Secret of type kubernetes.io/tls. */
export function toSecret({ current, next, former }: Authority): Record<string, string> {
  const texts = {
    ...{ 'tls.crt': current.cert, 'tls.key': current.key },
    ...(next === undefined ? {} : { 'next.crt': next.cert, 'next.key': next.key }),
    ...(former.length === 0 ? {} : { 'former.crt': former.map(({ cert }) => cert).join('\n') }),
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]));
}

/** The way back; undefined when the current pair is missing or no authority with its key: then a new one is made. */
export function fromSecret(data: Readonly<Record<string, string>> | undefined): Authority | undefined {
  const text = (name: string) => (data?.[name] === undefined ? undefined : Buffer.from(data[name], 'base64').toString());
  const current = pair(text('tls.crt'), text('tls.key'));
  if (current === undefined || !new X509Certificate(current.cert).ca) return undefined;
  const next = pair(text('next.crt'), text('next.key'));
  return { current, ...(next === undefined ? {} : { next }), former: certificatesIn(text('former.crt') ?? '').flatMap(trusted) };
}

/** A pair whose key is the certificate's own; undefined when it can't be read, or isn't. */
export function pair(cert: string | undefined, key: string | undefined): Pair | undefined {
  if (cert === undefined || key === undefined) return undefined;
  try {
    const read = new X509Certificate(cert);
    if (!read.checkPrivateKey(createPrivateKey(key))) return undefined;
    return { cert, key, fromMs: Date.parse(read.validFrom), untilMs: Date.parse(read.validTo) };
  } catch {
    return undefined;
  }
}

export function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function trusted(cert: string): Authority['former'] {
  try {
    return [{ cert, untilMs: Date.parse(new X509Certificate(cert).validTo) }];
  } catch {
    return [];
  }
}
