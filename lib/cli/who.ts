/** `gala who`: pod, node, MAC, owner and Lock of an address, or the addresses of a pod. Asks for the few objects it needs. */
import { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import { LOCK_ANNOTATION, POD_ANNOTATION, SLOT_ANNOTATION } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { unlessMissing } from '../kube/error.ts';
import { kindOf, NODES, PODS } from '../kube/kinds.ts';
import { addressOfTwin, placeOf } from './address-place.ts';
import { type ClusterOptions, clusterOptions, inCluster, listed } from './cluster.ts';
import { isAddress, isIpv6Like } from './ip-text.ts';
import type { Declare } from './main.ts';
import { assertNamespace } from './namespace.ts';
import { BadInput, type ExitCode, type Format, outputOption, print } from './output.ts';
import { type IPLockSeen, type PodSeen, type Who, whoHas, whoText } from './who-text.ts';

interface Options extends ClusterOptions {
  readonly snapshot?: string;
  readonly output: Format;
}

export const declare: Declare = (command, end) => {
  command
    .argument('<address|pod>', 'an IPv4 address, the IPv6 one of a pod, or a pod as <name> or <namespace>/<name>')
    .option('--snapshot <file>', 'as it was in what gala snapshot saved: no cluster is asked');
  clusterOptions(command)
    .addOption(outputOption())
    .addHelpText('after', '\nExamples:\n  gala who 10.110.2.37\n  gala who feed/feed-api-0611')
    .action(async (asked, options) => end(await who(asked, options)));
};

async function who(typed: string, options: Options): Promise<ExitCode> {
  if (options.snapshot !== undefined) {
    const [{ readSnapshotFile }, { addressesIn, whoIn }] = await Promise.all([import('./snapshot-file.ts'), import('./who-in.ts')]);
    const { inventory, readAtMs } = readSnapshotFile(options.snapshot);
    const asked = isIpv6Like(typed) ? addressOfTwin(typed, inventory.objects('HostPool').values()) : typed;
    const key = asked.includes('/') ? asked : `${options.namespace ?? 'default'}/${asked}`;
    const addresses = isAddress(asked) ? [asked] : addressesIn(inventory, key);
    const found = addresses.map((address) => whoIn(inventory, address));
    await print(options.output, found, () => allText(found, key, readAtMs));
    return 0;
  }
  return inCluster({ ...options, command: 'who' }, async ({ api, namespace }): Promise<ExitCode> => {
    const asked = isIpv6Like(typed) ? addressOfTwin(typed, await listed(api.list(kindOf(HostPool)))) : typed;
    const found = isAddress(asked) ? [await ofAddress(api, asked)] : await ofPod(api, asked, namespace);
    await print(options.output, found, () => allText(found, asked.includes('/') ? asked : `${namespace}/${asked}`, Date.now()));
    return 0;
  });
}

/** Of a pod without an address that is the answer. */
function allText(found: readonly Who[], pod: string, nowMs: number): string {
  if (found.length > 0) return found.map((one) => whoText(one, nowMs)).join('\n');
  return `${pod}: it has no address yet. gala explain pod ${pod} says what it waits for.`;
}

async function ofAddress(api: Api, address: string): Promise<Who> {
  const [ipLock, pools, networks] = await Promise.all([
    unlessMissing(api.get(kindOf(IPLock), { name: address })),
    listed(api.list(kindOf(HostPool))),
    listed(api.list(kindOf(NodeNetwork))),
  ]);
  const place = placeOf(address, pools, networks);
  const pod = ipLock === undefined ? await podWith(api, address) : await podOf(api, ipLock as IPLockSeen);
  const node = ipLock === undefined && pod === undefined ? await nodeWith(api, address) : undefined;
  return whoHas({
    address,
    ...(place && { place }),
    ...(ipLock && { ipLock: ipLock as IPLockSeen }),
    ...(pod && { pod }),
    ...(node && { node }),
  });
}

/** The pod that an IPLock names; one of the same name that came after it is another. */
async function podOf(api: Api, { metadata, spec }: IPLockSeen): Promise<PodSeen | undefined> {
  const name = metadata.annotations?.[POD_ANNOTATION];
  const [namespace] = spec.owner.split('/');
  if (name === undefined) return undefined;
  const pod = await unlessMissing(api.get(PODS, { namespace, name }));
  return pod === undefined ? undefined : podSeen(pod);
}

/** Of whatever CNI. On the host's network a pod has its node's address: that is the node's. */
async function podWith(api: Api, address: string): Promise<PodSeen | undefined> {
  const { items } = await api.list(PODS, { fieldSelector: `status.podIP=${address}` });
  const pod = items.find(({ spec, status }) => spec?.hostNetwork !== true && status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  return pod && podSeen(pod);
}

async function nodeWith(api: Api, address: string): Promise<string | undefined> {
  const { items } = await api.list(NODES);
  return items.find(({ status }) => (status?.addresses ?? []).some((one) => one.address === address))?.metadata.name;
}

async function ofPod(api: Api, asked: string, here: string): Promise<Who[]> {
  const [namespace, name] = asked.includes('/') ? (asked.split('/') as [string, string]) : [here, asked];
  const pod = await unlessMissing(api.get(PODS, { namespace, name }));
  if (pod === undefined) {
    await assertNamespace(api, namespace);
    throw new BadInput(
      `${asked}: it is no IPv4 address, and there is no pod ${namespace}/${name}. kubectl get pods -n ${namespace} lists them.`,
    );
  }
  const seen = podSeen(pod);
  const ipLocks = seen.node === undefined ? [] : await listed(api.list(kindOf(IPLock), { fieldSelector: `spec.node=${seen.node}` }));
  const own = ipLocks.filter(({ spec }) => spec.podUID === seen.uid).map(({ metadata }) => metadata.name);
  const addresses = own.length > 0 ? own : seen.podIP === undefined ? [] : [seen.podIP];
  return Promise.all(addresses.map((address) => ofAddress(api, address)));
}

function podSeen({ metadata, spec, status }: NonNullable<(typeof PODS)['stored']>): PodSeen {
  const { [SLOT_ANNOTATION]: slot, [LOCK_ANNOTATION]: lock } = metadata.annotations ?? {};
  return {
    ...{ namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid },
    ...(spec?.nodeName && { node: spec.nodeName }),
    ...(slot && { slot }),
    ...(lock && { lock }),
    ...(status?.podIP && { podIP: status.podIP }),
    ...(status?.startTime && { startedAt: status.startTime }),
  };
}
