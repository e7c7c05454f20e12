/**
 * A whole cluster of Gala's, as an operator gets one: what synth rendered is applied, its host files are on the hosts, and the
 * kubelets start its programs from Gala's image.
 */
import { join } from 'node:path';
import { type Rendered, rendered } from '../../constructs/testing.ts';
import type { ClusterDefinition } from '../../lib/api/definition.ts';
import { startClusterDns } from './cluster-dns.ts';
import { type Bed, startControlPlane } from './control-plane.ts';
import { businessImage, coreDnsImage, galaImage, type Image, kubeSchedulerImage, REGISTRY } from './images.ts';
import { type BedInstance, instanceFilesOf } from './instance-files.ts';
import type { BedNode } from './node.ts';
import { startNodes } from './nodes.ts';

export interface ClusterOptions {
  /** Its hosts become nodes. `apiServer`, `registry` and, where it has one, `dns.upstream` are the bed's, whatever it says. */
  readonly definition: ClusterDefinition;
  /** Further files by path, of hosts and of the system node: a network, as long as Gala's is not what is tested. @default none */
  readonly files?: (node: string) => Readonly<Record<string, string>>;
  /** Instances of its ec2 pools that run already: each becomes a node of its name. @default none */
  readonly instances?: readonly BedInstance[];
  /** What a cloud tells Gala's Deployments, by their names: where EC2 is, and who they are there. @default nothing */
  readonly env?: (bed: Bed) => Promise<Readonly<Record<string, Readonly<Record<string, string>>>>>;
}

export interface BedCluster {
  readonly bed: Bed;
  readonly rendered: Rendered;
  /** Of the definition, in its order; then the instances, in theirs. */
  readonly hosts: readonly BedNode[];
  /** Where Gala's own Deployments run; of no pool. */
  readonly system: BedNode;
  stop(): Promise<void>;
}

/** Room for Gala's programs and a kube-scheduler, as their requests say. */
const SYSTEM_MIB = 2600;
const CLOUD_MIB = 500;

/** Resolves when everything is applied and all nodes are Ready; Gala's pods are starting by then. */
export async function startCluster({ definition, files = () => ({}), ...options }: ClusterOptions): Promise<BedCluster> {
  const { instances = [], env = async () => ({}) } = options;
  const bed = await startControlPlane({ nodes: true });
  try {
    const dns = definition.dns && { upstream: [startClusterDns(bed)] };
    const out = rendered({ ...definition, apiServer: bed.url, registry: REGISTRY, dns } as ClusterDefinition);
    const racked = out.cluster.pools.flatMap((pool) => (pool.shape === 'intranet' ? pool.racks.flatMap(({ hosts }) => hosts) : []));
    const folder = join(bed.folder, 'images');
    const images = await imagesOf(out, folder);
    const label = { 'etc/default/gala-kubelet': 'GALA_KUBELET_ARGS="--node-labels=gala.internal/system="\n' };
    const names = [...racked, ...instances.map(({ id }) => id)];
    const ofGala = (name: string) => {
      const instance = instances.find(({ id }) => id === name);
      return instance === undefined ? hostFilesOf(out, name) : instanceFilesOf(out, instance);
    };
    const memoryMiB = SYSTEM_MIB + (out.cluster.ec2Pools.length > 0 ? CLOUD_MIB : 0);
    const told = await env(bed);
    const [hosts, [system]] = await Promise.all([
      startNodes(bed, { names, images, files: (name) => ({ ...ofGala(name), ...files(name) }) }),
      startNodes(bed, { names: ['system'], images, memoryMiB, files: (name) => ({ ...label, ...files(name) }) }),
      applyAll(bed, out, told),
    ]);
    return { bed, rendered: out, hosts, system: system!, stop: bed.stop };
  } catch (error) {
    await bed.stop();
    throw error;
  }
}

/** Every image that a pod of the cluster names, and one for pods of a test. */
async function imagesOf(out: Rendered, folder: string): Promise<Image[]> {
  const made = out.images.map((name) => {
    if (name.startsWith(`${REGISTRY}/gala:`)) return galaImage(folder, name);
    if (name.startsWith(`${REGISTRY}/kube-scheduler:`)) return kubeSchedulerImage(folder, name);
    if (name.startsWith(`${REGISTRY}/coredns:`)) return coreDnsImage(folder, name);
    throw new Error(`the bed makes no image ${name}: add it to images.ts`);
  });
  return [businessImage(folder), ...(await Promise.all(made))];
}

async function applyAll(bed: Bed, out: Rendered, env: Awaited<ReturnType<NonNullable<ClusterOptions['env']>>>): Promise<void> {
  const applied = await bed.apply(out.objects.map((object) => withEnv(object, env[object.metadata.name ?? ''])));
  const wrong = applied.filter(({ result }) => result === 'refused');
  if (wrong.length > 0) throw new Error(wrong.map(({ object, message }) => `${object}: ${message}`).join('\n'));
}

/**
 * The files that synth rendered for one host, by path on the host: its pool's, and over them its rack's, as APPLY.md says.
 * @throws {Error} when the definition has no such host
 */
export function hostFilesOf(out: Rendered, host: string): Record<string, string> {
  for (const pool of out.cluster.pools) {
    if (pool.shape !== 'intranet') continue;
    const rack = pool.racks.find(({ hosts }) => hosts.includes(host));
    if (rack === undefined) continue;
    const under = (prefix: string) =>
      out.files.filter(({ path }) => path.startsWith(`${prefix}/etc/`)).map(({ path, text }) => [path.slice(prefix.length + 1), text]);
    return Object.fromEntries([...under(`hosts/${pool.name}`), ...under(`hosts/${pool.name}/racks/${rack.name}`)]);
  }
  throw new Error(`${out.cluster.name} has no host ${host}`);
}

/** A Deployment whose containers are told more. */
function withEnv(object: Rendered['objects'][number], more: Readonly<Record<string, string>> | undefined): Rendered['objects'][number] {
  if (object.kind !== 'Deployment' || more === undefined) return object;
  const told = structuredClone(object) as unknown as { spec: { template: { spec: { containers: { env?: object[] }[] } } } };
  for (const container of told.spec.template.spec.containers)
    container.env = [...(container.env ?? []), ...Object.entries(more).map(([name, value]) => ({ name, value }))];
  return told as unknown as Rendered['objects'][number];
}
