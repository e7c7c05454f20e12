// cloud-a: EC2 only, one ENI per pod, three zones.
import { defineCluster, ec2 } from 'cdk8s-gala';

export const burst = ec2({
  region: 'ap-northeast-1',
  instanceTypes: ['c5.4xlarge', 'm5.4xlarge'], // in order; the next one when EC2 has no capacity
  zones: {
    'ap-northeast-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' },
    'ap-northeast-1c': { nodeSubnetId: 'subnet-0a2', podSubnetId: 'subnet-0d2' },
    'ap-northeast-1d': { nodeSubnetId: 'subnet-0a3', podSubnetId: 'subnet-0d3' },
  },
  securityGroupIds: { node: ['sg-0n'], pod: ['sg-0p'] },
  imageId: 'ami-0abc',
  instanceProfile: 'gala-node',
  join: { eks: 'cloud-a' },
  size: { min: 3, max: 60 }, // the desired size is the scale subresource, never in git
  warmEnis: 'all', // 7 of 8; the node keeps one
  capacityReservationIds: ['cr-0123'],
});

export default defineCluster({
  name: 'cloud-a',
  kubernetes: '1.36',
  apiServer: 'https://k8s.cloud-a.intra',
  services: 'kube-proxy',
  serviceCidr: '172.20.0.0/16', // `kubectl get servicecidr`
  pools: { burst },
});
