/** Certificates for tests: an authority, and what it signs for people and servers. All PEM. */
import 'reflect-metadata'; // what @peculiar/x509 builds on wants it first
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly cert: string;
  /** @param subject `CN=hua, O=system:masters` */
  signClient(subject: string): Promise<Pair>;
  /** For 127.0.0.1 and localhost. */
  signServer(): Promise<Pair>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** @param hours how long everything that it signs is valid, itself included */
export async function anAuthority(name: string, hours = 1): Promise<Authority> {
  cryptoProvider.set(webcrypto as never);
  const keys = await aKeyPair();
  const root = await X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${name}`, keys, signingAlgorithm: ALGORITHM, ...validFor(hours) },
    extensions: [new BasicConstraintsExtension(true, undefined, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
  });
  const sign = async (subject: string, extensions: Extension[]): Promise<Pair> => {
    const own = await aKeyPair();
    const cert = await X509CertificateGenerator.create({
      ...{
        subject,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        ...validFor(hours),
      },
      extensions,
    });
    return { cert: cert.toString('pem'), key: pemOf(await webcrypto.subtle.exportKey('pkcs8', own.privateKey as webcrypto.CryptoKey)) };
  };
  const here = new SubjectAlternativeNameExtension([
    { type: 'ip', value: '127.0.0.1' },
    { type: 'dns', value: 'localhost' },
  ]);
  return {
    cert: root.toString('pem'),
    signClient: (subject) => sign(subject, [new ExtendedKeyUsageExtension([CLIENT_AUTH])]),
    signServer: () => sign('CN=localhost', [new ExtendedKeyUsageExtension([SERVER_AUTH]), here]),
  };
}

const aKeyPair = async () => (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;

const validFor = (hours: number) => ({ notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + hours * 3_600_000) });

const pemOf = (pkcs8: ArrayBuffer) =>
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(pkcs8).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
