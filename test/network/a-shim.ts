/** The CNI shim, compiled as the image has it, and called as a container runtime calls it. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stageRoot } from '../tools/image-root.ts';

const SOURCES = join(import.meta.dirname, '../../lib/network/shim');

/** @returns the program */
export function compiledShim(folder: string): string {
  stageRoot('shim', join(folder, 'stage'), '-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror');
  return join(folder, 'stage/shim/gala');
}

/** The same with the compiler's own checks of memory and arithmetic: what is wrong ends it with words on stderr. */
export function checkedShim(folder: string): string {
  const to = join(folder, 'checked');
  const flags = ['-std=gnu11', '-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover'];
  const ended = spawnSync('gcc', [...flags, '-o', to, 'shim.c', 'json.c'], { cwd: SOURCES, encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`gcc: ${ended.stderr}`);
  return to;
}

export type Env = Readonly<Record<string, string | undefined>>;

export interface Call {
  readonly verb?: string;
  /** Over what containerd gives; undefined takes a variable away. */
  readonly env?: Env;
  /** Over a configuration of version 1.1.0; undefined takes a member away. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** In place of the configuration. */
  readonly stdin?: string | Buffer;
  /** Of the process. */
  readonly uid?: number;
}

export interface Answered {
  /** Null: a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As containerd sets them for a pod's sandbox. */
export const ENV = {
  CNI_CONTAINERID: 'f2a4c0e1b7d94c1fa0f5d2b6e8139c7a50d1e2f3a4b5c6d7e8f90a1b2c3d4e5f',
  CNI_NETNS: '/var/run/netns/cni-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'K8S_POD_INFRA_CONTAINER_ID=f2a4;K8S_POD_UID=0f8fad5b-d9cb-469f-a165-70867728950e;IgnoreUnknown=1;K8S_POD_NAMESPACE=feed',
  CNI_PATH: '/opt/cni/bin',
};

export const configOf = (more: Call['config']): string => JSON.stringify({ cniVersion: '1.1.0', name: 'gala', type: 'gala', ...more });

const envOf = ({ verb = 'ADD', env }: Call): Record<string, string> => {
  const all: Env = { ...ENV, CNI_COMMAND: verb, ...env };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
};

export interface Running {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream;
  readonly answered: Promise<Answered>;
}

/** Started, with its stdin open. */
export function started(program: readonly [string, ...string[]], call: Call): Running {
  const child = spawn(program[0], program.slice(1), { env: envOf(call), ...(call.uid === undefined ? {} : { uid: call.uid }) });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  // It may be done before it has read everything.
  child.stdin.on('error', () => {});
  const answered = new Promise<Answered>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...said }));
  });
  return { pid: child.pid ?? 0, stdin: child.stdin, answered };
}

/** To its end. */
export function called(program: string, call: Call): Promise<Answered> {
  const running = started([program], call);
  running.stdin.end(call.stdin ?? configOf(call.config));
  return running.answered;
}

export interface CniError {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

/** @throws {SyntaxError} when it printed something else */
export const errorOf = ({ stdout }: Answered): CniError => JSON.parse(stdout) as CniError;
