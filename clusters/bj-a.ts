// bj-a: hall A, 40 hosts, 4 racks, one VLAN per product line.
import { defineCluster, intranet } from 'cdk8s-gala';

export const web = intranet({
  datacenter: 'bj-a',
  racks: { r12: 'bj-a-r12-[01-10]', r13: 'bj-a-r13-[01-10]', r14: 'bj-a-r14-[01-10]', r15: 'bj-a-r15-[01-10]' },
  trunk: 'bond0',
  vlans: {
    110: { subnet: '10.110.0.0/22', gateway: '10.110.0.1', addresses: '10.110.1.0-10.110.2.223' },
    120: { subnet: '10.120.0.0/23', gateway: '10.120.0.1', addresses: '10.120.0.64-10.120.1.127', namespaces: ['ads'] },
    130: { subnet: '10.130.0.0/24', gateway: '10.130.0.1', addresses: '10.130.0.64-10.130.0.183', racks: ['r14', 'r15'] },
  },
  macsPerPort: 64,
  machine: { cpu: 64, memory: '256Gi', bandwidth: '25G', swap: '64Gi', reserved: { cpu: 2, memory: '8Gi' } },
  volumes: { log: { path: '/data1', size: '2Ti', overcommit: 1.3 } },
});

export default defineCluster({
  name: 'bj-a',
  kubernetes: '1.37',
  apiServer: 'https://10.8.0.10:6443',
  registry: 'harbor.bj.intra/gala',
  metrics: { remoteWrite: 'https://prom.bj.intra/api/v1/write' },
  pools: { web },
});
