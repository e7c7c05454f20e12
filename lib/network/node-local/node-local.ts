/**
 * What a node without kube-proxy has for its pods: the ClusterIP of the Service `kubernetes`, behind which the API servers are, and
 * the address of the node-local DNS cache, which runs beside this. Both stand on a link of their own (link.ts), so that pods find
 * them at the same address on every node; the way there is their veth.
 *
 * At its end the link stays: the DNS cache answers on it, and the next agent finds what it needs.
 */
import { NODE_LOCAL_DNS } from '../../api/node-local.ts';
import { type Log, reasonOf } from '../../kube/log.ts';
import type { Kernel } from '../agent/kernel.ts';
import type { Endpoint } from './endpoint.ts';
import { type Forwarder, forwarder } from './forwarder.ts';
import { linkLines } from './link.ts';

export interface NodeLocalOptions {
  /** The ClusterIP of `default/kubernetes`. */
  readonly serviceIP?: string;
  /** Where API servers are; none: there is kube-proxy, and nothing of this is wanted. */
  readonly apiServers: readonly Endpoint[];
  readonly kernel: Pick<Kernel, 'run' | 'seen'>;
  readonly log: Log;
}

export interface NodeLocal {
  /** What pods reach by way of the node. */
  readonly throughNode: readonly string[];
  /** Makes what lacks; rejects when that does not work now. */
  ensure(): Promise<void>;
  close(): Promise<void>;
}

/** The Service `kubernetes` has this port, whatever the API servers listen on (pkg/controlplane, ServicePort). */
const SERVICE_PORT = 443;

export function nodeLocal({ serviceIP, apiServers, kernel, log }: NodeLocalOptions): NodeLocal {
  const isWanted = apiServers.length > 0;
  const addresses = isWanted ? [...(serviceIP === undefined ? [] : [serviceIP]), NODE_LOCAL_DNS] : [];
  if (isWanted && serviceIP === undefined)
    log.warn('the ClusterIP of the Service kubernetes is not known: pods do not reach the API server by it', {
      remedy: 'name serviceCidr in the definition, or --kubernetes-service-ip',
    });
  let forwards: Forwarder | undefined;
  return {
    throughNode: addresses.map((ip) => `${ip}/32`),
    async ensure() {
      const lines = linkLines(addresses, (await kernel.seen()).links);
      await kernel.run(lines, '');
      if (lines.length > 0) log.info('the link of node-local addresses was put right', { lines: lines.map(({ line }) => line) });
      if (serviceIP === undefined || !isWanted || forwards !== undefined) return;
      try {
        forwards = await forwarder({ listen: { host: serviceIP, port: SERVICE_PORT }, to: apiServers, log });
      } catch (cause) {
        throw new Error(
          `listening on ${serviceIP}:${SERVICE_PORT}, for pods that ask the API server: ${reasonOf(cause)}. Who listens on 0.0.0.0:${SERVICE_PORT} of the host is to name an address.`,
          { cause },
        );
      }
      log.info('connections to the API server are forwarded', { from: `${serviceIP}:${SERVICE_PORT}`, to: apiServers });
    },
    close: async () => forwards?.close(),
  };
}
