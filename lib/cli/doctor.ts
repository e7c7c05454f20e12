/** `gala doctor`: reads what the API tells of a cluster's prerequisites, and says what lacks. Changes nothing. */
import pLimit from 'p-limit';
import { KINDS, NodeNetwork } from '../api/kinds.ts';
import { CNI_NAME } from '../api/network.ts';
import type { Api } from '../kube/client.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { CRDS, DAEMONSETS, kindOf, NODES, PODS } from '../kube/kinds.ts';
import { type ClusterOptions, clusterOptions, inCluster, isNoSuchKind, leaseOptions } from './cluster.ts';
import { doctorText, examine, type NodeSeen, poolOf, type Seen } from './doctor-checks.ts';
import type { Declare } from './main.ts';
import { type ExitCode, type Format, outputOption, print } from './output.ts';

interface Options extends ClusterOptions {
  readonly leaseNamespace: string;
  readonly output: Format;
}

/** Kubelets that are asked at a time; each by way of the API server. */
const AT_ONCE = 8;

export const declare: Declare = (command, end) => {
  leaseOptions(clusterOptions(command))
    .addOption(outputOption())
    .addHelpText('after', '\nExit code 3: something lacks. What cannot be known from here is told, and is no reason.')
    .action(async (options) => end(await doctor(options)));
};

async function doctor(options: Options): Promise<ExitCode> {
  return inCluster({ ...options, command: 'doctor' }, async ({ api }): Promise<ExitCode> => {
    const findings = examine(await look(api, options.leaseNamespace));
    await print(options.output, { server: api.url, findings }, () => doctorText(findings));
    return findings.some(({ verdict }) => verdict === 'wrong') ? 3 : 0;
  });
}

async function look(api: Api, namespace: string): Promise<Seen> {
  const [version, crds, nodes, networks, agents, system] = await Promise.all([
    api.request({ method: 'GET', path: '/version' }),
    api.list(CRDS, { labelSelector: 'app.kubernetes.io/part-of=gala' }),
    api.list(NODES),
    api.list(kindOf(NodeNetwork)).catch((error: unknown) => {
      if (!isNoSuchKind(error)) throw error;
      return { items: [] };
    }),
    api.list(DAEMONSETS, { namespace }),
    unlessRefused(api.list(PODS, { namespace: 'kube-system', labelSelector: 'component=kube-apiserver' })),
  ]);
  const agent = agents.items.find(({ metadata }) => metadata.name === CNI_NAME);
  const limit = pLimit(AT_ONCE);
  const conditions = new Map(
    networks.items.map(({ metadata, status }) => [metadata.name, status?.conditions?.find(({ type }) => type === 'Wires')]),
  );
  return {
    server: version.body.gitVersion,
    kinds: KINDS.map(({ crdName }) => ({ name: crdName, there: crds.items.some(({ metadata }) => metadata.name === crdName) })),
    hasNodeDns: agents.items.some(({ metadata }) => metadata.name === 'gala-node-dns'),
    ...(agent === undefined ? {} : { agent: agent.spec?.template.spec?.containers.flatMap(({ args }) => args ?? []) ?? [] }),
    apiServers: (system?.items ?? []).map(({ spec }) =>
      (spec?.containers ?? []).flatMap(({ command, args }) => [...(command ?? []), ...(args ?? [])]),
    ),
    nodes: await Promise.all(
      nodes.items.map(async ({ metadata: { name, labels }, spec, status }): Promise<NodeSeen> => {
        const pool = poolOf(labels);
        const wires = conditions.get(name);
        const kubeletConfig = pool === undefined || agent === undefined ? undefined : await limit(() => configOf(api, name));
        return {
          ...{ name, kubelet: status?.nodeInfo?.kubeletVersion ?? '', runtime: status?.nodeInfo?.containerRuntimeVersion ?? '' },
          ...(pool === undefined ? {} : { pool }),
          ...(spec?.podCIDR === undefined ? {} : { podCIDR: spec.podCIDR }),
          ...(wires === undefined
            ? {}
            : { wires: { status: wires.status, ...(wires.message === undefined ? {} : { message: wires.message }) } }),
          ...(kubeletConfig === undefined ? {} : { kubeletConfig }),
        };
      }),
    ),
  };
}

/** What a kubelet runs with; who may not ask it, and who is not answered, doesn't know. */
async function configOf(api: Api, node: string): Promise<NodeSeen['kubeletConfig']> {
  const answer = await unlessRefused(api.request({ method: 'GET', path: `/api/v1/nodes/${node}/proxy/configz` }));
  return answer?.body?.kubeletconfig;
}

const unlessRefused = <T>(what: Promise<T>): Promise<T | undefined> =>
  what.catch((error: unknown) => {
    // 403: no right to it; 5xx: the API server did not reach the kubelet.
    if (error instanceof ApiError && (error.status === 403 || error.status >= 500 || isNotFound(error))) return undefined;
    throw error;
  });
