/** Child processes for tests of the bed: jest on a sample, and the bed's command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Below the time limits of the tests that run them: none outlives its test. */
const LIMIT = { timeout: 55_000, killSignal: 'SIGKILL' } as const;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** This process's environment without what decides about the bed. */
export function environment(changes: Record<string, string>): NodeJS.ProcessEnv {
  const { GALA_BED: _required, GALA_BED_BIN: _bin, ...rest } = process.env;
  return { ...rest, ...changes };
}

export const bed = (args: readonly string[], env: NodeJS.ProcessEnv, seconds = LIMIT.timeout / 1000): Promise<Ran> =>
  ended(spawn(process.execPath, ['test/bed/main.ts', ...args], { cwd: ROOT, env, ...LIMIT, timeout: seconds * 1000 }));

/** Jest, in one process, on `samples/<name>.sample.ts`. */
export function jestOn(name: string, env: NodeJS.ProcessEnv, seconds = LIMIT.timeout / 1000): ChildProcess {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--runInBand', '--json'];
  return spawn(process.execPath, [...jest, '--testMatch', `<rootDir>/test/bed/samples/${name}.sample.ts`], {
    ...{ cwd: ROOT, env, ...LIMIT },
    timeout: seconds * 1000,
  });
}

export function ended(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
