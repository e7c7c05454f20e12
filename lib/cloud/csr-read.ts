/** Reads a certificate request's PKCS#10: subject and the names it is to be good for. */
// tsyringe inside @peculiar/x509 refuses to load without it.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Asked } from './csr.ts';

/** @throws {Error} when it is none @param pem as `spec.request` has it, base64 taken off */
export function readRequest(pem: string): Pick<Asked, 'subject' | 'dnsNames' | 'ipAddresses' | 'otherNames'> {
  const request = new x509.Pkcs10CertificateRequest(pem);
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
