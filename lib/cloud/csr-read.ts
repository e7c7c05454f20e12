/** Reads a certificate request's PKCS#10: subject and the names it is to be good for. */
// tsyringe inside @peculiar/x509 refuses to load without it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Asked } from './csr.ts';

/**
 * One block and nothing beside it. Of several, or of one that is indented, another reader may take another: what is judged here must be
 * what the signer reads (encoding/pem, Decode, passes over what it cannot read and takes the next).
 */
const ONE_BLOCK = /^-----BEGIN CERTIFICATE REQUEST-----\n(?:[A-Za-z0-9+/]+={0,2}\n)+-----END CERTIFICATE REQUEST-----\n?$/;
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** @throws {Error} when it is none, or could be read in two ways @param pem as `spec.request` has it, base64 taken off */
export function readRequest(pem: string): Pick<Asked, 'subject' | 'dnsNames' | 'ipAddresses' | 'otherNames'> {
  if (!ONE_BLOCK.test(pem)) throw new Error('spec.request is not one PEM block CERTIFICATE REQUEST and nothing else');
  const request = new x509.Pkcs10CertificateRequest(pem);
  // The signer reads the extensions of all of them (crypto/x509, parseCSRExtensions), this reader those of the first.
  if (request.attributes.filter(({ type }) => type === EXTENSION_REQUEST).length > 1)
    throw new Error('spec.request has more than one attribute extensionRequest');
  const parts = request.subjectName
    .toJSON()
    .flatMap((part) => Object.entries(part).flatMap(([key, values]) => values.map((value) => [key, value])));
  const of = (key: string) => parts.flatMap(([name, value]) => (name === key && value !== undefined ? [value] : []));
  const names = request.extensions.flatMap((each) => (each instanceof x509.SubjectAlternativeNameExtension ? each.names.items : []));
  const [commonName = '', ...more] = of('CN');
  return {
    subject: { commonName, organizations: of('O'), others: more.length > 0 || parts.some(([key]) => key !== 'CN' && key !== 'O') },
    dnsNames: names.flatMap(({ type, value }) => (type === 'dns' ? [value] : [])),
    ipAddresses: names.flatMap(({ type, value }) => (type === 'ip' ? [value] : [])),
    otherNames: names.some(({ type }) => type !== 'dns' && type !== 'ip'),
  };
}
