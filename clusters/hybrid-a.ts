// hybrid-a: the festival night. Own racks, then borrowed ML hosts, then EC2; its own hosts and ranges throughout.
import { defineCluster, intranet } from 'cdk8s-gala';
import { burst } from './cloud-a.ts';

export const web = intranet({
  datacenter: 'bj-a',
  racks: { r30: 'bj-a-r30-[01-10]', r31: 'bj-a-r31-[01-10]', r32: 'bj-a-r32-[01-10]', r33: 'bj-a-r33-[01-10]' },
  trunk: 'bond0',
  vlans: {
    170: { subnet: '10.170.0.0/22', gateway: '10.170.0.1', addresses: '10.170.1.0-10.170.2.223' },
    180: { subnet: '10.180.0.0/24', gateway: '10.180.0.1', addresses: '10.180.0.64-10.180.0.183', racks: ['r32', 'r33'] },
  },
  macsPerPort: 64,
  machine: { cpu: 64, memory: '256Gi', bandwidth: '25G', swap: '64Gi', reserved: { cpu: 2, memory: '8Gi' } },
  volumes: { log: { path: '/data1', size: '2Ti', overcommit: 1.3 } },
});

export const ml = intranet({
  datacenter: 'bj-b',
  racks: { r20: 'bj-b-r20-[01-30]', r21: 'bj-b-r21-[01-30]' },
  trunk: 'bond0',
  vlans: { 140: { subnet: '10.140.0.0/22', gateway: '10.140.0.1', addresses: '10.140.0.64-10.140.2.31' } },
  machine: { cpu: 96, memory: '768Gi' },
  lends: { upTo: '50%', reclaimMinutes: 15, windows: ['18:00-02:00 Asia/Shanghai'] },
});

export default defineCluster({
  name: 'hybrid-a',
  kubernetes: '1.37',
  apiServer: 'https://10.8.2.10:6443',
  pools: {
    web,
    ml,
    burst: {
      ...burst,
      join: { bootstrap: true },
      zones: {
        'ap-northeast-1a': { nodeSubnetId: 'subnet-0b1', podSubnetId: 'subnet-0e1' },
        'ap-northeast-1c': { nodeSubnetId: 'subnet-0b2', podSubnetId: 'subnet-0e2' },
      },
      capacityReservationIds: [],
      size: { min: 0, max: 60 },
    },
  },
  capacityOrder: ['web', 'ml', 'burst'],
});
