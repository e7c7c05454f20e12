/**
 * A local trial: one control plane with simulated hosts, or with nodes that run containers, in the background, until somebody
 * ends it. A supervisor process holds it; what a person needs of it lies in the `trial` folder.
 */
import { fork } from 'node:child_process';
import { copyFileSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { POOL_LABEL } from '../../lib/api/model.ts';
import { type Bed, startControlPlane } from './control-plane.ts';
import { simulateHosts } from './hosts.ts';
import { startNodes } from './nodes.ts';
import { cacheFolder } from './parts.ts';
import { alive, type ProcessId, processId, sweep } from './records.ts';
import { standInNetwork } from './stand-in-network.ts';

export interface Trial {
  readonly url: string;
  /** Simulated ones. */
  readonly hosts: number;
  /** Real ones, in place of those. @default none */
  readonly nodes?: number;
  /** Whose label the hosts carry. @default none: they are of no pool */
  readonly pool?: string;
  readonly kubeconfig: string;
  readonly supervisor: ProcessId;
}

export type TrialOptions = Pick<Trial, 'hosts' | 'nodes' | 'pool'>;

type Said = { say: string } | { up: Trial } | { failed: string };

const folder = () => join(cacheFolder(), 'trial');
const file = (name: string) => join(folder(), name);

/** The trial that is up, or undefined. */
export function trial(): Trial | undefined {
  try {
    const found: Trial = JSON.parse(readFileSync(file('trial.json'), 'utf8'));
    return alive(found.supervisor) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a trial and resolves when all its hosts are Ready. Rejects when it can't be had; nothing stays behind then. */
export async function up({ hosts, nodes = 0, pool }: TrialOptions, say: (line: string) => void): Promise<Trial> {
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  const log = openSync(file('supervisor.log'), 'w', 0o600);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const supervisor = fork(
    main,
    ['supervise', '--hosts', String(hosts), '--nodes', String(nodes), ...(pool === undefined ? [] : ['--pool', pool])],
    {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    },
  );
  try {
    return await new Promise<Trial>((resolve, reject) => {
      supervisor.on('message', (said: Said) => {
        if ('say' in said) say(said.say);
        else if ('up' in said) resolve(said.up);
        else reject(new Error(said.failed));
      });
      supervisor.on('error', reject);
      supervisor.on('exit', () => reject(new Error(`the supervisor ended early:\n${readFileSync(file('supervisor.log'), 'utf8').trim()}`)));
    });
  } finally {
    supervisor.removeAllListeners('exit');
    if (supervisor.connected) supervisor.disconnect();
    supervisor.unref();
  }
}

/** What the supervisor does: starts everything, tells `up`, and holds it until it is told to end. */
export async function supervise({ hosts, nodes = 0, pool }: TrialOptions): Promise<void> {
  const tell = (said: Said) => void process.send?.(said);
  const begun = Date.now();
  const say = (line: string) => tell({ say: `${line} (${Math.round((Date.now() - begun) / 1000)} s)` });
  // `up` was interrupted: nobody would know of this trial.
  let told = false;
  process.on('disconnect', () => told || process.exit(1));
  try {
    const bed = await startControlPlane({ nodes: nodes > 0 });
    say(`the API server is ready at ${bed.url}`);
    if (hosts > 0) await simulateHosts(bed, hosts, say, pool);
    if (hosts > 0) say(`${hosts} hosts are Ready`);
    if (nodes > 0) await trialNodes(bed, nodes, pool);
    if (nodes > 0) say(`${nodes} nodes are Ready`);
    copyFileSync(bed.kubeconfig, file('kubeconfig'));
    const here: Trial = {
      url: bed.url,
      hosts,
      nodes,
      pool,
      kubeconfig: file('kubeconfig'),
      supervisor: processId(process.pid) as ProcessId,
    };
    writeFileSync(file('trial.json'), JSON.stringify(here), { mode: 0o600 });
    told = true;
    tell({ up: here });
    // Its children keep this process going.
    await new Promise((resolve) => process.once('SIGTERM', resolve));
    await bed.stop();
  } catch (error) {
    tell({ failed: (error as Error).message });
    process.exitCode = 1;
  } finally {
    told = true;
    rmSync(file('trial.json'), { force: true });
    if (process.connected) process.disconnect();
  }
}

/** The pool's nodes, with a network on VLAN 110 until Gala wires their pods. */
async function trialNodes(bed: Bed, count: number, pool?: string): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  const flags = pool === undefined ? '' : `GALA_KUBELET_ARGS="--node-labels=${POOL_LABEL}=${pool}"\n`;
  const files = (name: string) => {
    const tens = (names.indexOf(name) + 1) * 10;
    const [first, last] = [`10.110.0.${tens}`, `10.110.0.${tens + 9}`];
    const network = standInNetwork({ trunk: 'bond0', vlan: 110, subnet: '10.110.0.0/24', first, last });
    return { ...network, 'etc/default/gala-kubelet': flags };
  };
  await startNodes(bed, { names, files });
}

/** Ends the trial. Answers whether there was one. */
export async function down(): Promise<boolean> {
  const found = trial();
  if (found) {
    process.kill(found.supervisor.pid, 'SIGTERM');
    for (let tries = 0; alive(found.supervisor) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    if (alive(found.supervisor)) process.kill(found.supervisor.pid, 'SIGKILL');
  }
  rmSync(folder(), { recursive: true, force: true });
  sweep();
  return found !== undefined;
}
