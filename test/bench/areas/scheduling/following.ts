/**
 * Following: what it costs a process to follow a large cluster. It runs as a child of its own, which measures itself; the API server
 * is a plain one of ours that tells 50,000 pods and then 1,000 changes a second, more than a real one could on these cores.
 */
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { run } from '../../child.ts';

export interface Followed {
  /** Of one core, 0 to 1. */
  readonly core: number;
  readonly rssMiB: number;
}

const SECONDS = 20;

/** As the image runs every program (Dockerfile): young objects are few at a time, and the default's room for them is 48 MiB. */
const NODE_FLAGS = ['--max-semi-space-size=4'];

/** One file, as programs are deployed. */
async function bundled(folder: string): Promise<string> {
  const outfile = join(folder, 'follower.mjs');
  const entry = join(import.meta.dirname, 'follower.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    keepNames: true,
    logLevel: 'error',
  });
  return outfile;
}

/** @param folder for the bundle */
export async function followed(
  folder: string,
  { nodes, pods, perSecond }: { nodes: number; pods: number; perSecond: number },
): Promise<Followed> {
  const watches: { path: string; response: ServerResponse }[] = [];
  let version = 1;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const kind = { '/api/v1/nodes': 'Node', '/api/v1/pods': 'Pod' }[url.pathname];
    if (kind === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, message: 'not here' }));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    const count = kind === 'Node' ? nodes : pods;
    const object = (at: number) => (kind === 'Node' ? aNode(at) : aPod(at, nodes, version));
    for (let at = 0; at < count; at++) response.write(line('ADDED', object(at)));
    const ended = { annotations: { 'k8s.io/initial-events-end': 'true' }, resourceVersion: String(version) };
    response.write(line('BOOKMARK', { apiVersion: 'v1', kind, metadata: ended }));
    watches.push({ path: url.pathname, response });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  let next = 0;
  const began = performance.now();
  // By the time that has passed: a busy machine runs timers late.
  const telling = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    for (; next < due; next++) {
      const change = line('MODIFIED', aPod(next % pods, nodes, ++version));
      for (const { path, response } of watches) if (path === '/api/v1/pods') response.write(change);
    }
  }, 10);
  try {
    const { code, stdout, stderr } = await run(['node', ...NODE_FLAGS, await bundled(folder), `http://127.0.0.1:${port}`, String(SECONDS)]);
    if (code !== 0) throw new Error(`the follower ended with ${code}: ${stderr}`);
    const found = JSON.parse(stdout) as Followed & { pods: number; events: number };
    if (found.pods !== pods) throw new Error(`it knew ${found.pods} of ${pods} pods`);
    if (found.events < perSecond * SECONDS * 0.9) throw new Error(`it heard ${found.events} changes in ${SECONDS} s: too few to tell`);
    return found;
  } finally {
    clearInterval(telling);
    for (const { response } of watches) response.destroy();
    server.close();
    server.closeAllConnections();
  }
}

const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

const aNode = (at: number) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `node-${at}`, uid: `n-${at}`, resourceVersion: '1', labels: { 'kubernetes.io/hostname': `node-${at}` } },
  status: {
    allocatable: { cpu: '62', memory: '248Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True' }],
    nodeInfo: { machineID: String(at) },
  },
});

/** As a kubelet's pod reads: spec and status of ordinary size, some 3 KB. */
const aPod = (at: number, nodes: number, version: number) => {
  const name = `svc-${at % 200}-${at}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace: `team-${at % 20}`, uid: `p-${at}`, resourceVersion: String(version) },
      labels: { app: `svc-${at % 200}`, 'pod-template-hash': `h${at % 200}` },
      annotations: { 'kubernetes.io/egress-bandwidth': '200M', 'prometheus.io/scrape': 'true' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `svc-${at % 200}-h${at % 200}`, uid: `r-${at % 200}`, controller: true },
      ],
      creationTimestamp: '2026-11-26T10:00:00Z',
      managedFields: [{ manager: 'kubelet', operation: 'Update', fieldsV1: { 'f:status': { 'f:conditions': { '.': {}, 'f:type': {} } } } }],
    },
    spec: {
      nodeName: `node-${at % nodes}`,
      schedulerName: 'default-scheduler',
      containers: [
        {
          name: 'main',
          image: 'harbor.bj.intra/svc/main:1188',
          env: Array.from({ length: 12 }, (_, n) => ({ name: `SETTING_${n}`, value: `some value of ordinary length ${n}` })),
          resources: { requests: { cpu: '500m', memory: `${512 + (at % 200)}Mi` }, limits: { memory: '2Gi' } },
          volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
        },
      ],
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: '2026-11-26T10:00:00Z',
      })),
      containerStatuses: [
        {
          name: 'main',
          ready: true,
          restartCount: version % 3,
          image: 'harbor.bj.intra/svc/main:1188',
          imageID: `sha256:${'0'.repeat(64)}`,
          state: { running: { startedAt: '2026-11-26T10:00:00Z' } },
        },
      ],
    },
  };
};
