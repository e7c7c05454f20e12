/** Serving: the certificate that a replica answers with, which names it carries and when there must be another. Pure. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { API_SERVICE } from '../../api/scheduling.ts';
import type { Pair } from './authority.ts';

/** Never stored: a replica makes one at its start, and the next when two thirds are over. */
export const SERVING_DAYS = 30;

/**
 * What a replica is called: its host's addresses and name, and its Service's name, by which the client checks it whichever
 * address it took.
 */
export function namesOf(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
  hostname: string,
  namespace: string,
): string[] {
  const addresses = Object.values(interfaces).flatMap((all) => all ?? []);
  // Link-local addresses have a zone that a certificate cannot carry.
  const usable = addresses.map(({ address }) => address).filter((address) => !/^fe80:/i.test(address));
  const service = `${API_SERVICE}.${namespace}`;
  const names = [service, `${service}.svc`, 'localhost', '127.0.0.1', ...(isDnsName(hostname) ? [hostname.toLowerCase()] : []), ...usable];
  return [...new Set(names)].sort();
}

/** Host names may have underscores; certificates' names may not. */
const isDnsName = (name: string) => isIP(name) === 0 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i.test(name);

/** Why a replica needs another certificate now; undefined: the one it has will do. */
export function whyAnew(serving: Pair | undefined, authority: Pair, names: readonly string[], nowMs: number): string | undefined {
  if (serving === undefined) return 'there is none';
  const { fromMs, untilMs } = serving;
  if (nowMs >= untilMs) return 'it has ended';
  if (nowMs >= fromMs + ((untilMs - fromMs) * 2) / 3) return 'two thirds of its time are over';
  const cert = new X509Certificate(serving.cert);
  if (!cert.verify(new X509Certificate(authority.cert).publicKey)) return 'the authority is another one';
  const missing = names.find((name) => (isIP(name) === 0 ? cert.checkHost(name) : cert.checkIP(name)) === undefined);
  return missing && `it does not name ${missing}`;
}
