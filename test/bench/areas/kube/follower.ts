/**
 * A process that follows the pods and says what it took, as JSON. Arguments: kubeconfig; who follows: `ours` (whole objects),
 * `slim` (what a scheduler wants to know of them), `peer` (client-node's informer), `nobody` (the process alone); changes a
 * second; for how many seconds.
 */
import type { V1Pod } from '@kubernetes/client-node';

const [kubeconfig, who, rate, seconds] = process.argv.slice(2) as [string, string, string, string];
const cpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;

let changed = 0;
const ways: Record<string, () => Promise<void>> = {
  ours: () => reflected(undefined),
  slim: () => reflected(facts),
  peer: informed,
  nobody: async () => void (await import('../../../../lib/kube/index.ts')),
};
await ways[who]!();
const syncCpuMs = cpuMs();
const peakMiB = process.resourceUsage().maxRSS / 1024;
for (let i = 0; i < 3; i++) {
  globalThis.gc!();
  await new Promise((resolve) => setTimeout(resolve, 200));
}
const heldMiB = process.memoryUsage().rss / 2 ** 20;
const usedShare = who === 'nobody' ? 0 : await changing();
process.stdout.write(`${JSON.stringify({ syncCpuMs, peakMiB, heldMiB, usedShare })}\n`, () => process.exit(0));

/** How much of a core it takes to hear of all changes. */
async function changing(): Promise<number> {
  const { connect } = await import('../../../../lib/kube/client.ts');
  const api = await connect({ kubeconfig });
  const before = { cpuMs: cpuMs(), at: performance.now() };
  await api.request({ method: 'GET', path: '/change', query: { rate, seconds } });
  while (changed < Number(rate) * Number(seconds)) await new Promise((resolve) => setTimeout(resolve, 20));
  return (cpuMs() - before.cpuMs) / (performance.now() - before.at);
}

async function reflected(keep: ((pod: object) => object) | undefined): Promise<void> {
  const { connect, PODS, reflect } = await import('../../../../lib/kube/index.ts');
  const { signal } = new AbortController();
  const pods = reflect(await connect({ kubeconfig }), PODS, keep ? { signal, keep } : { signal });
  pods.on({ updated: () => void changed++ });
  await pods.synced;
}

function facts(pod: object): object {
  const { metadata, spec, status } = pod as V1Pod;
  const containers = (spec?.containers ?? []).map(({ resources }) => ({
    cpu: resources?.requests?.cpu,
    memory: resources?.requests?.memory,
  }));
  return { name: metadata?.name, node: spec?.nodeName, phase: status?.phase, containers };
}

async function informed(): Promise<void> {
  const { CoreV1Api, KubeConfig, makeInformer } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces());
  informer.on('update', () => void changed++);
  await informer.start();
}
