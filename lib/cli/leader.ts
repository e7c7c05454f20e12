/** Who leads, as a Lease says it. */
import { CLOUD_ACCOUNT, CLOUD_LEASE, CLOUD_PORT } from '../api/cloud.ts';
import {
  CONTROLLER_ACCOUNT,
  CONTROLLER_LEASE,
  CONTROLLER_PORT,
  EXTENDER_PORT,
  SCHEDULER_NAME,
  WRITER_ACCOUNT,
  WRITER_LEASE,
} from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { LEASES, pathOf } from '../kube/kinds.ts';
import { ageOf } from './amount.ts';

export interface Leader {
  readonly lease: string;
  /** Undefined: nobody, or the last one stepped down. */
  readonly holder?: string;
  /** By the API server's clock, where it says what that is: a laptop's may be minutes off. */
  readonly renewedMsAgo?: number;
  /** Renewed within its duration. */
  readonly leads: boolean;
}

export interface LeaseSeen {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string; readonly leaseDurationSeconds?: number };
}

/** Leases by which replicas of an installed program lead; beside `gala scheduler` its pod has a kube-scheduler. */
const LEASES_OF: Readonly<Record<string, readonly string[]>> = {
  [CLOUD_LEASE]: [CLOUD_LEASE],
  [CONTROLLER_LEASE]: [CONTROLLER_LEASE],
  [SCHEDULER_NAME]: [WRITER_LEASE, SCHEDULER_NAME],
};

/**
 * Who leads of the programs that are installed. A Lease that nobody has made yet is one without a leader.
 * @param programs their names @param nowMs Unix milliseconds
 */
export function leadersOf(programs: readonly string[], leases: readonly LeaseSeen[], nowMs: number): Leader[] {
  const wanted = new Set(programs.flatMap((name) => LEASES_OF[name] ?? []));
  const there = leases.filter(({ metadata: { name } }) => name === WRITER_LEASE || wanted.has(name));
  const absent = [...wanted].filter((lease) => !there.some(({ metadata }) => metadata.name === lease));
  return [...there.map((lease) => leaderOf(lease, nowMs)), ...absent.map((lease) => ({ lease, leads: false }))].sort((a, b) =>
    a.lease < b.lease ? -1 : 1,
  );
}

/** By Lease: what waits while nobody leads, and what a program needs to. */
const WAITS: Readonly<Record<string, { readonly what: string; readonly needs: string }>> = {
  [CLOUD_LEASE]: {
    what: 'pod ENIs of EC2 instances wait',
    needs: `gala cloud leads only as ${CLOUD_ACCOUNT}; its log, and /readyz on port ${CLOUD_PORT} of its host, say what keeps it.`,
  },
  [CONTROLLER_LEASE]: {
    what: 'NodeNetworks, and the status of pools, wait',
    needs: `gala controller leads only as ${CONTROLLER_ACCOUNT}; its log, and /readyz on port ${CONTROLLER_PORT} of its host, say what keeps it.`,
  },
  [WRITER_LEASE]: {
    what: 'Locks, and pods behind the gate, wait',
    needs: `gala scheduler leads only as ${WRITER_ACCOUNT}; its log, and /readyz on port ${EXTENDER_PORT} of its host, say what keeps it.`,
  },
  [SCHEDULER_NAME]: {
    what: 'pods that have their slot wait to be bound',
    needs: 'The kube-scheduler beside gala scheduler leads by it; its log says what keeps it.',
  },
};

/** One sentence about a Lease that nobody leads by. */
export function leaderless({ lease, holder, renewedMsAgo }: Leader): string {
  const { what, needs } = WAITS[lease] ?? { what: 'what its program does waits', needs: '' };
  if (holder === undefined) return `Lease ${lease}: nobody leads; ${what}. ${needs}`.trimEnd();
  return `Lease ${lease}: ${holder} has not renewed it for ${ageOf(renewedMsAgo ?? 0)}; ${what} until another takes over. Where none has within a minute: kubectl -n gala-system get pods says which replicas run.`;
}

/** The same for who only asks whether somebody leads. */
export const leading = (leader: Leader | undefined): { readonly leads: boolean; readonly leaderless: string } | undefined =>
  leader && { leads: leader.leads, leaderless: leaderless(leader) };

/** What a Lease says at a moment. @param nowMs Unix milliseconds */
export function leaderOf(lease: LeaseSeen, nowMs: number): Leader {
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = lease.spec ?? {};
  // The server says the time to the second: what was renewed in this one is not of the future.
  const renewedMsAgo = renewTime === undefined ? undefined : Math.max(0, nowMs - Date.parse(renewTime));
  return {
    lease: lease.metadata.name,
    ...(holderIdentity ? { holder: holderIdentity } : {}),
    ...(renewedMsAgo === undefined ? {} : { renewedMsAgo }),
    leads: Boolean(holderIdentity) && renewedMsAgo !== undefined && renewedMsAgo <= leaseDurationSeconds * 1000,
  };
}

/** Who leads by a Lease; undefined where it is not for us to see. */
export async function leaderBy(lease: string, api: Api, namespace: string): Promise<Leader | undefined> {
  try {
    const { body, atMs = Date.now() } = await api.request({ method: 'GET', path: pathOf(LEASES, { namespace, name: lease }) });
    return leaderOf(body as LeaseSeen, atMs);
  } catch (error) {
    if (isNotFound(error)) return { lease, leads: false };
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}

/** One sentence about the lock writer, for whoever waited for it in vain. */
export async function writerOf(api: Api, namespace: string): Promise<string> {
  const leader = await leaderBy(WRITER_LEASE, api, namespace);
  if (leader === undefined)
    return `The Lease ${namespace}/${WRITER_LEASE} is not for you to see: whether a lock writer leads is not known.`;
  return leader.leads ? `The lock writer ${leader.holder} leads and is behind.` : leaderless(leader);
}
