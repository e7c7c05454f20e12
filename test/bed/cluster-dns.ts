/** Cluster DNS as a site has it before Gala: CoreDNS beside the API server, on the host's network, of no Service. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './control-plane.ts';

/** Starts it in the bed's network, on port 53; it ends with the bed. @returns its address */
export function startClusterDns(bed: Bed): string {
  const { address } = bed.network;
  const file = join(bed.folder, 'Corefile');
  writeFileSync(
    file,
    `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    bind ${address}
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${bed.kubeconfig}
    }
}
`,
  );
  bed.run('coredns', ['-conf', file]);
  return address;
}
