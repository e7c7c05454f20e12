/** Compiled, never run: a wrong rack, pool, mode or key of a definition is refused by the compiler (`npm run typecheck`). */
import { defineCluster, intranet } from 'cdk8s-gala';
import '../../examples/own-concern/ddos.ts';

const machine = { cpu: 64, memory: '256Gi' };
const vlan = { subnet: '10.110.0.0/22', gateway: '10.110.0.1', addresses: '10.110.0.128/25' };
const web = intranet({ racks: { r1: 'a-[1-4]' }, trunk: 'bond0', vlans: { 110: { ...vlan, racks: ['r1'] } }, machine });
const basics = { name: 'one', kubernetes: '1.37', apiServer: 'https://10.8.0.10' } as const;

// @ts-expect-error no rack r2
intranet({ racks: { r1: 'a-[1-4]' }, trunk: 'bond0', vlans: { 110: { ...vlan, racks: ['r2'] } } });
// @ts-expect-error no pool ml
defineCluster({ ...basics, pools: { web }, capacityOrder: ['web', 'ml'] });
// @ts-expect-error no mode iptables
defineCluster({ ...basics, pools: { web }, services: 'iptables' });
// @ts-expect-error no key replicas
defineCluster({ ...basics, pools: { web }, replicas: 3 });
// @ts-expect-error no minor 1.20
defineCluster({ ...basics, kubernetes: '1.20', pools: { web } });
// @ts-expect-error no mode dorp of somebody's own concern
defineCluster({ ...basics, pools: { web }, ddos: { mode: 'dorp' } });

export const right = defineCluster({ ...basics, pools: { web }, capacityOrder: ['web'], ddos: { mode: 'drop' } });
