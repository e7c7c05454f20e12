/** Builders: what somebody asks for, of which a test says only what matters. */
import { anIntranetPool } from '../a-cluster.ts';

export function aPod(over: { metadata?: object; spec?: object } = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'pod-', namespace: 'default', ...over.metadata },
    spec: { containers: [{ name: 'main', image: 'main:1' }], ...over.spec },
  };
}

export const GALAS = { schedulerName: 'gala-scheduler' };
export const GATED = { ...GALAS, schedulingGates: [{ name: 'gala.internal/lock' }] };
export const EVERY_TAINT = [{ operator: 'Exists' }];

export const aNodeNetwork = (name: string) => ({
  apiVersion: 'gala.internal/v1alpha1',
  kind: 'NodeNetwork',
  metadata: { name },
  spec: { machineID: '9f2c7a41d0e84d1bb1d7d9b6a1f0c3e5', pool: 'web', trunk: 'bond0' },
});

/** What an API server that resizes pods asks of their node: room, and what its kubelet can do. */
export const aNode = (name: string, ...declaredFeatures: string[]) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/os': 'linux' } },
  status: { allocatable: { cpu: '64', memory: '256Gi' }, ...(declaredFeatures.length > 0 && { declaredFeatures }) },
});

/** A cluster whose one pool is tainted: its locks are hard. */
export const aTaintedCluster = (over: object = {}) =>
  ({
    name: 'test-a',
    kubernetes: '1.37',
    apiServer: 'https://10.8.0.10:6443',
    concerns: ['scheduling'],
    pools: { web: anIntranetPool() },
    ...over,
  }) as never;
