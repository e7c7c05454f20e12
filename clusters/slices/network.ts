// The network pool by pool, beside a cluster whose other nodes Calico wires: two racks have moved, by their labels.
import { defineCluster, intranet } from 'cdk8s-gala';

export const web = intranet({
  cni: 'gala', // on these hosts; everywhere else it is as `existing` says
  datacenter: 'bj-c',
  racks: { r40: 'bj-c-r40-[01-08]', r41: 'bj-c-r41-[01-08]' },
  trunk: 'bond0',
  vlans: {
    200: {
      subnet: '10.200.0.0/22',
      gateway: '10.200.0.1',
      addresses: '10.200.1.0-10.200.3.127',
      mtu: 9000,
      routes: [{ to: '10.20.0.0/16', via: '10.200.0.2' }],
      ipv6Prefix: 'fd2c:7a41:d0e8:200::/96',
    },
  },
  macsPerPort: 64,
  machine: { cpu: 64, memory: '256Gi', bandwidth: '25G', reserved: { cpu: 2, memory: '8Gi' } },
});

export default defineCluster({
  name: 'prod-3',
  kubernetes: '1.37',
  apiServer: 'https://10.8.5.10:6443',
  services: 'kube-proxy',
  serviceCidr: '10.96.0.0/16', // `kubectl get servicecidr`
  concerns: ['scheduling', 'network'],
  existing: { cni: 'calico', monitoring: 'kube-prometheus' },
  pools: { web },
});
