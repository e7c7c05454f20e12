import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NodeAgent } from '../../constructs/node-agent.ts';
import { Program } from '../../constructs/program.ts';
import { Scheduling } from '../../constructs/scheduling/scheduling.ts';
import type { KubeObject } from '../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { aCluster, rendered } from './a-cluster.ts';

const image = 'harbor.bj.intra/sre/guard:1.2.0';
const memory = '64Mi';
const because = 'the test needs one of each';

/** One of everything that agents and programs can be told. */
const { objects } = rendered(aCluster(), (scope) => {
  new Scheduling(scope, 'scheduler');
  new Program(scope, 'controller', {
    program: 'controller',
    memory,
    may: [{ verbs: ['list', 'watch'], on: { group: '', resource: 'nodes' }, because }],
  });
  new NodeAgent(scope, 'bare', { image, memory });
  new NodeAgent(scope, 'pod-network', { image, memory, network: 'pod' });
  new NodeAgent(scope, 'capable', {
    image,
    memory,
    config: { 'guard.yaml': 'mode: observe\n' },
    emptyDirs: { '/tmp': '16Mi' },
    env: { NODE_NAME: { fieldPath: 'spec.nodeName' } },
    may: [
      { verbs: ['get'], on: { group: '', resource: 'nodes' }, because },
      { verbs: ['get'], on: { group: '', resource: 'configmaps' }, namespace: 'kube-system', resourceNames: ['kube-root-ca.crt'], because },
    ],
    livenessProbe: { httpGet: '/livez', port: 9808, scheme: 'HTTPS' },
    readinessProbe: { exec: ['true'], periodSeconds: 5 },
    needs: [
      { capability: 'SYS_ADMIN', because },
      { capability: 'BPF', because },
      { hostPid: true, because },
      { hostPath: '/run/guard', type: 'DirectoryOrCreate', readOnly: false, because },
      { hostPath: '/proc', mountPath: '/host/proc', because },
      { hostPath: '/mnt', propagation: 'HostToContainer', because },
      { hostPort: 9808, hostIP: '127.0.0.1', because },
      { hostPort: 9809, protocol: 'UDP', because },
    ],
  });
  new NodeAgent(scope, 'privileged', {
    image,
    memory,
    needs: [
      { privileged: true, because },
      { hostPath: '/var/lib/kubelet', propagation: 'Bidirectional', readOnly: false, because },
    ],
  });
});

/** The pods that a DaemonSet's or Deployment's controller would make. */
const pods = objects
  .filter(({ kind }) => kind === 'DaemonSet' || kind === 'Deployment')
  .map(({ metadata, spec }): KubeObject => {
    const { template } = spec as { template: { metadata: object; spec: object } };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: metadata.name, namespace: metadata.namespace },
      spec: template.spec,
    };
  });

describeBed('agents and programs on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  });
  afterAll(() => bed?.stop());

  test('every object is taken as it is, without a warning, and taking it again changes nothing', async () => {
    const first = await bed.apply(objects);
    expect(first.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
    const second = await bed.apply(objects);
    expect(second.filter(({ result }) => result !== 'unchanged')).toEqual([]);
  });

  test('so is every pod that would be made of them: the namespace and its Pod Security level let them in', async () => {
    const made = await bed.apply(pods);
    expect(made).toHaveLength(6);
    expect(made.filter(({ result, warnings }) => result !== 'created' || warnings.length > 0)).toEqual([]);
  });
});
