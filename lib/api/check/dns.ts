/** Whom the DNS caches of the nodes ask: addresses that nodes reach, without kube-proxy. */

import { NODE_LOCAL_DNS } from '../node-local.ts';
import { cidrRange, toNumber, within } from '../range.ts';
import type { Draft, Report } from './draft.ts';

export function checkDns({ dns, services = 'none', serviceCidr }: Draft, report: Report): void {
  if (dns?.upstream === undefined) return;
  if (services === 'kube-proxy')
    report({
      path: 'dns.upstream',
      what: 'dns.upstream is there, and so is kube-proxy',
      got: dns.upstream,
      allowed: "it is for services: 'none'; with kube-proxy pods reach the Service of cluster DNS",
      remedy: 'Leave dns out.',
    });
  dns.upstream.forEach((address, at) => {
    const complain = (what: string, allowed: string, remedy: string) =>
      report({ path: `dns.upstream[${at}]`, what: `dns.upstream is ${address}, ${what}`, got: address, allowed, remedy });
    if (address === NODE_LOCAL_DNS)
      complain(
        'the address of the cache itself',
        'whom the caches ask',
        "Give the addresses of CoreDNS on the control plane's host network.",
      );
    else if (serviceCidr !== undefined && services === 'none' && within(cidrRange(serviceCidr), toNumber(address)))
      complain(
        `a ClusterIP of ${serviceCidr}`,
        'an address that leads somewhere without kube-proxy',
        "Run CoreDNS on the control plane's host network, and give the addresses of those nodes.",
      );
  });
}
