/** Waits until the addresses of a Ready Lock were looked for on the wire, as `gala lock --wait probed` has it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lock } from '../api/kinds.ts';
import { CNI_NAME, PROBED, PROBED_REASONS } from '../api/network.ts';
import { SYSTEM_NAMESPACE } from '../api/scheduling.ts';
import type { Stored } from '../kube/kinds.ts';
import { ageOf } from './amount.ts';
import { NotNow, Refused, say } from './output.ts';

export type Probing =
  /** `say`: why nothing is waited for. */
  | { readonly is: 'done'; readonly say?: string }
  | { readonly is: 'waits'; readonly progress: string }
  | { readonly is: 'amiss'; readonly reason: string; readonly message: string };

/** Pure. */
export function probingOf({ status, metadata }: Pick<Stored<Lock>, 'status' | 'metadata'>): Probing {
  const slots = status?.slots ?? [];
  if (!slots.some(({ address }) => address !== undefined))
    return {
      is: 'done',
      say: `${metadata.namespace}/${metadata.name}: its slots have no addresses of Gala's, so there is nothing to look for`,
    };
  const said = status?.conditions?.find(({ type }) => type === PROBED);
  if (said === undefined) return { is: 'waits', progress: 'no agent has looked for its addresses yet' };
  if (said.status === 'True') return { is: 'done' };
  const message = said.message ?? said.reason;
  // What a machine that answers for every address keeps from being known, no waiting brings.
  return said.status === 'False' || said.reason === PROBED_REASONS.answeredForAll
    ? { is: 'amiss', reason: said.reason, message }
    : { is: 'waits', progress: message };
}

/**
 * @param read the Lock as it is now; undefined: it is gone
 * @param untilMs by `performance.now()`
 * @throws {NotNow} when that is not so in time, or something is amiss; the Lock stays
 */
export async function probed(lock: Stored<Lock>, read: () => Promise<Stored<Lock> | undefined>, untilMs: number): Promise<Stored<Lock>> {
  const { namespace, name } = lock.metadata;
  const id = `${namespace}/${name}`;
  const began = performance.now();
  let told = '';
  let seen = lock;
  for (let waitMs = 50; ; waitMs = Math.min(1000, waitMs * 1.5)) {
    // Its last slot may be over before.
    if (seen.status?.phase !== 'Ready') return seen;
    const now = probingOf(seen);
    if (now.is === 'done') {
      if (now.say !== undefined) say(now.say);
      return seen;
    }
    if (now.is === 'amiss') throw new NotNow(`${id}: ${now.reason}: ${now.message} ${stays(lock)}`);
    if (now.progress !== told) say(`${id}: ${now.progress}`);
    told = now.progress;
    if (performance.now() >= untilMs)
      throw new NotNow(
        `${id}: ${now.progress}, after ${ageOf(performance.now() - began)}. Agents look, kubectl get pods -n ${SYSTEM_NAMESPACE} -l app.kubernetes.io/name=${CNI_NAME} -o wide. ${stays(lock)}`,
      );
    await sleep(Math.min(waitMs, Math.max(1, untilMs - performance.now())));
    const next = await read();
    if (next === undefined) throw new Refused(`${id}: it was deleted while it was waited for. Ask again if it was not you.`);
    seen = next;
  }
}

const stays = ({ metadata: { namespace, name } }: Stored<Lock>): string =>
  `The Lock is Ready and stays: gala unlock ${name} -n ${namespace} takes it back.`;
