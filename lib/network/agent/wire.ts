/**
 * Asks gala-wire (lib/network/shim/wire.c): a few of them, started when they are first needed, with one job each at a time. One that
 * takes too long is killed, and with it what it runs; the next job starts another. One that does not even end then stands in the kernel
 * (state D: a driver, or whoever holds the lock of links): its job fails, and once all stand there the next ones fail at once.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import pLimit from 'p-limit';

/** Where the image has it. */
export const PROGRAM = '/opt/gala/cni/gala-wire';

export type Task =
  /** What follows is done in that network namespace. */
  | { readonly do: 'netns'; readonly path: string }
  /** Writes a file; both are words. */
  | { readonly do: 'set'; readonly path: string; readonly value: string }
  /** Words, the program first, and its stdin. */
  | { readonly do: 'run'; readonly argv: readonly string[]; readonly stdin?: string };

/** Does a job; @returns what its programs printed. Rejects with what the first that failed said. */
export type Wire = ((job: readonly Task[]) => Promise<string>) & {
  /** What stands in the kernel, and what to do; undefined: nothing. */
  stuck(): string | undefined;
};

export interface WireOptions {
  /** @default 20 s */
  readonly deadlineMs?: number;
  /** How long one that was killed may take to end. @default 2 s */
  readonly killedMs?: number;
}

/** The kernel lets one change links at a time (rtnl_lock); more would only wait there. */
const AT_ONCE = 4;
/** A program of iproute2 takes milliseconds. */
const DEADLINE_MS = 20_000;
/** The kernel ends a process that was killed within milliseconds, unless that stands in it. */
const KILLED_MS = 2_000;

export function wire(program: string = PROGRAM, { deadlineMs = DEADLINE_MS, killedMs = KILLED_MS }: WireOptions = {}): Wire {
  const limit = pLimit(AT_ONCE);
  const idle = new Set<Worker>();
  /** By process id. */
  const standing = new Set<number>();
  const stuck = () =>
    standing.size === 0
      ? undefined
      : `${program} was killed and does not end: ${[...standing].join(', ')}. It stands in the kernel (ps -o pid,stat,wchan: D): see cat /proc/<pid>/stack and dmesg on the host. Cordon the node, and reboot it if that stays; pods that run go on.`;
  const start = () =>
    begun(program, { deadlineMs, killedMs, onStuck: (pid) => standing.add(pid) }, (ended, pid) => {
      idle.delete(ended);
      if (pid !== undefined) standing.delete(pid);
    });
  const ask = (job: readonly Task[]) =>
    limit(async () => {
      if (standing.size >= AT_ONCE) throw new Error(stuck());
      const [worker = start()] = idle;
      idle.delete(worker);
      const answer = await worker.ask(textOf(job));
      idle.add(worker);
      if (answer.isDone) return answer.text;
      throw new Error(`${answer.text.trim()}\n${job.map(spelt).join('\n')}`);
    });
  return Object.assign(ask, { stuck });
}

interface Worker {
  ask(text: string): Promise<{ readonly isDone: boolean; readonly text: string }>;
}

interface Patience extends Required<WireOptions> {
  /** Told of one that was killed and has not ended. */
  readonly onStuck: (pid: number) => void;
}

/** @param onEnd told when it is no more */
function begun(
  program: string,
  { deadlineMs, killedMs, onStuck }: Patience,
  onEnd: (worker: Worker, pid: number | undefined) => void,
): Worker {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] });
  let got: Buffer = Buffer.alloc(0);
  let said = '';
  let waiting:
    | { readonly resolve: (answer: Awaited<ReturnType<Worker['ask']>>) => void; readonly reject: (error: Error) => void }
    | undefined;
  const output = child.stdout as unknown as Socket;
  // Nobody waits for it to end: it does so with this process.
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as Socket).unref();
  child.stdout.on('data', (part: Buffer) => {
    got = got.length === 0 ? part : Buffer.concat([got, part]);
    const line = got.indexOf('\n');
    if (line < 0) return;
    const [word, size] = got.toString('latin1', 0, line).split(' ');
    const end = line + 1 + Number(size);
    if (got.length < end) return;
    const text = got.toString('utf8', line + 1, end);
    got = got.subarray(end);
    waiting?.resolve({ isDone: word === 'ok', text });
  });
  child.stderr.on('data', (part: Buffer) => {
    said += part;
  });
  // That it ended, it says itself.
  child.stdin.on('error', () => {});
  const worker: Worker = {
    async ask(text) {
      let timer = setTimeout(() => {
        child.kill('SIGKILL');
        timer = setTimeout(() => {
          if (child.pid !== undefined) onStuck(child.pid);
          waiting?.reject(
            new Error(`${program}: it did not end within ${deadlineMs} ms, and not when it was killed: process ${child.pid}`),
          );
        }, killedMs);
      }, deadlineMs);
      output.ref();
      try {
        return await new Promise((resolve, reject) => {
          waiting = { resolve, reject };
          child.stdin.write(text);
        });
      } finally {
        clearTimeout(timer);
        output.unref();
        waiting = undefined;
      }
    },
  };
  const over = (why: string, cause?: Error) => {
    onEnd(worker, child.pid);
    waiting?.reject(new Error(`${program}: ${why}`, { cause }));
  };
  child.on('error', (cause) => over(cause.message, cause));
  child.on('close', (code, signal) => over(said.trim() || (signal === null ? `exit code ${code}` : `ended by ${signal}`)));
  return worker;
}

function textOf(job: readonly Task[]): string {
  const lines = job.map((task) => {
    switch (task.do) {
      case 'netns':
        return `netns ${task.path}\n`;
      case 'set':
        return `set ${task.path} ${task.value}\n`;
      case 'run':
        return `run ${Buffer.byteLength(task.stdin ?? '')} ${task.argv.join(' ')}\n${task.stdin ?? ''}`;
      default:
        return task satisfies never;
    }
  });
  return `${lines.join('')}end\n`;
}

/** For people who look for the line that failed. */
const spelt = (task: Task): string =>
  task.do === 'run' && task.stdin !== undefined ? task.stdin.trimEnd() : textOf([task]).split('\n')[0]!;
