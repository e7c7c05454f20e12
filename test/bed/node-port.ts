/**
 * How the bed has commands run in a node: lines over the node's serial port, answered by uml/serve.c, with the commands' input and
 * output in files of a folder that both see. It works without a network, and while the kubelet and containerd are down.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

export interface Ran {
  /** 128 + the signal, as in a shell, for one that was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  /** Below jest's 60 s, so that the error that is shown names the command. @default 50 */
  readonly seconds?: number;
}

export interface NodePort {
  /** Whether the node has come to the end of its init. */
  ready(): boolean;
  /** Rejects when the command does not end in time (it is killed then), or when the node ends. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Writes everything to disk and switches off. */
  halt(): void;
}

/** Ids of commands, never used twice: a node's kernel may remember a file of that name. */
let last = 0;

/**
 * @param name for messages
 * @param folder where commands have their files; the node sees it under the same path
 * @param ended settles with the node
 */
export function nodePort(name: string, stream: Duplex, folder: string, ended: Promise<string>): NodePort {
  const waiting = new Map<number, (code: number) => void>();
  let isReady = false;
  let gone: string | undefined;
  let said = '';
  mkdirSync(folder, { recursive: true });
  const give = new Set<(how: string) => void>();
  void ended.then((how) => {
    gone = how;
    for (const each of give) each(how);
  });
  // What is written while the node ends is lost, as it should be.
  stream.on('error', () => {});
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (said + text).split('\n');
    said = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'ready') isReady = true;
      const [id, code] = line.split(' ').map(Number);
      waiting.get(id ?? 0)?.(code ?? 0);
    }
  });

  return {
    ready: () => isReady,
    halt: () => void stream.write('halt\n'),
    run: (argv, { stdin = '', seconds = 50 } = {}) => {
      const id = ++last;
      const files = join(folder, String(id));
      const read = (file: string) => {
        try {
          return readFileSync(join(files, file), 'utf8');
        } catch {
          return ''; // it has said nothing yet
        }
      };
      const command = `${argv.join(' ')} in ${name}`;
      if (gone !== undefined) return Promise.reject(new Error(`${command}: the node ${gone}`));
      mkdirSync(files);
      writeFileSync(join(files, 'argv'), argv.map((word) => `${word}\0`).join(''));
      writeFileSync(join(files, 'stdin'), stdin);
      return new Promise<Ran>((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer);
          waiting.delete(id);
          give.delete(end);
          act();
          rmSync(files, { recursive: true, force: true });
        };
        const fail = (why: string) =>
          settle(() => reject(new Error(`${command}: ${why}. It had said:\n${`${read('stdout')}${read('stderr')}`.trim() || 'nothing'}`)));
        const end = (how: string) => fail(`the node ${how}`);
        const timer = setTimeout(() => {
          stream.write(`-${id}\n`);
          fail(`did not end within ${seconds} s and was killed`);
        }, seconds * 1000);
        give.add(end);
        waiting.set(id, (code) => settle(() => resolve({ code, stdout: read('stdout'), stderr: read('stderr') })));
        stream.write(`${id}\n`);
      });
    },
  };
}
