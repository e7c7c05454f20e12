/**
 * Saying: what was wired is written into its IPLock afterwards, for people and programs that read it: `Bound`, and `Wired` `True`. Nobody
 * waits for it, so it comes when no pod start needs the API server, and of an address that was taken down before it never comes.
 */
import { WIRED } from '../../api/network.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Log } from '../../kube/log.ts';
import { type WorkQueue, workQueue } from '../../kube/queue.ts';
import type { Agent } from './agent.ts';
import { isGiven, statusWith } from './conditions.ts';
import type { Journal } from './journal.ts';
import { conditionOf } from './next-for-add.ts';
import type { NodeView } from './node-view.ts';

export interface SayingOptions {
  readonly view: Pick<NodeView, 'lockAt' | 'patchLock'>;
  readonly journal: Pick<Journal, 'values'>;
  readonly adding: Pick<Agent['adding'], 'size'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** After a pod start come others, where many come. */
export const QUIET_MS = 1_000;
/** However many pods start. */
export const SAID_MS = 15_000;

export interface Saying {
  /** It was wired. */
  up(ip: string): void;
  /** By address. */
  readonly queue: WorkQueue;
}

export function saying({ view, journal, adding, clock, log }: SayingOptions): Saying {
  const since = new Map<string, number>();
  let lastUpMs = Number.NEGATIVE_INFINITY;
  const queue = workQueue({
    ...{ name: 'saying', log, clock, backoff: { firstMs: 100, maxMs: 60_000 } },
    async work(ip) {
      const isBusy = adding.size > 0 || clock.now() - lastUpMs < QUIET_MS;
      if (isBusy && clock.now() - (since.get(ip) ?? Number.NEGATIVE_INFINITY) < SAID_MS) return { againInMs: QUIET_MS };
      await say(ip);
      since.delete(ip);
      return undefined;
    },
  });

  async function say(ip: string): Promise<void> {
    const attachment = [...journal.values()].find((one) => one.ip === ip && one.state === 'wired');
    const lock = view.lockAt(ip);
    if (attachment === undefined || lock?.spec.podUID !== attachment.pod.uid) return;
    const { phase } = lock.spec;
    if (phase !== 'Locked' && phase !== 'Bound') return;
    if (phase === 'Bound' && conditionOf(lock, WIRED)?.status === 'True' && isGiven(lock)) return;
    const spec = phase === 'Locked' ? { spec: { phase: 'Bound' as const } } : {};
    await view.patchLock(lock, { ...spec, status: statusWith(lock, attachment.sandbox.containerId, new Date()) });
  }

  return {
    queue,
    up(ip) {
      lastUpMs = clock.now();
      if (!since.has(ip)) since.set(ip, lastUpMs);
      queue.addAfter(ip, QUIET_MS);
    },
  };
}
