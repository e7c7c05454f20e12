// The scheduling slice alone, beside a cluster that has its CNI, monitoring, nodes and delivery already.
import { defineCluster } from 'cdk8s-gala';

export default defineCluster({
  name: 'prod-2',
  kubernetes: '1.36',
  apiServer: 'https://10.8.3.10:6443',
  pools: {}, // whatever nodes exist
  concerns: ['scheduling'],
  existing: { cni: 'calico', monitoring: 'kube-prometheus', nodes: 'karpenter', gitops: 'argo-cd' },
});
