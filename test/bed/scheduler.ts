/** Proof that the real kube-scheduler takes a configuration: it is started on it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { healthy } from './client.ts';
import type { Bed } from './control-plane.ts';
import { until } from './process.ts';

const READY_SECONDS = 40;
let tried = 0;

/**
 * Starts the real kube-scheduler on a KubeSchedulerConfiguration, beside the bed's own, and ends it when it is ready: leading,
 * all its informers in step. Rejects with its last lines when it does not come to that.
 * The configuration's kubeconfig is replaced by the bed's, and the namespace of its Lease is made when it is missing.
 */
export async function schedulerStarts(bed: Bed, configYaml: string): Promise<void> {
  const number = ++tried;
  const config = parse(configYaml);
  const file = join(bed.folder, `scheduler-${number}.yaml`);
  const clientConnection = { ...config?.clientConnection, kubeconfig: bed.kubeconfig };
  writeFileSync(file, stringify({ ...config, clientConnection }));
  const { resourceNamespace: namespace, resourceName: lease, leaderElect } = config?.leaderElection ?? {};
  if (namespace) await bed.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);

  const port = await bed.network.port(20_000 + number);
  const scheduler = bed.run('kube-scheduler', ['--config', file, '--bind-address', bed.network.host, '--secure-port', `${port}`]);
  try {
    await until('ready', scheduler, READY_SECONDS, () => healthy(`https://${bed.network.address}:${port}/readyz`));
    // /readyz does not wait for the election: a scheduler that stands by is ready too.
    if (leaderElect !== false && namespace && lease) {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${lease}`;
      const held = async () => Boolean((await bed.request('GET', path)).body.spec?.holderIdentity);
      await until(`leading by the Lease ${namespace}/${lease}`, scheduler, READY_SECONDS, held);
    }
  } finally {
    await scheduler.kill();
  }
}
