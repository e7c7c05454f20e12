/**
 * A process of the bed: it ends with the process that started it, whatever that one dies of, and what it said is in a file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';

export interface Started {
  readonly name: string;
  readonly pid: number;
  /** What the process has as its file descriptor 3, where it was asked for. */
  readonly port?: Duplex;
  /** Settles when the process has ended, with a sentence about how. */
  readonly ended: Promise<string>;
  /** The end of what it said, for messages. */
  lastLines(count?: number): string;
  log(): string;
  kill(): Promise<void>;
}

/**
 * Starts `command`, with what it says in `logFile`.
 * @param port whether it can be talked to, over its file descriptor 3
 */
export function start(
  name: string,
  command: readonly [string, ...string[]],
  logFile: string,
  env?: NodeJS.ProcessEnv,
  port = false,
): Started {
  const log = openSync(logFile, 'a', 0o600);
  // The kernel kills the process when the one that started it is gone, even by SIGKILL; a handler here could not do that.
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
    stdio: ['ignore', log, log, ...(port ? (['pipe'] as const) : [])],
    env,
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`could not be started: ${error.message}`));
    // With its port closed: by then every process that it had started with it has ended too.
    child.on('close', (code, signal) => resolve(signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
  });
  const said = () => readFileSync(logFile, 'utf8');
  return {
    name,
    pid: child.pid ?? 0,
    ...(port ? { port: child.stdio[3] as Duplex } : {}),
    ended,
    log: said,
    lastLines: (count = 12) => said().trimEnd().split('\n').slice(-count).join('\n'),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Asks until `ready` says yes. Rejects with the last lines of a process that ends before, or when the time is over. */
export async function until(
  what: string,
  watched: Started | readonly Started[],
  seconds: number,
  ready: () => Promise<boolean>,
  everyMs = 50,
): Promise<void> {
  const processes = [watched].flat();
  const deadline = Date.now() + seconds * 1000;
  let failure: string | undefined;
  let over = false;
  for (const process of processes)
    process.ended.then((how) => {
      // Its log may be gone by then.
      if (over) return;
      failure ??= `${process.name} ${how} before ${what}. Its last lines:\n${process.lastLines()}`;
    });
  while (!(await ready().catch(() => false))) {
    if (failure === undefined && Date.now() > deadline)
      failure = `not ${what} after ${seconds} s:\n${processes.map((each) => `${each.name}:\n${each.lastLines()}`).join('\n')}`;
    if (failure !== undefined) {
      over = true;
      throw new Error(failure);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  over = true;
}
