/** Lease election: one leader at a time, by client-go's rules. The rules are in campaign.ts; this is their shell. */
import type { Api } from './client.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface ElectOptions {
  readonly namespace: string;
  readonly name: string;
  /** Different in every process: host name and a random part. @default that */
  readonly identity?: string;
  /** Others may take over so long after they saw the last renewal. @default 15_000 */
  readonly leaseMs?: number;
  /** The leader gives up so long after its last successful renewal began. @default 10_000 */
  readonly renewMs?: number;
  /** Between tries. @default 2_000 */
  readonly retryMs?: number;
  /** Runs while leading; must end soon after `signal` aborts. The next campaign waits for it. */
  readonly onLead: (signal: AbortSignal) => Promise<void>;
  /** Told when leading has ended and onLead has returned. */
  readonly onLost?: () => void;
  /** Told whom the Lease names, at each change. */
  readonly onLeader?: (identity: string) => void;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Election {
  readonly identity: string;
  /** By the clock at this very moment: false as soon as the renewal deadline has passed, however late timers run. */
  isLeader(): boolean;
  /** Whom the Lease named when it was last read. */
  leader(): string | undefined;
  /** Ends leading, waits for onLead, releases the Lease so that another need not wait. */
  stop(): Promise<void>;
  /** Resolves after stop; rejects when onLead threw, the Lease released. */
  readonly done: Promise<void>;
}

export function elect(_api: Api, _options: ElectOptions): Election {
  throw new Error('not yet');
}
