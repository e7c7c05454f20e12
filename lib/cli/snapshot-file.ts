/** A snapshot that was saved, read back. */
import { readFileSync } from 'node:fs';
import { sentence } from '../api/problem.ts';
import { readSnapshot, type Snapshot } from '../scheduling/snapshot.ts';
import { BadInput } from './output.ts';

/** @throws {BadInput} with all that is wrong with the file */
export function readSnapshotFile(path: string): Snapshot {
  const { snapshot, problems } = readSnapshot(contents(path));
  if (snapshot === undefined) throw new BadInput(problems.map((problem) => `${path}: ${sentence(problem)}`).join('\n'));
  return snapshot;
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'there is no such file' : `it can't be read: ${(cause as Error).message}`;
    throw new BadInput(`${path}: ${what}. Name a file that gala snapshot has saved: gala snapshot -o ${path} saves one.`, { cause });
  }
}
