import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Authority, Pair } from '../../../lib/scheduling/http/authority.ts';
import {
  AUTHORITY_DAYS,
  after,
  BACKDATED_MS,
  bundle,
  certificatesIn,
  fromSecret,
  nextStep,
  PREPARE_DAYS,
  PROMOTE_DAYS,
  toSecret,
} from '../../../lib/scheduling/http/authority.ts';
import { makeAuthority, makeServing } from '../../../lib/scheduling/http/issue.ts';
import { namesOf, SERVING_DAYS, whyAnew } from '../../../lib/scheduling/http/serving.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2027-02-16T12:00:00Z');

let made: Pair;
let other: Pair;
beforeAll(async () => {
  made = await makeAuthority(NOW);
  other = await makeAuthority(NOW + DAY);
});

const anAuthority = (authority: Partial<Authority> = {}): Authority => ({ current: made, former: [], ...authority });
/** A pair with these times; its PEM is of no interest. */
const lasting = (untilMs: number): Pair => ({ cert: 'c', key: 'k', fromMs: 0, untilMs });

test('what is made is an authority that signs what serves, and nothing below', () => {
  const cert = new X509Certificate(made.cert);
  expect(cert.ca).toBe(true);
  expect(cert.verify(cert.publicKey)).toBe(true);
  expect(Date.parse(cert.validTo) - NOW).toBe(AUTHORITY_DAYS * DAY);
  expect(Date.parse(cert.validFrom)).toBe(NOW - BACKDATED_MS);
});

test('without an authority one is made; with one that has long to go nothing happens', () => {
  expect(nextStep(undefined, NOW)).toMatchObject({ do: 'make' });
  expect(nextStep(anAuthority(), NOW)).toEqual({ do: 'keep' });
});

test('the steps come to the millisecond: prepare, promote, and make when nobody looked for too long', () => {
  const untilMs = NOW + 400 * DAY;
  const at = (days: number, authority: Authority, more = 0) => nextStep(authority, untilMs - days * DAY + more).do;
  const alone: Authority = { current: lasting(untilMs), former: [] };
  expect([at(PREPARE_DAYS, alone, -1), at(PREPARE_DAYS, alone)]).toEqual(['keep', 'prepare']);
  const prepared: Authority = { ...alone, next: lasting(untilMs + 500 * DAY) };
  expect([at(PREPARE_DAYS, prepared), at(PROMOTE_DAYS, prepared, -1), at(PROMOTE_DAYS, prepared)]).toEqual(['keep', 'keep', 'promote']);
  expect([at(0, alone, -1), at(0, alone), at(0, prepared)]).toEqual(['prepare', 'make', 'promote']);
  expect(at(-600, prepared)).toBe('make');
});

test('an authority of the future is kept: replicas whose clocks differ do not take turns', () => {
  expect(nextStep({ current: { ...lasting(NOW + 700 * DAY), fromMs: NOW + DAY }, former: [] }, NOW)).toEqual({ do: 'keep' });
});

test('a next one that would end before the current one is no successor', () => {
  const untilMs = NOW + 100 * DAY;
  expect(nextStep({ current: lasting(untilMs), next: lasting(untilMs - DAY), former: [] }, NOW)).toMatchObject({ do: 'prepare' });
});

test('what a Secret holds comes back as it was', () => {
  for (const authority of [
    anAuthority(),
    anAuthority({ next: other }),
    anAuthority({ next: other, former: [{ cert: made.cert.trim(), untilMs: made.untilMs }] }),
  ])
    expect(fromSecret(toSecret(authority))).toEqual(authority);
});

test.each([
  ['no Secret', undefined],
  ['an empty one', {}],
  ['no key', { 'tls.crt': 'current' }],
  ['text that is no certificate', { 'tls.crt': 'garbage', 'tls.key': 'key' }],
  ['the key of another', { 'tls.crt': 'current', 'tls.key': 'otherKey' }],
  ['a certificate that is no authority', { 'tls.crt': 'leaf', 'tls.key': 'leafKey' }],
])('a Secret with %s holds no authority', async (_what, data) => {
  const leaf = await makeServing(made, ['localhost'], NOW);
  const texts: Record<string, string> = { current: made.cert, key: made.key, otherKey: other.key, leaf: leaf.cert, leafKey: leaf.key };
  const encoded = data && Object.fromEntries(Object.entries(data).map(([name, text]) => [name, btoa(texts[text] ?? text)]));
  expect(fromSecret(encoded)).toBeUndefined();
});

test('when somebody looks every month, all that signs is made in time, and a kept file of what is trusted is good for two months', async () => {
  // Making a certificate takes 10 ms; here only times are of interest.
  const gapDays = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 5, maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(gapDays, async (days) => {
      let seen: Authority | undefined;
      let now = NOW;
      let serial = 0;
      const publishedAt = new Map<string, number>();
      const fresh = async () => ({ ...lasting(now + AUTHORITY_DAYS * DAY), cert: `c${serial++}` });
      for (const gap of days) {
        now += gap * DAY;
        let step = nextStep(seen, now);
        for (let steps = 0; step.do !== 'keep'; step = nextStep(seen, now), steps++) {
          expect(steps).toBe(0);
          if (seen !== undefined) expect(step.do).not.toBe('make');
          const signed = seen?.current.cert;
          seen = await after(step, seen, fresh, now);
          if (signed === undefined) continue;
          expect(bundle(seen, now)).toContain(signed);
          if (step.do === 'promote') expect(now - publishedAt.get(seen.current.cert)!).toBeGreaterThanOrEqual(60 * DAY);
        }
        for (const cert of bundle(seen!, now).trim().split('\n')) if (!publishedAt.has(cert)) publishedAt.set(cert, now);
        expect(seen!.current.untilMs).toBeGreaterThan(now + SERVING_DAYS * DAY);
      }
    }),
    { numRuns: 200 },
  );
});

test('what has ended is trusted no longer', async () => {
  const later = NOW + (AUTHORITY_DAYS + 1) * DAY;
  const seen = anAuthority({ next: lasting(later + 500 * DAY) });
  expect((await after({ do: 'promote', because: '' }, seen, async () => other, later)).former).toEqual([]);
  expect((await after({ do: 'promote', because: '' }, seen, async () => other, NOW)).former).toHaveLength(1);
});

test('the published certificates are the current, the next and the former ones', () => {
  const published = bundle(anAuthority({ next: other, former: [{ cert: made.cert, untilMs: made.untilMs }] }), NOW);
  expect(certificatesIn(published).map((cert) => new X509Certificate(cert).fingerprint256)).toEqual(
    [made, other, made].map(({ cert }) => new X509Certificate(cert).fingerprint256),
  );
});

const NAMES = ['10.8.0.11', 'localhost', 'r12-01'];

test('a serving certificate names what it is asked for, and two thirds of its time later there is another', async () => {
  const serving = await makeServing(made, NAMES, NOW);
  expect(whyAnew(undefined, made, NAMES, NOW)).toBe('there is none');
  expect(whyAnew(serving, made, NAMES, NOW)).toBeUndefined();
  const { fromMs, untilMs } = serving;
  expect(untilMs).toBe(NOW + SERVING_DAYS * DAY);
  const third = (untilMs - fromMs) / 3;
  expect(whyAnew(serving, made, NAMES, fromMs + 2 * third - 1)).toBeUndefined();
  expect(whyAnew(serving, made, NAMES, fromMs + 2 * third)).toMatch(/two thirds/);
  expect(whyAnew(serving, made, NAMES, untilMs)).toMatch(/ended/);
  expect(whyAnew(serving, other, NAMES, NOW)).toMatch(/authority is another/);
  expect(whyAnew(serving, made, [...NAMES, '10.8.0.12'], NOW)).toMatch(/not name 10\.8\.0\.12/);
  expect(whyAnew(serving, made, [...NAMES, 'r12-02'], NOW)).toMatch(/not name r12-02/);
});

test('nothing is served beyond the end of the authority', async () => {
  expect((await makeServing(made, NAMES, made.untilMs - DAY)).untilMs).toBe(made.untilMs);
});

test('a replica is called by its addresses, its host and its Service; what no certificate can name is left out', () => {
  const address = (address: string) => ({ address, netmask: '', family: 'IPv4' as const, mac: '', internal: false, cidr: null });
  const names = namesOf(
    { eth0: [address('10.8.0.11'), address('fe80::1')], lo: [address('127.0.0.1'), address('::1')] },
    'r12_01',
    'gala-system',
  );
  expect(names).toEqual(['10.8.0.11', '127.0.0.1', '::1', 'gala-scheduler.gala-system', 'gala-scheduler.gala-system.svc', 'localhost']);
});
