/**
 * Addresses that every node has of its own where there is no kube-proxy, and which of them a cluster has: what constructs render, the
 * agent puts on the node, and the kubelet tells pods.
 */
import type { Cluster } from './cluster.ts';
import { cidrRange, toAddress } from './range.ts';

/** Where NodeLocal DNSCache answers on every node; its own default (169.254.0.0/16 is never routed). */
export const NODE_LOCAL_DNS = '169.254.20.10';

/** Of Services: what every installer calls it. */
export const CLUSTER_DOMAIN = 'cluster.local';

/** The Service `kubernetes` has the first address of the range (pkg/controlplane, ServiceIPRange). @returns undefined: the range is not said */
export function kubernetesServiceIP({ serviceCidr }: Pick<Cluster, 'serviceCidr'>): string | undefined {
  return serviceCidr === undefined ? undefined : toAddress(cidrRange(serviceCidr).first + 1);
}

/** Whether pods that Gala wires find a DNS cache on their node: there is somebody whom it could ask. */
export const hasNodeLocalDns = ({ services, dns }: Pick<Cluster, 'services' | 'dns'>): boolean =>
  services === 'none' && (dns?.upstream.length ?? 0) > 0;
