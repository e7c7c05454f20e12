/** Children: programs run as a person would run them, with their time, their words and their memory. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

export interface Ended {
  /** Null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall time. */
  readonly seconds: number;
}

export interface ChildOptions {
  /** @default the repository */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end, with the project's own Node first in PATH as `npm run` has it. */
export function run(command: readonly [string, ...string[]], { cwd = REPOSITORY, env }: ChildOptions = {}): Promise<Ended> {
  const [program, ...args] = command;
  const { CDK8S_OUTDIR: _, ...inherited } = process.env;
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...inherited,
        PATH: [join(REPOSITORY, 'node_modules/.bin'), inherited.PATH].join(delimiter),
        // The CLI would ask a registry for a newer version, now and then: the network's time, not ours.
        CDK8S_CHECK_UPGRADE: 'false',
        ...env,
      },
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
    });
    child.on('error', (cause) => reject(new Error(`${command.join(' ')} in ${cwd}: ${cause.message}`, { cause })));
    child.on('close', (code) => resolve({ code, ...said, seconds: (performance.now() - start) / 1000 }));
  });
}

/** As `run`, and it must end well. @throws {Error} with what the program said */
export async function runWell(command: readonly [string, ...string[]], options: ChildOptions = {}): Promise<Ended> {
  const ended = await run(command, options);
  if (ended.code === 0) return ended;
  throw new Error(`${command.join(' ')} ended with ${ended.code}:\n${ended.stdout.slice(-2000)}${ended.stderr.slice(-4000)}`);
}

/** What a child took, its own children that are Node included: npx, CLI and app. */
export interface Weighed extends Ended {
  /** Of all together. */
  readonly cpuSeconds: number;
  /** RSS of the largest. */
  readonly peakMiB: number;
}

/**
 * As `runWell`, with CPU time and memory.
 * @param folder to keep notes in
 */
export async function runWeighed(
  command: readonly [string, ...string[]],
  { folder, ...options }: ChildOptions & { readonly folder: string },
): Promise<Weighed> {
  const notes = join(folder, 'notes');
  await rm(notes, { recursive: true, force: true });
  await mkdir(notes, { recursive: true });
  const preload = `--import=${JSON.stringify(join(import.meta.dirname, 'note-usage.ts'))}`;
  const ended = await runWell(command, { ...options, env: { ...options.env, NODE_OPTIONS: preload, GALA_BENCH_NOTES: notes } });
  const used = await Promise.all(
    (await readdir(notes)).map(async (file) => JSON.parse(await readFile(join(notes, file), 'utf8')) as NodeJS.ResourceUsage),
  );
  if (used.length === 0) throw new Error(`${command.join(' ')}: no process noted what it took`);
  return {
    ...ended,
    // Node gives microseconds, and KiB on every system.
    cpuSeconds: used.reduce((sum, { userCPUTime, systemCPUTime }) => sum + userCPUTime + systemCPUTime, 0) / 1e6,
    peakMiB: Math.max(...used.map(({ maxRSS }) => maxRSS)) / 1024,
  };
}
