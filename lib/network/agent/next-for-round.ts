/**
 * What the round does: how journal, runtime, kernel and IPLocks are brought together again, whatever was lost on the way. Pure.
 * containerd never calls GC, and an agent may have been away while pods went.
 */
import type { IPLock } from '../../api/kinds.ts';
import { WIRED } from '../../api/network.ts';
import type { AddressLock } from '../wiring/place.ts';
import { vethNames } from '../wiring/plan.ts';
import type { Attachment } from './journal.ts';
import { keyOf } from './journal.ts';
import { conditionOf } from './next-for-add.ts';

export type RoundStep =
  /** Its sandbox is no more: take down what is left of it. */
  | { readonly do: 'collect'; readonly key: string }
  /** A host's end of a veth that nobody knows of. */
  | { readonly do: 'unlink'; readonly link: string }
  /** The address is on no link here any more: the lock writer may give it away. */
  | { readonly do: 'release'; readonly ip: string; readonly podUID: string }
  /** A pod runs with it, and nobody noted it: wire it anew, which changes nothing that is right. */
  | { readonly do: 'adopt'; readonly podUID: string; readonly containerId: string };

export interface RoundSeen {
  readonly attachments: readonly Pick<Attachment, 'sandbox' | 'pod' | 'ip'>[];
  /** Sandboxes of the runtime, by container id. */
  readonly sandboxes: ReadonlyMap<string, { readonly isReady: boolean; readonly podUID: string }>;
  /** IPLocks of this node. */
  readonly locks: readonly (AddressLock & Pick<IPLock, 'status'>)[];
  /** Names of the host's links that are the ends of Gala's veths. */
  readonly veths: readonly string[];
  /** Whether the namespace is there. */
  readonly has: (netns: string) => boolean;
  /** Since the round first saw that the runtime doesn't know it; undefined: it knows it. */
  readonly missingMs: (key: string) => number | undefined;
  /** Whether it is on this node, as far as that is known, and has not finished: then it may be wired again. */
  readonly lives: (podUID: string) => boolean;
  /** Since when this process knows that the address is the pod's. */
  readonly knownMs: (ip: string, podUID: string) => number;
  /** Keys and pods that a call is at work on. */
  readonly isBusy: (key: string) => boolean;
  readonly adding: { has(podUID: string): boolean; readonly size: number };
}

/**
 * A sandbox is listed only once it runs (containerd, RunPodSandbox: the store gets it last), for which the kubelet gives it 4 minutes:
 * its image may be pulled after ADD. And containerd has another one to clean up after one that failed.
 */
export const MISSING_MS = 300_000;
/**
 * A pod is bound within milliseconds after its address was given to it, and its node hears of it then. One that comes later is wired all the
 * same, after a write.
 */
export const COMING_MS = 10_000;
/** The name that every runtime gives the link of a pod. */
const IFNAME = 'eth0';

export function nextForRound(seen: RoundSeen): RoundStep[] {
  const { attachments, sandboxes, locks, veths, adding } = seen;
  const gone = attachments.filter((one) => !seen.isBusy(keyOf(one.sandbox)) && isGone(one, seen));
  const noted = new Set(attachments.filter((one) => !gone.includes(one)).map(nameOf));
  const running = new Map([...sandboxes].flatMap(([id, { isReady, podUID }]) => (isReady ? [[podUID, id] as const] : [])));
  const left = (containerId: string) => veths.includes(vethNames(containerId, IFNAME).host);
  // A sandbox that has ended keeps its links until it is taken down.
  const lingering = new Set([...sandboxes].flatMap(([id, { podUID }]) => (left(id) ? [podUID] : [])));
  const unnoted = locks.flatMap((lock) => {
    const { phase, podUID } = lock.spec;
    const isOurs = (phase === 'Bound' || (phase === 'Locked' && isSaid(lock))) && podUID !== undefined && !adding.has(podUID);
    return isOurs && !noted.has(`${podUID} ${lock.metadata.name}`) ? [{ lock, podUID }] : [];
  });
  return [
    ...gone.map(({ sandbox }): RoundStep => ({ do: 'collect', key: keyOf(sandbox) })),
    ...strays(seen).map((link): RoundStep => ({ do: 'unlink', link })),
    ...unnoted.flatMap(({ lock, podUID }): RoundStep[] => {
      const { name } = lock.metadata;
      const containerId = running.get(podUID);
      if (containerId !== undefined) return [{ do: 'adopt', podUID, containerId }];
      const mayCome = seen.lives(podUID) || seen.knownMs(name, podUID) < COMING_MS;
      return isSaid(lock) && !mayCome && !lingering.has(podUID) ? [{ do: 'release', ip: name, podUID }] : [];
    }),
  ];
}

/** Whether the lock writer waits for this node's word before it gives the address to somebody else. */
export function isSaid(lock: Pick<IPLock, 'status'>): boolean {
  const said = conditionOf(lock, WIRED);
  return said !== undefined && said.status !== 'False';
}

type Noted = RoundSeen['attachments'][number];

const nameOf = ({ pod, ip }: Noted): string => `${pod.uid} ${ip}`;

function isGone({ sandbox }: Noted, { sandboxes, has, missingMs }: RoundSeen): boolean {
  if (sandboxes.get(sandbox.containerId)?.isReady) return false;
  // With the namespace went all that was in it; while it is there the runtime takes down what it knows.
  return !has(sandbox.netns) || (!sandboxes.has(sandbox.containerId) && (missingMs(keyOf(sandbox)) ?? 0) >= MISSING_MS);
}

function strays({ attachments, sandboxes, veths, adding }: RoundSeen): string[] {
  // While a call is at work, a veth may be there before its note was seen here.
  if (adding.size > 0) return [];
  const known = new Set([
    ...attachments.map(({ sandbox }) => vethNames(sandbox.containerId, sandbox.ifname).host),
    ...[...sandboxes.keys()].map((containerId) => vethNames(containerId, IFNAME).host),
  ]);
  return veths.filter((name) => !known.has(name));
}
