/** Builder: a kubelet's request for a certificate, as `spec.request` of a CSR has it. */
import 'reflect-metadata';
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** @param addresses of a serving certificate; undefined: it is a client certificate, and names none */
export async function aKubeletsRequest(node: string, addresses: readonly string[] | undefined, privateKey: KeyObject): Promise<string> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${node}`] }],
    keys: {
      privateKey: await privateKey.toCryptoKey(ECDSA, true, ['sign']),
      publicKey: await createPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).toCryptoKey(ECDSA, true, ['verify']),
    },
    signingAlgorithm: ECDSA,
    extensions:
      addresses === undefined
        ? []
        : [
            new x509.SubjectAlternativeNameExtension([
              { type: 'dns', value: node },
              ...addresses.map((value) => ({ type: 'ip' as const, value })),
            ]),
          ],
  });
  return Buffer.from(request.toString('pem')).toString('base64');
}
