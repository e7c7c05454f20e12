/**
 * Asks gala-wire (lib/network/shim/wire.c): a few of them, started when they are first needed, with one job each at a time. One that
 * takes too long is killed, and with it what it runs; the next job starts another.
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
export type Wire = (job: readonly Task[]) => Promise<string>;

/** The kernel lets one change links at a time (rtnl_lock); more would only wait there. */
const AT_ONCE = 4;
/** A program of iproute2 takes milliseconds. */
const DEADLINE_MS = 20_000;

export function wire(program: string = PROGRAM): Wire {
  const limit = pLimit(AT_ONCE);
  const idle = new Set<Worker>();
  return (job) =>
    limit(async () => {
      const [worker = begun(program, (ended) => idle.delete(ended))] = idle;
      idle.delete(worker);
      const answer = await worker.ask(textOf(job));
      idle.add(worker);
      if (answer.isDone) return answer.text;
      throw new Error(`${answer.text.trim()}\n${job.map(spelt).join('\n')}`);
    });
}

interface Worker {
  ask(text: string): Promise<{ readonly isDone: boolean; readonly text: string }>;
}

/** @param onEnd told when it is no more */
function begun(program: string, onEnd: (worker: Worker) => void): Worker {
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
      const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
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
    onEnd(worker);
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
