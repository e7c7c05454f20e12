/**
 * Parts that are Python's: an environment of their own, which pip fills with pinned versions. The program that starts the part is put
 * in place last, so that an environment that was left half filled is none.
 */
import { execFile } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** On two busy cores; idle ones take half a minute. */
const LIMIT_MS = 10 * 60_000;

/** By which Debian's own Python is found before any that stands earlier on the path: its venv module is the package that doctor names. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/**
 * Installs what `requirements` pins into `<folder>/<name>-python`, and the program `<folder>/<name>` that runs its server.
 * Rejects with a sentence that says why not.
 * @param requirements beside this file
 */
export async function installByPip(requirements: string, folder: string, name: string): Promise<void> {
  const environment = join(folder, `${name}-python`);
  rmSync(environment, { recursive: true, force: true });
  try {
    await venv(environment);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--requirement'];
    await bounded(join(environment, 'bin/python'), [...pip, fileURLToPath(new URL(requirements, import.meta.url))]);
  } catch (error) {
    rmSync(environment, { recursive: true, force: true });
    throw error;
  }
  const half = join(folder, `.${name}`);
  // By its module: the scripts that pip writes hold the path of the environment.
  writeFileSync(half, `#!/bin/sh\nexec "$(dirname "$0")/${name}-python/bin/python" -m ${name}.server "$@"\n`, { mode: 0o755 });
  renameSync(half, join(folder, name));
}

async function venv(environment: string): Promise<void> {
  let why = '';
  for (const python of PYTHONS) {
    try {
      return await bounded(python, ['-m', 'venv', environment]);
    } catch (error) {
      why ||= (error as Error).message;
      rmSync(environment, { recursive: true, force: true });
    }
  }
  throw new Error(`there is no Python that makes environments (${why}). Install it with \`apt-get install python3-venv\``);
}

async function bounded(program: string, args: readonly string[]): Promise<void> {
  try {
    await run('setpriv', ['--pdeathsig', 'KILL', 'nice', program, ...args], { timeout: LIMIT_MS, killSignal: 'SIGKILL' });
  } catch (cause) {
    const { killed, stderr = '', stdout = '', message } = cause as { killed?: boolean; stderr?: string; stdout?: string; message: string };
    const said = (stderr.trim() || stdout.trim() || message).split('\n').slice(-3).join(' · ');
    throw new Error(killed ? `${args[1]} was ended after ${LIMIT_MS / 60_000} min` : said, { cause });
  }
}
