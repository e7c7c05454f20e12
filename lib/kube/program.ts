/** A long-running program: signals, a graceful stop with a deadline, exit codes; nothing that fails goes unnoticed. */
import { type Log, logger } from './log.ts';

export interface ProgramOptions {
  readonly name: string;
  /** Runs until `signal` aborts, then cleans up and returns. Returning before is a fault. */
  readonly main: (signal: AbortSignal, log: Log) => Promise<void>;
  /** How long cleaning up may take; the kubelet kills after 30 s. @default 20_000 */
  readonly stopMs?: number;
  /** @default lines on stderr */
  readonly log?: Log;
}

const STOP_MS = 20_000;

/** Never returns: exit code 0 after a stop that was asked for, 1 after anything else. */
export async function program({ name, main, stopMs = STOP_MS, log = logger() }: ProgramOptions): Promise<never> {
  const said = log.with({ program: name });
  const ending = new AbortController();

  // Whatever could not be foreseen leaves a state that nobody knows: the next start is a better one.
  process.on('uncaughtException', (error, origin) => {
    said.error(origin === 'unhandledRejection' ? 'a promise failed and nobody waits for it' : 'an error that nobody catches', {
      error,
      stack: error instanceof Error ? error.stack : undefined,
    });
    process.exit(1);
  });
  // A log that nobody reads any more is no reason to stop.
  process.stderr.on('error', () => {});
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (ending.signal.aborted) {
        said.warn('told to stop again: stopping at once', { signal });
        process.exit(1);
      }
      said.info('stopping', { signal });
      ending.abort();
      setTimeout(() => {
        said.error('cleaning up took too long', { stopMs });
        process.exit(1);
      }, stopMs);
    });

  said.info('starting', { node: process.version, pid: process.pid });
  try {
    await main(ending.signal, said);
  } catch (error) {
    said.error('failed', { error, stack: error instanceof Error ? error.stack : undefined });
    process.exit(1);
  }
  if (ending.signal.aborted) {
    said.info('stopped');
    process.exit(0);
  }
  said.error('ended by itself, which nobody asked for');
  process.exit(1);
}
