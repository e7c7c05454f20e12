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
    throw new BadInput(`${path}: it can't be read: ${(cause as Error).message}. Name a file that gala snapshot has saved.`, { cause });
  }
}
