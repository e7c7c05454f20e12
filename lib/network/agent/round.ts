/** The round: once a minute, and when a pod has gone, what next-for-round.ts says is done. Whatever fails is tried the next time. */
import type { Clock } from '../../kube/clock.ts';
import { type Log, reasonOf } from '../../kube/log.ts';
import type { Seen } from '../wiring/check.ts';
import type { Agent } from './agent.ts';
import { statusWith } from './conditions.ts';
import type { Cri } from './cri.ts';
import { type Journal, keyOf } from './journal.ts';
import { isVeth, type Kernel } from './kernel.ts';
import type { Leaked } from './leaked.ts';
import { otherMachine } from './machine.ts';
import { COMING_MS, isSaid, nextForRound, type RoundSeen, type RoundStep } from './next-for-round.ts';
import type { Lock, NodeView } from './node-view.ts';
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
  /** Namespaces of nobody are looked at too. */
  readonly leaked?: Leaked;
  readonly onStep?: (step: RoundStep['do'] | 'repair') => void;
}

export interface Round {
  /** One at a time. */
  run(): Promise<void>;
  /** Says of addresses whose pods are gone, or never came, that nothing of them is left; asks the runtime only where there are any. */
  answer(): Promise<void>;
  /** Says that an address is on no link of a pod's that is gone or finished, if that is so; rejects with a Conflict when it was written meanwhile. */
  release(ip: string, podUID: string): Promise<void>;
}

export function round(options: RoundOptions): Round {
  const { agent, view, journal, kernel, cri, clock, log, onStep = () => {} } = options;
  const missingSince = new Map<string, number>();
  /** By address and pod. */
  const knownSince = new Map<string, number>();

  async function run(): Promise<void> {
    await bury(options.tombstones, agent, log);
    // First: what is found there is not given back below.
    await tried('leaked', async () => options.leaked?.run());
    const sandboxes = await cri.sandboxes();
    note(sandboxes);
    for (const step of nextForRound(seen(sandboxes, view.hasSynced() ? [...view.locks()] : []))) await tried(step.do, () => take(step));
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

  function seen(sandboxes: RoundSeen['sandboxes'], locks: RoundSeen['locks']): RoundSeen {
    return {
      ...{ attachments: [...journal.values()], sandboxes, locks },
      ...{ veths: kernel.hostLinks().flatMap(({ name }) => (isVeth(name) ? [name] : [])), has: kernel.has },
      missingMs: (key) => {
        const since = missingSince.get(key);
        return since === undefined ? undefined : clock.now() - since;
      },
      ...{ isBusy: agent.isBusy, adding: agent.adding, lives, knownMs: known() },
    };
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
    if (lives(podUID)) return;
    const watched = view.lockAt(ip);
    const lock = watched !== undefined && view.isQuiet(watched) ? watched : await view.readLock(ip);
    // Looked at after the reading: an ADD that begins from here on writes another version, because this one is being written on.
    const isThere = [...journal.values()].some((one) => one.ip === ip && one.pod.uid === podUID);
    if (isThere || agent.adding.has(podUID)) return;
    if (lock?.spec.podUID !== podUID || lock.spec.node !== view.node || !isSaid(lock)) return;
    if (lock.spec.phase !== 'Bound' && lock.spec.phase !== 'Locked') return;
    if (options.leaked?.has(lock.spec.mac))
      return log.warn('an address is not given back yet', { ip, because: 'a namespace of nobody has it' });
    await view.patchLock(lock, { status: statusWith(lock, undefined, new Date()) });
  }

  /** Where its pod lives an address stays the pod's: the next sandbox may be on its way, and trusts that. */
  function lives(podUID: string): boolean {
    const pod = view.pod(podUID);
    return pod !== undefined && !pod.finished;
  }

  /** Since when this process knows that the address is the pod's. */
  function known(): RoundSeen['knownMs'] {
    const now = new Set<string>();
    for (const { metadata, spec } of view.locks()) if (spec.podUID !== undefined) now.add(`${metadata.name} ${spec.podUID}`);
    for (const name of knownSince.keys()) if (!now.has(name)) knownSince.delete(name);
    for (const name of now) if (!knownSince.has(name)) knownSince.set(name, clock.now());
    return (ip, podUID) => clock.now() - (knownSince.get(`${ip} ${podUID}`) ?? clock.now());
  }

  async function answer(): Promise<void> {
    if (!view.hasSynced()) return;
    const knownMs = known();
    const isAsked = ({ metadata: { name }, spec: { podUID } }: Lock): boolean =>
      podUID !== undefined &&
      !lives(podUID) &&
      knownMs(name, podUID) >= COMING_MS &&
      !agent.adding.has(podUID) &&
      ![...journal.values()].some((one) => one.ip === name);
    const asked = [...view.locks()].filter((lock) => isSaid(lock) && isAsked(lock));
    if (asked.length === 0) return;
    const steps = nextForRound(seen(await cri.sandboxes(), asked));
    for (const step of steps) if (step.do === 'release') await tried(step.do, () => take(step));
  }

  return { run, answer, release };
}
