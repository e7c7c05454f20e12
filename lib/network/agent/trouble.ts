/**
 * Trouble: why no pod could be wired on this node now. STATUS says it, and with it the kubelet that the node is not ready: so only
 * what lasts is told, and never that the API server is away, which would empty a cluster whose pods run.
 */
import type { Clock } from '../../kube/clock.ts';
import { otherMachine } from './machine.ts';
import type { NodeView } from './node-view.ts';

export interface TroubleSeen {
  readonly view: Pick<NodeView, 'node' | 'hasSynced' | 'unread' | 'network' | 'pool' | 'facts'>;
  /** A conflist that the runtime takes in place of Gala's. */
  readonly foreign: string | undefined;
  readonly confDir: string;
}

export function troubleOf({ view, foreign, confDir }: TroubleSeen): string | undefined {
  if (foreign !== undefined)
    return `the runtime takes ${confDir}/${foreign} in place of Gala's conflist, by its name. Move it away, or name it after 05-gala.conflist.`;
  if (!view.hasSynced()) return `not read from the API server yet: ${view.unread().join(', ')}.`;
  const network = view.network();
  if (network === undefined)
    return `NodeNetwork ${view.node} is not there. gala controller makes it from the label gala.internal/pool of the Node.`;
  if (view.pool(network.pool) === undefined) return `HostPool ${network.pool} is not there. Apply the cluster's pools.`;
  return otherMachine(view.node, view.facts(), network);
}

/**
 * What STATUS says of it: only where no pod would pay for it. While the network is not ready the kubelet starts no container of any pod
 * again (pkg/kubelet/kubelet.go, SyncPod), the pods leave their Services, and after five minutes they are evicted; pods that wait are
 * tried again anyway. And an API server that is away would be told by every node at once, as soon as it is back.
 * @param said what has lasted
 * @param wired how many pods are wired here
 */
export const toStatus = (said: string | undefined, { hasSynced }: Pick<NodeView, 'hasSynced'>, wired: number): string | undefined =>
  wired > 0 || !hasSynced() ? undefined : said;

/** Shorter than this it may be a restart, a controller's moment, a list that is read anew. */
export const DAMPED_MS = 30_000;

/** The same, once it has lasted; gone as soon as it is gone. */
export function damped(trouble: () => string | undefined, clock: Clock): () => string | undefined {
  let since: number | undefined;
  return () => {
    const now = trouble();
    if (now === undefined) {
      since = undefined;
      return undefined;
    }
    since ??= clock.now();
    return clock.now() - since >= DAMPED_MS ? now : undefined;
  };
}
