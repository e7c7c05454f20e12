// bj-b: hall B, a service pool of its own and ML hosts that lend half of themselves when the evening peaks.
import { defineCluster, intranet } from 'cdk8s-gala';

export const web = intranet({
  datacenter: 'bj-b',
  racks: { r16: 'bj-b-r16-[01-12]', r17: 'bj-b-r17-[01-12]' },
  trunk: 'bond0',
  vlans: { 150: { subnet: '10.150.0.0/22', gateway: '10.150.0.1', addresses: '10.150.1.0-10.150.3.127' } },
  macsPerPort: 64,
  machine: { cpu: 64, memory: '256Gi', bandwidth: '25G', swap: '64Gi', reserved: { cpu: 2, memory: '8Gi' } },
  volumes: { log: { path: '/data1', size: '2Ti' } },
});

export const ml = intranet({
  datacenter: 'bj-b',
  racks: { r22: 'bj-b-r22-[01-20]', r23: 'bj-b-r23-[01-20]' },
  trunk: 'bond0',
  vlans: { 160: { subnet: '10.160.0.0/22', gateway: '10.160.0.1', addresses: '10.160.0.64-10.160.2.31' } },
  machine: { cpu: 96, memory: '768Gi', bandwidth: '100G', reserved: { cpu: 4, memory: '16Gi' } },
  volumes: { scratch: { path: '/nvme0', size: '6Ti' } },
  lends: { upTo: '50%', reclaimMinutes: 15, windows: ['18:00-02:00 Asia/Shanghai'] },
});

export default defineCluster({
  name: 'bj-b',
  kubernetes: '1.36',
  apiServer: 'https://10.8.1.10:6443',
  registry: 'harbor.bj.intra/gala',
  metrics: { remoteWrite: 'https://prom.bj.intra/api/v1/write' },
  pools: { web, ml },
  capacityOrder: ['web', 'ml'],
});
