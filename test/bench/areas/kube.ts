/** Area `kube`: what following 50,000 pods takes, 1,000 of which change each second, in memory and time. */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anAuthority } from '../../kube/an-authority.ts';
import { defineArea, type Tools } from '../area.ts';
import { runWell } from '../child.ts';

const PODS = 50_000;
const RATE = 1_000;
const SECONDS = 15;
const RUNS = 3;
const PEER = "client-node's informer";
const HERE = join(import.meta.dirname, 'kube');

interface Took {
  readonly syncCpuMs: number;
  readonly peakMiB: number;
  readonly heldMiB: number;
  /** Of one core. */
  readonly usedShare: number;
}

export const kube = defineArea({
  name: 'kube',
  doc: 'the runtime kit: following 50,000 pods by list and watch',
  figures: {
    held: { what: 'memory, 50,000 whole pods followed', unit: 'MiB', peer: PEER },
    slim: { what: 'memory, 50,000 pods followed, what a scheduler asks of them kept', unit: 'MiB', bar: { must: '<', than: 200 } },
    peak: { what: 'peak memory while 50,000 whole pods are read', unit: 'MiB', peer: PEER },
    alone: { what: 'memory, nothing followed', unit: 'MiB', bar: { must: '<', than: 90 } },
    sync: { what: 'CPU time to read 50,000 whole pods', unit: 's', peer: PEER },
    share: { what: 'CPU at 1,000 changes of pods a second', unit: '% of a core', bar: { must: '<', than: 20 }, peer: PEER },
  },
  async measure(tools) {
    const took: Record<string, Took[]> = { ours: [], peer: [], slim: [], nobody: [] };
    const served = await startPods(tools);
    try {
      for (let run = 0; run < RUNS; run++)
        for (const [who, runs] of Object.entries(took)) {
          const one = await follow(served.kubeconfig, who);
          const seconds = (one.syncCpuMs / 1000).toFixed(1);
          tools.say(`${who}: ${Math.round(one.heldMiB)} MiB, ${seconds} s CPU to sync, ${(one.usedShare * 100).toFixed(1)} % of a core`);
          runs.push(one);
        }
    } finally {
      served.stop();
    }
    const of = (who: string, figure: (one: Took) => number) => took[who]!.map(figure);
    const both = (figure: (one: Took) => number) => ({ runs: of('ours', figure), peer: of('peer', figure) });
    return {
      held: both(({ heldMiB }) => heldMiB),
      slim: { runs: of('slim', ({ heldMiB }) => heldMiB) },
      peak: both(({ peakMiB }) => peakMiB),
      alone: { runs: of('nobody', ({ heldMiB }) => heldMiB) },
      sync: both(({ syncCpuMs }) => syncCpuMs / 1000),
      share: both(({ usedShare }) => usedShare * 100),
    };
  },
});

/** The pods' server, a process of its own: what it takes is nobody's. HTTPS, for client-node knows nothing else. */
async function startPods({ folder }: Tools): Promise<{ kubeconfig: string; stop(): void }> {
  const authority = await anAuthority('bench');
  const child = fork(join(HERE, 'pods.ts'), { env: { ...process.env, PODS: String(PODS) } });
  const ready = new Promise<{ port: number }>((resolve) => child.once('message', (message) => resolve(message as { port: number })));
  child.send({ tls: await authority.signServer() });
  const server = `https://127.0.0.1:${(await ready).port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  const data = Buffer.from(authority.cert).toString('base64');
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'bench' },
    clusters: [{ name: 'bench', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'bench', user: { token: 'anyone' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return { kubeconfig, stop: () => void child.kill() };
}

async function follow(kubeconfig: string, who: string): Promise<Took> {
  const { stdout } = await runWell(['node', '--expose-gc', join(HERE, 'follower.ts'), kubeconfig, who, String(RATE), String(SECONDS)]);
  return JSON.parse(stdout);
}
