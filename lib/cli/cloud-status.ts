/** `gala cloud status`: what `gala cloud` has said of regions and pools, read from the cluster: nobody needs credentials of AWS for it. */
import { CLOUD_LEASE, CLOUD_STATUS_CONFIGMAP } from '../api/cloud.ts';
import { HostPool } from '../api/kinds.ts';
import { readStatus } from '../cloud/status-map.ts';
import type { Api } from '../kube/client.ts';
import { unlessMissing } from '../kube/error.ts';
import { CONFIGMAPS, DEPLOYMENTS, kindOf } from '../kube/kinds.ts';
import { type CloudSeen, cloudSeen, cloudStatusText, exitCodeOf } from './cloud-status-text.ts';
import { type ClusterOptions, inCluster, listed } from './cluster.ts';
import { type ExitCode, type Format, NotNow, print } from './output.ts';

interface Options extends ClusterOptions {
  readonly leaseNamespace: string;
  readonly output: Format;
}

export async function cloudStatus(options: Options): Promise<ExitCode> {
  return inCluster({ ...options, command: 'cloud status' }, async ({ api }): Promise<ExitCode> => {
    const seen = await look(api, options.leaseNamespace);
    await print(options.output, seen, () => cloudStatusText(seen));
    return exitCodeOf(seen);
  });
}

async function look(api: Api, namespace: string): Promise<CloudSeen> {
  const [map, deployment, pools] = await Promise.all([
    unlessMissing(api.get(CONFIGMAPS, { namespace, name: CLOUD_STATUS_CONFIGMAP })),
    unlessMissing(api.get(DEPLOYMENTS, { namespace, name: CLOUD_LEASE })),
    listed(api.list(kindOf(HostPool))),
  ]);
  if (deployment === undefined)
    throw new NotNow(
      `there is no Deployment ${namespace}/${CLOUD_LEASE}: nobody makes ENIs in this cluster. Name cloud among the concerns of its definition and apply; where Gala's programs run elsewhere, say --lease-namespace.`,
    );
  const args = deployment.spec?.template?.spec?.containers?.[0]?.args ?? [];
  const regions = Object.fromEntries(Object.entries(map?.data ?? {}).map(([region, text]) => [region, readStatus(text)]));
  return cloudSeen({
    regions,
    pools,
    switches: args.filter((arg) => /^--(dry-run|orphans=|part=|instances=)/.test(arg)),
    atMs: Date.now(),
  });
}
