/** Who leads, as a Lease says it. */
import { WRITER_LEASE } from '../api/scheduling.ts';
import type { Api } from '../kube/client.ts';
import { LEASES } from '../kube/kinds.ts';
import { ageOf } from './amount.ts';

export interface Leader {
  readonly lease: string;
  /** Undefined: nobody, or the last one stepped down. */
  readonly holder?: string;
  /** By this machine's clock. */
  readonly renewedMsAgo?: number;
  /** Renewed within its duration. */
  readonly leads: boolean;
}

/** What a Lease says at a moment. @param nowMs Unix milliseconds */
export function leaderOf(
  lease: {
    readonly metadata: { readonly name: string };
    readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string; readonly leaseDurationSeconds?: number };
  },
  nowMs: number,
): Leader {
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = lease.spec ?? {};
  const renewedMsAgo = renewTime === undefined ? undefined : nowMs - Date.parse(renewTime);
  return {
    lease: lease.metadata.name,
    ...(holderIdentity ? { holder: holderIdentity } : {}),
    ...(renewedMsAgo === undefined ? {} : { renewedMsAgo }),
    leads: Boolean(holderIdentity) && renewedMsAgo !== undefined && renewedMsAgo <= leaseDurationSeconds * 1000,
  };
}

/** One sentence about the lock writer, for whoever waited for it in vain. */
export async function writerOf(api: Api, namespace: string): Promise<string> {
  try {
    const leader = leaderOf(await api.get(LEASES, { namespace, name: WRITER_LEASE }), Date.now());
    if (leader.leads) return `The lock writer ${leader.holder} leads and is behind.`;
    return `No lock writer leads: ${leader.holder ?? 'nobody'} had the Lease ${namespace}/${WRITER_LEASE}, renewed ${ageOf(leader.renewedMsAgo ?? 0)} ago. gala status tells more.`;
  } catch {
    // Not there, or not for us to see.
    return `No lock writer is to be seen (Lease ${namespace}/${WRITER_LEASE}): does gala scheduler run? gala status tells more.`;
  }
}
