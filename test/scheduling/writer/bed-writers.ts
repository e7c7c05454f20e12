/** A bed for the lock writer: kinds, a racked pool with a VLAN, one whose network is somebody else's, their nodes; and its replicas. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../lib/api/manifest.ts';
import { GATE, LOCK_ANNOTATION, SCHEDULER_NAME } from '../../../lib/api/scheduling.ts';
import type { IPLockObject, LockObject } from '../../../lib/scheduling/writer/books.ts';
import type { Bed } from '../../bed/control-plane.ts';
import { type Started, start, until } from '../../bed/process.ts';
import { type ANodeOptions, type APodOptions, aNodeManifest, aPool, aTemplate, aVlan } from '../builders.ts';
import type { ReplicaOptions } from './replica.ts';

const GALA = '/apis/gala.internal/v1alpha1';
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CRDS = ['hostpools', 'iplocks', 'locks', 'nodenetworks'];

export interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string; readonly schedulingGates?: readonly object[] };
  readonly status?: { readonly phase?: string };
}

export interface WriterBed {
  replica(options: Omit<ReplicaOptions, 'kubeconfig'> & { readonly kubeconfig?: string }): Started;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API server has
  send(method: string, path: string, body?: unknown): Promise<any>;
  aLock(name: string, spec: object): Promise<LockObject>;
  lock(name: string): Promise<LockObject>;
  ipLocks(): Promise<IPLockObject[]>;
  /** Behind Gala's gate, as the policy leaves it. */
  aPod(name: string, options?: APodOptions & { readonly lock?: string; readonly owner?: object }): Promise<Stored>;
  pod(name: string): Promise<Stored>;
  pods(): Promise<Stored[]>;
  /** At once, as the kubelet does when the pod has stopped. */
  remove(pod: string): Promise<void>;
  eventually(what: string, right: () => Promise<boolean>, seconds?: number): Promise<void>;
}

/** @param addresses how many VLAN 110 has @param network of pool `web`; `calico`: pods take no address */
export async function writerBed(
  bed: Bed,
  { addresses = 64, cni }: { readonly addresses?: number; readonly cni?: string } = {},
): Promise<WriterBed> {
  const send: WriterBed['send'] = async (method, path, body) => {
    const type = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {};
    let answer = await bed.request(method, path, body, type as Record<string, string>);
    // A kind that is new, or a server that has much to do.
    for (let tries = 0; answer.status === 429 && tries < 50; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      answer = await bed.request(method, path, body, type as Record<string, string>);
    }
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body?.message ?? answer.body}`);
    return answer.body;
  };
  const kinds = CRDS.flatMap((name) =>
    parseAllDocuments(readFileSync(join(ROOT, `imports/crds/${name}.yaml`), 'utf8')).map((it) => it.toJS() as KubeObject),
  );
  const pool = aPool('web', { racks: { r12: 'r12-[01-99]' }, vlans: [aVlan(110, addresses)], cni, locks: 'advisory' });
  const applied = await bed.apply([
    ...kinds,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'feed' } },
    // Without controllers nobody else makes it.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'feed' } },
    pool as unknown as KubeObject,
  ]);
  const wrong = applied.filter(({ result }) => result === 'refused');
  if (wrong.length > 0) throw new Error(wrong.map(({ object, message }) => `${object}: ${message}`).join('\n'));
  let replicas = 0;

  return {
    send,
    replica(options) {
      const file = join(ROOT, 'test/scheduling/writer/replica.ts');
      const given = JSON.stringify({ kubeconfig: bed.kubeconfig, ...options });
      const log = join(bed.folder, `writer-${replicas++}-${options.name}.log`);
      const started = start(options.name, [process.execPath, '-C', 'gala-source', file, given], log, { PATH: process.env.PATH });
      bed.atEnd(started.kill);
      return started;
    },
    aLock: (name, spec) => {
      const template = aTemplate({ cpu: '100m', spec: { schedulerName: SCHEDULER_NAME } });
      const wished = { template, owner: name, ...spec };
      if ('podFrom' in wished) delete (wished as { template?: object }).template;
      return send('POST', `${GALA}/namespaces/feed/locks`, {
        apiVersion: 'gala.internal/v1alpha1',
        kind: 'Lock',
        metadata: { name },
        spec: wished,
      });
    },
    lock: (name) => send('GET', `${GALA}/namespaces/feed/locks/${name}`),
    ipLocks: async () => (await send('GET', `${GALA}/iplocks`)).items,
    aPod: (name, { lock, owner, ...options } = {}) =>
      send('POST', '/api/v1/namespaces/feed/pods', aGatedPod(name, { lock, owner, ...options })),
    pod: (name) => send('GET', `/api/v1/namespaces/feed/pods/${name}`),
    pods: async () => (await send('GET', '/api/v1/namespaces/feed/pods')).items,
    remove: (pod) => send('DELETE', `/api/v1/namespaces/feed/pods/${pod}`, { gracePeriodSeconds: 0 }),
    eventually: async (what, right, seconds = 180) => await until(what, [], seconds, right, 50),
  };
}

export function aGatedPod(
  name: string,
  { lock, owner, ...options }: APodOptions & { readonly lock?: string; readonly owner?: object } = {},
) {
  const template = aTemplate({
    cpu: '100m',
    ...options,
    annotations: { ...options.annotations, ...(lock && { [LOCK_ANNOTATION]: lock }) },
  });
  return {
    metadata: { ...template.metadata, name, ...(owner && { ownerReferences: [owner] }) },
    spec: { ...template.spec, schedulerName: SCHEDULER_NAME, schedulingGates: [{ name: GATE }] },
  };
}

/** Nodes of pool `web` that nobody keeps alive: for beds without controllers. */
export async function makeNodes({ send }: WriterBed, count: number, options: ANodeOptions = {}): Promise<void> {
  const names = Array.from({ length: count }, (_, at) => `r12-${String(at + 1).padStart(2, '0')}`);
  await Promise.all(
    names.map(async (name) => {
      await send('POST', '/api/v1/nodes', aNodeManifest(name, { pool: 'web', rack: 'r12', ...options }));
      // The API server taints every new Node until its controllers have seen it Ready.
      await send('PATCH', `/api/v1/nodes/${name}`, { spec: { taints: null } });
    }),
  );
}
