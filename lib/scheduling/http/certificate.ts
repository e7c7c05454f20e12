/**
 * Certificate: what a replica serves with, kept fit while it runs. Either signed by an authority of our own, which lies in a
 * Secret and is made by whichever replica comes first, or from a Secret that the definition names. What to do is decided in
 * authority.ts and serving.ts; this reads, writes and tells.
 *
 * A crash between two writes leaves an authority that is not published yet: the next look of any replica publishes it, and no
 * replica serves by it before it has.
 */

import { PART_OF } from '../../api/resource.ts';
import { API_CA } from '../../api/scheduling.ts';
import type { Api } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { monotonic } from '../../kube/clock.ts';
import { isAlreadyExists, isConflict, unlessMissing } from '../../kube/error.ts';
import { CONFIGMAPS, SECRETS } from '../../kube/kinds.ts';
import { type Log, reasonOf, silent } from '../../kube/log.ts';
import { reflect } from '../../kube/reflector.ts';
import { type Authority, after, bundle, fromSecret, nextStep, type Pair, pair, toSecret } from './authority.ts';
import { whyAnew } from './serving.ts';

export interface CertificateOptions {
  readonly namespace: string;
  /** A Secret there to serve with. @default an authority of our own */
  readonly secret?: string;
  /** What this replica is called, asked at each look. */
  readonly names: () => readonly string[];
  /** Told of the first certificate and of each new one. */
  readonly onCertificate: (certificate: Pair) => void;
  readonly signal: AbortSignal;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Unix milliseconds: what certificates' times are compared with. @default the wall clock */
  readonly now?: () => number;
}

export interface Certificate {
  /** Undefined: it serves, and goes on serving for a while; else why not. */
  wrong(): string | undefined;
  /** Resolves when the signal has ended it. */
  readonly stopped: Promise<void>;
}

/** How often time and names are looked at; the Secret is watched. */
const LOOK_MS = 600_000;
/** After a failure. */
const AGAIN_MS = 5_000;
/** Somebody has to renew a given one: they are told so long before its end. */
const FOREIGN_SOON_MS = 7 * 86_400_000;

export function keepCertificate(api: Api, options: CertificateOptions): Certificate {
  const { namespace, secret, names, onCertificate, signal, log = silent, clock = monotonic, now = Date.now } = options;
  const name = secret ?? API_CA;
  let serving: Pair | undefined;
  let failure: string | undefined = 'not looked yet';
  let looking = false;
  let again = false;
  let cancel = () => {};

  const watched = reflect(api, SECRETS, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    keep: secret === undefined ? () => NOTHING : dataOf,
    signal,
    log,
    clock,
  });
  watched.on({ added: look, updated: look, deleted: look, synced: look });
  signal.addEventListener('abort', () => cancel(), { once: true });

  return {
    wrong() {
      if (serving === undefined) return `no certificate yet: ${failure}`;
      return now() < serving.untilMs ? undefined : `the certificate has ended: ${failure ?? 'it is not renewed'}`;
    },
    stopped: watched.stopped,
  };

  /** One look at a time; what changes meanwhile is looked at afterwards. */
  function look(): void {
    if (signal.aborted) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    again = false;
    cancel();
    once()
      .then(
        () => {
          failure = undefined;
          return LOOK_MS;
        },
        (error: unknown) => {
          failure = reasonOf(error);
          if (!signal.aborted) log.warn('the certificate was not looked after', { error: failure });
          return AGAIN_MS;
        },
      )
      .then((ms) => {
        looking = false;
        if (again) look();
        else if (!signal.aborted) cancel = clock.after(ms, look);
      });
  }

  async function once(): Promise<void> {
    if (!watched.hasSynced()) return;
    if (secret !== undefined) return serveGiven(secret);
    const authority = await authorityNow();
    await publish(bundle(authority, now()));
    const because = whyAnew(serving, authority.current, names(), now());
    if (because === undefined) return;
    const { makeServing } = await import('./issue.ts');
    serve(await makeServing(authority.current, names(), now()), because);
  }

  function serve(certificate: Pair, because: string): void {
    serving = certificate;
    onCertificate(certificate);
    log.info('serving with a new certificate', { because, until: new Date(certificate.untilMs).toISOString() });
  }

  /** The authority as it should be now, stored. Who comes second takes what the first has written. */
  async function authorityNow(): Promise<Authority> {
    for (;;) {
      const stored = await unlessMissing(api.get(SECRETS, { namespace, name }, { signal }));
      const seen = fromSecret(stored?.data);
      const step = nextStep(seen, now());
      if (step.do === 'keep') return seen!;
      if (stored?.data !== undefined && seen === undefined)
        log.warn('what the Secret holds is no authority, and is replaced', { secret: name });
      const { makeAuthority } = await import('./issue.ts');
      const authority = await after(step, seen, () => makeAuthority(now()), now());
      try {
        await write(stored, toSecret(authority));
        log.info('authority of the API', { step: step.do, because: step.because });
      } catch (error) {
        if (!wroteFirst(error)) throw error;
      }
    }
  }

  /** A Conflict where somebody wrote since it was read. A Secret's type can't change, and only its data counts. */
  async function write(stored: StoredSecret | undefined, data: Record<string, string>): Promise<void> {
    const metadata = { namespace, name, labels: PART_OF };
    if (stored === undefined) await api.create(SECRETS, { metadata, type: 'kubernetes.io/tls', data }, { signal });
    else await api.update(SECRETS, { metadata: stored.metadata, type: stored.type, data }, { signal });
  }

  /** What those who ask trust. `undefined`: whom they trust anyway. */
  async function publish(certificates: string | undefined): Promise<void> {
    const id = { namespace, name: API_CA };
    const stored = await unlessMissing(api.get(CONFIGMAPS, id, { signal }));
    if (stored === undefined ? certificates === undefined : stored.data?.['ca.crt'] === certificates) return;
    const data = certificates === undefined ? {} : { 'ca.crt': certificates };
    try {
      if (stored === undefined) await api.create(CONFIGMAPS, { metadata: { ...id, labels: PART_OF }, data }, { signal });
      else await api.update(CONFIGMAPS, { metadata: stored.metadata, data }, { signal });
    } catch (error) {
      if (!wroteFirst(error)) throw error;
      return publish(certificates);
    }
  }

  async function serveGiven(secret: string): Promise<void> {
    const data = watched.get(`${namespace}/${secret}`);
    if (data === undefined) throw new Error(`there is no Secret ${namespace}/${secret}; make it, or leave --serving-secret out`);
    const text = (key: string) => (data[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString());
    const given = pair(text('tls.crt'), text('tls.key'));
    if (given === undefined) throw new Error(`Secret ${namespace}/${secret} holds no certificate (tls.crt) with its key (tls.key)`);
    if (given.untilMs <= now())
      throw new Error(`the certificate in Secret ${namespace}/${secret} ended ${new Date(given.untilMs).toISOString()}`);
    await publish(text('ca.crt'));
    if (given.untilMs - now() < FOREIGN_SOON_MS)
      log.warn('the certificate ends soon', { secret, until: new Date(given.untilMs).toISOString() });
    if (given.cert !== serving?.cert || given.key !== serving.key) serve(given, `Secret ${secret} changed`);
  }
}

type StoredSecret = NonNullable<(typeof SECRETS)['stored']>;

const dataOf = ({ data = {} }: { data?: Readonly<Record<string, string>> }) => data;
/** Of our own authority only that it changed is watched: its key need not lie in a cache. */
const NOTHING: Readonly<Record<string, string>> = {};
/** Another replica did, a moment ago: read again, decide again. */
const wroteFirst = (error: unknown) => isConflict(error) || isAlreadyExists(error);
