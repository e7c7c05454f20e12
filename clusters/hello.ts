// hello: the smallest cluster, two racks behind one VLAN.
import { defineCluster, intranet } from 'cdk8s-gala';

export default defineCluster({
  name: 'hello',
  kubernetes: '1.37',
  apiServer: 'https://10.8.4.10:6443',
  pools: {
    web: intranet({
      racks: { r12: 'bj-h-r12-[01-16]', r13: 'bj-h-r13-[01-16]' },
      trunk: 'bond0',
      vlans: { 100: { subnet: '10.100.0.0/22', gateway: '10.100.0.1', addresses: '10.100.0.128-10.100.3.127' } },
      machine: { cpu: 64, memory: '256Gi' },
    }),
  },
});
