/** A long-running program: signals, a graceful stop with a deadline, exit codes; nothing that fails goes unnoticed. */
import type { Log } from './log.ts';

export interface ProgramOptions {
  readonly name: string;
  /** Runs until `signal` aborts, then cleans up and returns. Returning before is a fault. */
  readonly main: (signal: AbortSignal, log: Log) => Promise<void>;
  /** How long cleaning up may take; the kubelet kills after 30 s. @default 20_000 */
  readonly stopMs?: number;
}

/** Never returns: exit code 0 after a stop that was asked for, 1 after anything else. */
export async function program(_options: ProgramOptions): Promise<void> {
  throw new Error('not yet');
}
