/** Simulated hosts: Nodes shaped like racked machines, kept alive by kwok, which also plays their pods. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { POOL_LABEL, RACK_LABEL } from '../../lib/api/model.ts';
import type { Answer } from './client.ts';
import type { Bed } from './control-plane.ts';
import { until } from './process.ts';

const HOSTS_PER_RACK = 40;
const MACHINE = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '2Ti', pods: '110' };
/** As many as Gala's programs have replicas: they run on control-plane nodes or on these, and stay Pending without. */
const SYSTEM_HOSTS = 2;
/** The API server takes this many at once without queueing. */
const AT_ONCE = 32;
/** Kept for the system and the kubelet, as Gala's own kubelet profile would. */
const ALLOCATABLE = { ...MACHINE, cpu: '62', memory: '248Gi' };

/** `trial-r01-07`: host 7 of rack 1. */
export const hostName = (index: number): string => `trial-${rackOf(index)}-${pad((index % HOSTS_PER_RACK) + 1)}`;
const rackOf = (index: number) => `r${pad(Math.floor(index / HOSTS_PER_RACK) + 1)}`;
const pad = (number: number) => String(number).padStart(2, '0');

/** @param pool left out: of no pool */
export const aHost = (index: number, now: string, pool?: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: hostName(index),
    labels: {
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': hostName(index),
      'kubernetes.io/os': 'linux',
      'topology.kubernetes.io/zone': 'trial',
      [RACK_LABEL]: rackOf(index),
      ...(pool === undefined ? {} : { [POOL_LABEL]: pool }),
      ...(index < SYSTEM_HOSTS ? { 'gala.internal/system': '' } : {}),
    },
  },
  status: {
    addresses: [
      // 10.64.0.0/10 leaves room for as many hosts as anybody simulates.
      { type: 'InternalIP', address: `10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}` },
      { type: 'Hostname', address: hostName(index) },
    ],
    capacity: MACHINE,
    allocatable: ALLOCATABLE,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Simulated',
        message: 'kept alive by kwok',
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    nodeInfo: NODE_INFO,
  },
});

const NODE_INFO = {
  ...{ architecture: 'amd64', operatingSystem: 'linux', osImage: 'simulated', kernelVersion: 'simulated' },
  ...{ containerRuntimeVersion: 'kwok', kubeletVersion: 'v1.37.2', kubeProxyVersion: '', machineID: '', systemUUID: '', bootID: '' },
};

/** Starts kwok beside the bed, makes `count` hosts of a pool or of none, and resolves when all are Ready and take pods. */
export async function simulateHosts(bed: Bed, count: number, say: (line: string) => void, pool?: string): Promise<void> {
  const now = new Date().toISOString();
  await simulate(
    bed,
    Array.from({ length: count }, (_, index) => aHost(index, now, pool)),
    say,
  );
}

/** What is made of a host: a Node, its own taints included. */
export interface NodeMade {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly taints?: readonly object[] };
}

/** The same with these Nodes, the bed's only ones. @returns makes one more, as if a machine were switched on */
export async function simulate(
  bed: Bed,
  nodes: readonly NodeMade[],
  say: (line: string) => void = () => {},
): Promise<(node: NodeMade) => Promise<void>> {
  const stages = join(bed.folder, 'kwok.yaml');
  writeFileSync(stages, STAGES.map((stage) => stringify(stage)).join('---\n'));
  const kwok = bed.run('kwok', [
    ...['--kubeconfig', bed.kubeconfig, '--config', stages, '--manage-all-nodes', '--node-lease-duration-seconds', '40'],
    // The addresses of its pods.
    ...['--cidr', '10.128.0.0/9'],
  ]);
  const make = async (node: NodeMade) => {
    const { name } = node.metadata;
    await must(name, bed.request('POST', '/api/v1/nodes', node));
    // The API server taints every new Node until its controllers have seen it Ready, which takes them 20 s for 1,000.
    const untainted = { spec: { taints: node.spec?.taints ?? null } };
    await must(name, bed.request('PATCH', `/api/v1/nodes/${name}`, untainted, { 'content-type': 'application/merge-patch+json' }));
  };
  let next = 0;
  let made = 0;
  const maker = async () => {
    for (let node = nodes[next++]; node !== undefined; node = nodes[next++]) {
      await make(node);
      if (++made % 500 === 0) say(`${made} of ${nodes.length} hosts made`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, maker));
  // Each look reads every Node: often enough for a person, and seldom enough for the API server.
  const all = async () => (await leases(bed)) >= nodes.length && (await readyHosts(bed)) === nodes.length;
  await until(`all ${nodes.length} hosts Ready`, kwok, 60 + nodes.length / 50, all, 500);
  return make;
}

async function must(host: string, asked: Promise<Answer>): Promise<void> {
  const { status, body } = await asked;
  if (status >= 300) throw new Error(`making ${host}: HTTP ${status}: ${body?.message ?? body}`);
}

/** Hosts whose Lease kwok holds: it renews those, and plays their pods. */
async function leases(bed: Bed): Promise<number> {
  const { body } = await bed.request('GET', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases?resourceVersion=0');
  return body.items.length;
}

/** Hosts that are Ready and bear no taint of Kubernetes' own. */
async function readyHosts(bed: Bed): Promise<number> {
  const { body } = await bed.request('GET', '/api/v1/nodes?resourceVersion=0');
  return body.items.filter(isReady).length;
}

interface NodeSeen {
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isReady = ({ spec, status }: NodeSeen) =>
  !spec.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/')) &&
  status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');

const stage = (kind: 'Node' | 'Pod', name: string, selector: object[], next: object) => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions: selector }, next },
});
const LIVING = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };

/**
 * What kwok does with hosts and pods. Built from its module it brings no stages of its own, and without one for Nodes it keeps
 * no Leases and looks at no pods.
 */
const STAGES = [
  stage(
    'Node',
    'host-is-ready',
    [{ key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: 'NotIn', values: ['True'] }],
    {
      statusTemplate: `
conditions:
- { type: Ready, status: "True", reason: Simulated, message: kept alive by kwok, lastHeartbeatTime: {{ Now | Quote }}, lastTransitionTime: {{ Now | Quote }} }
`,
    },
  ),
  stage('Pod', 'pod-runs', [LIVING, { key: '.status.podIP', operator: 'DoesNotExist' }], {
    statusTemplate: `
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
conditions:
{{ range $type := list "Initialized" "Ready" "ContainersReady" }}
- { type: {{ $type }}, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
`,
  }),
  stage(
    'Pod',
    'job-pod-completes',
    [
      LIVING,
      { key: '.status.phase', operator: 'In', values: ['Running'] },
      { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] },
    ],
    {
      statusTemplate: `
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  restartCount: 0
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }
{{ end }}
`,
    },
  ),
  stage('Pod', 'pod-goes', [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }], { finalizers: { empty: true }, delete: true }),
];
