/** The round: once a minute, and when a pod has gone, what next-for-round.ts says is done. Whatever fails is tried the next time. */
import { WIRED } from '../../api/network.ts';
import type { Clock } from '../../kube/clock.ts';
import { type Log, reasonOf } from '../../kube/log.ts';
import type { Seen } from '../wiring/check.ts';
import type { Agent } from './agent.ts';
import { statusWith } from './conditions.ts';
import type { Cri } from './cri.ts';
import { type Journal, keyOf } from './journal.ts';
import { isVeth, type Kernel } from './kernel.ts';
import { otherMachine } from './machine.ts';
import { conditionOf } from './next-for-add.ts';
import { nextForRound, type RoundStep } from './next-for-round.ts';
import type { NodeView } from './node-view.ts';
import { bury } from './tombstones.ts';

export interface RoundOptions {
  readonly agent: Agent;
  readonly view: NodeView;
  readonly journal: Journal;
  readonly kernel: Kernel;
  readonly cri: Pick<Cri, 'sandboxes' | 'netnsOf'>;
  /** Of the shim. */
  readonly tombstones: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStep?: (step: RoundStep['do'] | 'repair') => void;
}

export interface Round {
  /** One at a time. */
  run(): Promise<void>;
  /** Says that an address is on no link of the pod's any more, if that is so; rejects with a Conflict when it was written meanwhile. */
  release(ip: string, podUID: string): Promise<void>;
}

export function round(options: RoundOptions): Round {
  const { agent, view, journal, kernel, cri, clock, log, onStep = () => {} } = options;
  const missingSince = new Map<string, number>();

  async function run(): Promise<void> {
    await bury(options.tombstones, agent, log);
    const sandboxes = await cri.sandboxes();
    note(sandboxes);
    const steps = nextForRound({
      ...{ attachments: [...journal.values()], sandboxes, locks: view.hasSynced() ? [...view.locks()] : [] },
      ...{ veths: kernel.hostLinks().flatMap(({ name }) => (isVeth(name) ? [name] : [])), has: kernel.has },
      missingMs: (key) => {
        const since = missingSince.get(key);
        return since === undefined ? undefined : clock.now() - since;
      },
      ...{ isBusy: agent.isBusy, adding: agent.adding },
    });
    for (const step of steps) await tried(step.do, () => take(step));
    const attached = [...journal.values()];
    // Once: for each pod it would print all of them.
    let host: Seen | undefined;
    if (attached.length > 0)
      await tried('repair', async () => {
        host = await kernel.seen();
      });
    for (const { sandbox, pod, ip } of attached)
      await tried('repair', async () => {
        await agent.reshape(keyOf(sandbox));
        const found = await agent.repair(keyOf(sandbox), host);
        if (found.length === 0) return;
        log.warn('what was changed by somebody is put back', { pod: `${pod.namespace}/${pod.name}`, ip, found });
        onStep('repair');
      });
  }

  function note(sandboxes: Awaited<ReturnType<Cri['sandboxes']>>): void {
    const keys = new Set<string>();
    for (const { sandbox } of journal.values()) {
      const key = keyOf(sandbox);
      if (sandboxes.has(sandbox.containerId)) continue;
      keys.add(key);
      if (!missingSince.has(key)) missingSince.set(key, clock.now());
    }
    for (const key of missingSince.keys()) if (!keys.has(key)) missingSince.delete(key);
  }

  async function tried(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      log.warn('a step of the round failed', { step: what, because: reasonOf(error) });
    }
  }

  async function take(step: RoundStep): Promise<void> {
    onStep(step.do);
    switch (step.do) {
      case 'collect':
        return await agent.collect(step.key);
      case 'unlink':
        log.warn('a veth that nobody knows of is taken away', { link: step.link });
        return await kernel.run([{ where: 'host', tool: 'ip', line: `link del dev ${step.link}` }], '');
      case 'release':
        return await release(step.ip, step.podUID);
      case 'adopt': {
        const netns = await cri.netnsOf(step.containerId);
        if (netns !== undefined) await agent.adopt({ containerId: step.containerId, ifname: 'eth0', netns }, step.podUID);
        return;
      }
      default:
        return step satisfies never;
    }
  }

  async function release(ip: string, podUID: string): Promise<void> {
    const stranger = otherMachine(view.node, view.facts(), view.network());
    if (stranger !== undefined) return log.warn('an address is not given back', { ip, because: stranger });
    // Not what is watched: that may be from before the ADD, when the pod lived for a moment only.
    const lock = await view.readLock(ip);
    // Looked at after the reading: an ADD that begins from here on writes another version, and this comes to nothing.
    const isThere = [...journal.values()].some((one) => one.ip === ip && one.pod.uid === podUID);
    if (isThere || agent.adding.has(podUID)) return;
    if (lock?.spec.phase !== 'Bound' || lock.spec.podUID !== podUID || conditionOf(lock, WIRED)?.status === 'False') return;
    await view.patchLock(lock, { status: statusWith(lock, undefined, new Date()) });
  }

  return { run, release };
}
