/** One process at a time gets parts: two builds of the same at once would take twice the hour. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './parts.ts';
import { start, until } from './process.ts';

/** Longer than the longest build. */
const LOCK_SECONDS = 70 * 60;
const HELD = 'held';

/**
 * Runs `act` while nobody else does on this machine. The lock is the kernel's and ends with its holder: none is ever left over.
 * @param waits called when somebody else has it
 */
export async function alone<T>(waits: () => void, act: () => Promise<T>): Promise<T> {
  mkdirSync(cacheFolder(), { recursive: true });
  const folder = mkdtempSync(join(cacheFolder(), '.lock-'));
  const file = join(cacheFolder(), 'lock');
  const lock = start('flock', ['flock', '--no-fork', file, 'sh', '-c', `echo ${HELD}; exec sleep infinity`], join(folder, 'log'));
  const waiting = setTimeout(waits, 2_000);
  try {
    await until('alone', lock, LOCK_SECONDS, async () => lock.log().includes(HELD));
    clearTimeout(waiting);
    return await act();
  } finally {
    clearTimeout(waiting);
    await lock.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
