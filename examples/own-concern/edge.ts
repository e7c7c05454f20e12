import { defineCluster, intranet } from 'cdk8s-gala';
import './ddos.ts'; // its options are typed here

export default defineCluster({
  name: 'edge',
  kubernetes: '1.37',
  apiServer: 'https://10.9.0.10:6443',
  pools: {
    web: intranet({
      racks: { e1: 'edge-e1-[01-08]' },
      trunk: 'bond0',
      vlans: { 200: { subnet: '10.200.0.0/24', gateway: '10.200.0.1', addresses: '10.200.0.64-10.200.0.223' } },
      machine: { cpu: 32, memory: '128Gi' },
    }),
  },
  ddos: { mode: 'drop' },
});
