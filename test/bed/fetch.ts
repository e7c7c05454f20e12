/**
 * Gets the parts that this machine has not: the official release, else a build from Go modules; Python's by pip. One process at a time does it,
 * the others wait for what it brings; every part is put in place whole, and one that can't be had comes with its reasons.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, buildOf } from './build.ts';
import { download, releaseOf } from './download.ts';
import { alone } from './lock.ts';
import { find, folderOf, type Part, type PartName, partNamed, remedy } from './parts.ts';
import { installByPip } from './venv.ts';

export interface Fetched {
  readonly part: PartName;
  readonly result: 'was here' | 'downloaded' | 'built' | 'installed' | 'not had';
  /** What was tried, when nothing worked. */
  readonly why?: readonly string[];
}

export const toStderr = (line: string): void => void process.stderr.write(`bed: ${line}\n`);

/** Gets each part, and says on the way what takes long. Rejects never for a part: see `result`. */
export async function fetchParts(names: readonly PartName[], say: (line: string) => void = toStderr): Promise<Fetched[]> {
  if (names.every((name) => find(name))) return names.map((part) => ({ part, result: 'was here' }));
  return await alone(
    () => say('another process is getting parts: waiting for it'),
    async () => {
      const fetched: Fetched[] = [];
      const failed = new Map<string, string>(); // a program that carries several parts fails once
      for (const part of names) fetched.push(find(part) ? { part, result: 'was here' } : await fetchPart(part, failed, say));
      return fetched;
    },
  );
}

async function fetchPart(name: PartName, failed: Map<string, string>, say: (line: string) => void): Promise<Fetched> {
  const part: Part = partNamed(name);
  // What this machine's own package manager brings is not put beside it.
  if (part.program !== undefined) {
    say(`${name} is not on this machine. ${remedy([name])}`);
    return { part: name, result: 'not had', why: [remedy([name])] };
  }
  const why: string[] = [];
  clean(folderOf(part));
  if (part.requirements !== undefined) {
    try {
      await installByPip(part.requirements, folderOf(part), name);
      say(`installed ${name} ${part.version}`);
      return { part: name, result: 'installed' };
    } catch (error) {
      const failure = `pip: ${(error as Error).message}`;
      say(`${name} ${part.version} can't be had: ${failure}`);
      return { part: name, result: 'not had', why: [failure] };
    }
  }

  const release = releaseOf(part);
  if (release) {
    try {
      await download(release, join(folderOf(part), name));
      say(`downloaded ${name} ${part.version}`);
      return { part: name, result: 'downloaded' };
    } catch (error) {
      why.push(`release: ${(error as Error).message}`);
    }
  }

  const how = buildOf(part);
  let failure = failed.get(how.program);
  if (!failure) {
    try {
      clean(folderOf(how));
      await build(how, join(folderOf(how), how.program), say);
      return { part: name, result: 'built' };
    } catch (error) {
      failure = `build: ${(error as Error).message}`;
      failed.set(how.program, failure);
    }
  }
  why.push(failure);
  say(`${name} ${part.version} can't be had: ${why.join('; ')}`);
  return { part: name, result: 'not had', why };
}

/** Makes a folder of the cache, or rids it of what a killed run left half done: this process has the lock, so nobody works there. */
function clean(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const half = readdirSync(folder).filter((name) => name.startsWith('.'));
  for (const name of half) rmSync(join(folder, name), { recursive: true, force: true });
}
