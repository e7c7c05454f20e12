/**
 * Nodes for a control plane: machines with real containerd and a real kubelet, each known to the API server by a certificate of
 * its own, ready within a minute. Files that synth rendered for a host make it a host of Gala's (cluster.ts).
 */
import { join } from 'node:path';
import type { Bed } from './control-plane.ts';
import { businessImage, type Image, pauseImage } from './images.ts';
import { aNode, type BedNode } from './node.ts';
import { siteFiles } from './node-files.ts';
import { rackSwitch } from './rack-switch.ts';

export interface NodesOptions {
  /** As Nodes they are called the same. */
  readonly names: readonly string[];
  /** What each has beside what a site puts on any host: drop-ins, CNI configuration, `etc/rc.local`. @default none */
  readonly files?: (name: string) => Readonly<Record<string, string>>;
  /** Beside the pause image. @default the business image */
  readonly images?: readonly Image[];
  /** What their NIC is called. @default 'bond0' */
  readonly trunk?: string;
  /** @default 1200: a kubelet, containerd and a dozen small pods */
  readonly memoryMiB?: number;
  /** `registered`: there is no network for pods yet, so no kubelet says Ready. @default 'Ready' */
  readonly until?: 'Ready' | 'registered';
}

/**
 * Starts nodes and resolves when all are Ready and take pods.
 * @param bed started with `nodes: true`, and with its controllers: they take the taint off that a new Node has
 * @example const [one, two] = await startNodes(bed, { names: ['node-1', 'node-2'], files: (name) => hostFilesOf(out, name) })
 */
export async function startNodes(bed: Bed, options: NodesOptions): Promise<BedNode[]> {
  const { names, files = () => ({}), trunk = 'bond0', memoryMiB = 1200 } = options;
  const rack = rackSwitch(bed);
  const folder = join(bed.folder, 'images');
  const images = [pauseImage(folder), ...(options.images ?? [businessImage(folder)])];
  const nodes: BedNode[] = [];
  for (const name of names) {
    const site = await siteFiles(bed, name);
    nodes.push(aNode(bed, rack, { name, trunk, memoryMiB, images, address: rack.address(), files: { ...site, ...files(name) } }));
  }
  await Promise.all(nodes.map((node) => node.boot()));
  await Promise.all(nodes.map((node) => (options.until === 'registered' ? registered(bed, node) : ready(bed, node))));
  return nodes;
}

/** Resolves when the node is Ready, on its word of after `since`, and takes pods. */
export function ready(bed: Bed, node: BedNode, since = 0): Promise<void> {
  return seen(bed, node, 'Ready', ({ spec, status }) => {
    const condition = status.conditions?.find(({ type }) => type === 'Ready');
    const heard = Date.parse(condition?.lastHeartbeatTime ?? '') >= since;
    return condition?.status === 'True' && heard && !spec.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/'));
  });
}

/** Resolves when there is a Node. */
export const registered = (bed: Bed, node: BedNode): Promise<void> => seen(bed, node, 'registered', () => true);

interface NodeSeen {
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly lastHeartbeatTime?: string }[];
  };
}

/** On a busy machine; an idle one takes 20. */
const SECONDS = 180;

async function seen(bed: Bed, node: BedNode, what: string, is: (seen: NodeSeen) => boolean): Promise<void> {
  const deadline = Date.now() + SECONDS * 1000;
  for (;;) {
    const { status, body } = await bed.request('GET', `/api/v1/nodes/${node.name}`);
    if (status === 200 && is(body)) return;
    if (!node.running()) throw new Error(`${node.name} has ended before it was ${what}:\n${node.lastLines()}`);
    if (Date.now() > deadline) throw new Error(`${node.name} is not ${what} after ${SECONDS} s:\n${node.lastLines()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
