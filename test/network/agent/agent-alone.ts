/**
 * An agent without an API server, for tests and benches of what lies between the shim and the kernel: it serves on a socket as
 * `gala cni` does, and what it knows of pods and addresses is read from a file each time. Its network namespace is the host's.
 *
 *     node -C gala-source agent-alone.ts '{"folder": "/tmp/…", "known": "/tmp/…/known.json"}'
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPool, IPLock, NodeNetwork } from '../../../lib/api/kinds.ts';
import { monotonic } from '../../../lib/kube/clock.ts';
import { logger } from '../../../lib/kube/log.ts';
import { agent } from '../../../lib/network/agent/agent.ts';
import { openJournal } from '../../../lib/network/agent/journal.ts';
import { kernel } from '../../../lib/network/agent/kernel.ts';
import type { Lock, NodeView } from '../../../lib/network/agent/node-view.ts';
import { serve } from '../../../lib/network/agent/server.ts';
import { bury } from '../../../lib/network/agent/tombstones.ts';

/** What an API server would know. */
export interface KnownAlone {
  readonly node: string;
  readonly nodeIP: string;
  readonly pool: HostPool['spec'];
  readonly network: NodeNetwork['spec'];
  readonly locks: Readonly<Record<string, IPLock['spec']>>;
  /** What was found of an address on the wire, before the agent began. */
  readonly statuses?: Readonly<Record<string, IPLock['status']>>;
  /** By UID of the pod. */
  readonly annotations?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Container ids that the runtime has. */
  readonly sandboxes?: readonly string[];
  readonly throughNode?: readonly string[];
}

const { folder, known: file } = JSON.parse(process.argv[2]!) as { folder: string; known: string };
const known = (): KnownAlone => JSON.parse(readFileSync(file, 'utf8'));
const statuses = new Map<string, IPLock['status']>();
const bound = new Set<string>();

const lockOf = (ip: string, spec: IPLock['spec']): Lock =>
  ({
    metadata: { name: ip, uid: ip, resourceVersion: '1' },
    spec: bound.has(ip) ? { ...spec, phase: 'Bound' } : spec,
    status: statuses.get(ip) ?? known().statuses?.[ip],
  }) as Lock;
const all = (): Lock[] => Object.entries(known().locks).map(([ip, spec]) => lockOf(ip, spec));

const { node, nodeIP, throughNode } = known();
const view: NodeView = {
  node,
  hasSynced: () => true,
  unread: () => [],
  facts: () => {
    const { pool, machineID, providerID } = known().network;
    return { ip: nodeIP, pool, machineID, providerID };
  },
  network: () => known().network,
  status: () => undefined,
  writeStatus: async () => {},
  pool: () => known().pool,
  trunk: () => known().network.trunk,
  locks: all,
  lockAt: (ip) => all().find(({ metadata }) => metadata.name === ip),
  lockOf: (uid) => all().find(({ spec }) => spec.podUID === uid),
  findLock: async (uid) => all().find(({ spec }) => spec.podUID === uid),
  readLock: async (ip) => all().find(({ metadata }) => metadata.name === ip),
  pod: (uid) => ({ uid, namespace: 'feed', name: uid, annotations: known().annotations?.[uid] ?? {} }),
  patchLock: async (lock, { spec, status }) => {
    if (spec?.phase === 'Bound') bound.add(lock.metadata.name);
    statuses.set(lock.metadata.name, status);
    return lockOf(lock.metadata.name, { ...lock.spec, ...spec });
  },
  onChange: () => () => {},
  onPodChange: () => {},
  onPodEnd: () => {},
  isQuiet: () => true,
  reflectors: [],
  stopped: Promise.resolve(),
};

const log = logger({ level: process.env.SHOW ? 'debug' : 'error' });
const made = agent({
  ...{
    view,
    journal: openJournal(join(folder, 'journal'), log),
    kernel: kernel({ program: join(folder, 'stage/shim/gala-wire') }),
    clock: monotonic,
    log,
    throughNode,
  },
  sandboxes: async () => new Map((known().sandboxes ?? []).map((id) => [id, { isReady: true, podUID: '' }])),
});
await bury(join(folder, 'tombstones'), made, log);
setInterval(() => void bury(join(folder, 'tombstones'), made, log), 200);
await serve({ socket: join(folder, 'cni.sock'), agent: made, trouble: () => undefined, log });
process.stdout.write('serving\n');
