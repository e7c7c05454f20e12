/** A process that serves 50,000 pods by list, watch-list and watch, and changes 1,000 of them a second when it is asked to. */
import type { ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

const PODS = Number(process.env.PODS);
const EVERY_MS = 20;

process.once('message', ({ tls }: { tls: ServerOptions }) => {
  let version = PODS;
  const watches = new Set<ServerResponse>();
  const server = createServer(tls, async (request, response) => {
    const { pathname, searchParams: query } = new URL(request.url!, 'https://loopback');
    if (pathname === '/change') {
      change(Number(query.get('rate')), Number(query.get('seconds')));
      response.end();
      return;
    }
    response.setHeader('content-type', 'application/json');
    const write = async (text: string) => {
      if (!response.write(text)) await new Promise((resolve) => response.once('drain', resolve));
    };
    if (query.get('watch') === 'true') {
      response.flushHeaders();
      if (query.get('sendInitialEvents') === 'true') {
        for (let i = 0; i < PODS; i++) await write(eventOf('ADDED', aPod(i, i + 1)));
        await write(eventOf('BOOKMARK', JSON.stringify({ kind: 'Pod', apiVersion: 'v1', metadata: endAt(version) })));
      }
      watches.add(response);
      request.socket.on('close', () => watches.delete(response));
      return;
    }
    const from = Number(query.get('continue') ?? 0);
    const to = Math.min(PODS, from + Number(query.get('limit') ?? PODS));
    const metadata = { resourceVersion: `${version}`, ...(to < PODS ? { continue: `${to}` } : {}) };
    await write(`{"kind":"PodList","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[`);
    for (let i = from; i < to; i++) await write(`${i === from ? '' : ','}${aPod(i, i + 1)}`);
    response.end(']}');
  });

  function change(rate: number, seconds: number): void {
    const began = performance.now();
    let done = 0;
    const timer = setInterval(() => {
      const due = Math.min(rate * seconds, Math.floor(((performance.now() - began) / 1000) * rate));
      for (; done < due; done++) {
        version++;
        const event = eventOf('MODIFIED', aPod((version * 7_919) % PODS, version));
        for (const watch of watches) watch.write(event);
      }
      if (done === rate * seconds) clearInterval(timer);
    }, EVERY_MS);
  }

  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
});

const eventOf = (type: string, object: string) => `{"type":"${type}","object":${object}}\n`;
const endAt = (version: number) => ({ resourceVersion: `${version}`, annotations: { 'k8s.io/initial-events-end': 'true' } });

/** A pod as a Deployment's is: 4 KB of JSON. */
function aPod(i: number, version: number): string {
  const app = `feed-api-${i % 200}`;
  const owner = `${app}-6d4cf56db6`;
  const time = '2026-11-24T12:00:00Z';
  const labels = { app, 'pod-template-hash': '6d4cf56db6', 'app.kubernetes.io/part-of': 'feed' };
  const mount = { name: 'kube-api-access-x7k2p', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
  const bounds = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  const probe = { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, ...bounds };
  const owned = Object.fromEntries(Object.keys(labels).map((key) => [`f:${key}`, {}]));
  const fieldsV1 = { 'f:metadata': { 'f:labels': owned }, 'f:spec': { 'f:containers': {} } };
  return JSON.stringify({
    ...{ kind: 'Pod', apiVersion: 'v1' },
    metadata: {
      ...{ name: `${owner}-${i.toString(36).padStart(5, '0')}`, namespace: 'feed', labels, creationTimestamp: time },
      ...{ uid: `0a1b2c3d-0000-4000-8000-${String(i).padStart(12, '0')}`, resourceVersion: `${version}` },
      annotations: { 'gala.internal/slot': `${i}`, 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: `1a1b2c3d-0000-4000-8000-${i}`, controller: true }],
      managedFields: ['kube-controller-manager', 'kube-scheduler', 'kubelet'].map((manager) => ({
        ...{ manager, operation: 'Update', apiVersion: 'v1', time, fieldsV1 },
      })),
    },
    spec: {
      volumes: [{ name: mount.name, projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] } }],
      containers: ['main', 'ops'].map((name) => ({
        ...{ name, image: `harbor.bj.example/feed/${name}:1188`, imagePullPolicy: 'IfNotPresent' },
        ports: [{ containerPort: 8080, protocol: 'TCP' }],
        env: ['ZONE', 'REGION', 'LEVEL'].map((key) => ({ name: key, value: `${key.toLowerCase()}-a` })),
        resources: { limits: { cpu: '2', memory: '4Gi' }, requests: { cpu: '2', memory: '4Gi', 'ephemeral-storage': '10Gi' } },
        ...{ volumeMounts: [mount], livenessProbe: probe, readinessProbe: probe, terminationMessagePath: '/dev/termination-log' },
      })),
      ...{ restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', serviceAccountName: 'default' },
      ...{ nodeName: `bj-a-r12-${i % 5_000}`, schedulerName: 'gala-scheduler', priority: 0, preemptionPolicy: 'Never' },
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        ...{ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      })),
    },
    status: {
      ...{ phase: 'Running', hostIP: '10.8.0.1', podIP: '10.110.1.1', podIPs: [{ ip: '10.110.1.1' }], startTime: time },
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        ...{ type, status: 'True', lastProbeTime: null, lastTransitionTime: time },
      })),
      containerStatuses: ['main', 'ops'].map((name) => ({
        ...{ name, state: { running: { startedAt: time } }, lastState: {}, ready: true, restartCount: 0, started: true },
        ...{ image: `harbor.bj.example/feed/${name}:1188`, imageID: `sha256:${'ab'.repeat(32)}` },
        containerID: `containerd://${'cd'.repeat(32)}`,
      })),
    },
  });
}
