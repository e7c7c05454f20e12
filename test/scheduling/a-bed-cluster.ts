/** The cluster that programs are tried on in the bed: one tainted pool of hosts in two racks, behind one VLAN. */
import { intranet } from '../../lib/api/authoring.ts';
import type { ClusterDefinition } from '../../lib/api/definition.ts';

/** @param hostsPerRack at most 99 @param addresses a range of VLAN 110 */
export function aBedCluster(hostsPerRack = 10, addresses = '10.110.1.0-10.110.2.223'): ClusterDefinition {
  const hosts = (rack: string) => `bed-${rack}-[01-${String(hostsPerRack).padStart(2, '0')}]`;
  const web = intranet({
    racks: { r12: hosts('r12'), r13: hosts('r13') },
    trunk: 'bond0',
    vlans: { 110: { subnet: '10.110.0.0/22', gateway: '10.110.0.1', addresses } },
    machine: { cpu: 64, memory: '256Gi' },
  });
  // startGala names the API server.
  return { name: 'bed-a', kubernetes: '1.37', apiServer: 'https://10.8.0.10:6443', concerns: ['scheduling'], pools: { web } };
}
