/** Making certificates: an authority, and what a replica serves with. Keys are ECDSA P-256; every client of TLS 1.2 has it. */
// tsyringe inside @peculiar/x509 refuses to load without it.
import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { API_CA } from '../../api/scheduling.ts';
import { AUTHORITY_DAYS, BACKDATED_MS, type Pair } from './authority.ts';
import { SERVING_DAYS } from './serving.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export async function makeAuthority(nowMs: number): Promise<Pair> {
  const keys = await crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const lives = { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + AUTHORITY_DAYS * DAY_MS };
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(lives),
    // A name of its own: OpenSSL looks for an issuer by name first.
    name: [{ CN: [`${API_CA} ${new Date(nowMs).toISOString()}`] }],
    keys,
    extensions: [
      // Path length 0: it signs what serves, and no other authority.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: cert.toString('pem'), key: pem(keys.privateKey), ...lives };
}

/** What a replica serves with, for these names and addresses; it ends with its authority at the latest. */
export async function makeServing(authority: Pair, names: readonly string[], nowMs: number): Promise<Pair> {
  const keys = await crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.cert);
  const lives = { fromMs: nowMs - BACKDATED_MS, untilMs: Math.min(nowMs + SERVING_DAYS * DAY_MS, authority.untilMs) };
  const cert = await x509.X509CertificateGenerator.create({
    ...common(lives),
    subject: [{ CN: ['gala-scheduler'] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await createPrivateKey(authority.key).toCryptoKey(ECDSA, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: cert.toString('pem'), key: pem(keys.privateKey), ...lives };
}

function common({ fromMs, untilMs }: { fromMs: number; untilMs: number }) {
  // RFC 5280, 4.1.2.2: positive and at most 20 octets; the first bit stays 0.
  const serialNumber = `0${randomBytes(16).toString('hex').slice(1)}`;
  return { serialNumber, notBefore: new Date(fromMs), notAfter: new Date(untilMs), signingAlgorithm: ECDSA };
}

const pem = (key: webcrypto.CryptoKey) => KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }) as string;
