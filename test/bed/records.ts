/**
 * What runs, on disk: each bed has a folder with its data and the pids of its processes, so that the next start can clear
 * away what a crash left. A pid counts together with its start time: pids are handed out again.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './parts.ts';

export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks from boot to the process's start (proc(5)). */
  readonly startTime: string;
}

export interface BedRecord {
  /** The process without which nobody needs the bed. */
  readonly owner: ProcessId;
  readonly processes: readonly ProcessId[];
}

const RECORD = 'bed.json';
export const runFolder = () => join(cacheFolder(), 'run');

/** The process as it runs now, or undefined when there is none (a zombie is none). */
export function processId(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything: count after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[19] === undefined ? undefined : { pid, startTime: fields[19] };
  } catch {
    return undefined;
  }
}

export const alive = ({ pid, startTime }: ProcessId): boolean => processId(pid)?.startTime === startTime;

let made = 0;

/** A new folder for a bed of this process, recorded before anything is started in it. */
export function newFolder(): string {
  const self = processId(process.pid);
  if (!self) throw new Error('the bed needs Linux: /proc has no entry for this process');
  const folder = join(runFolder(), `${process.pid}-${self.startTime}-${++made}`);
  // Its keys and token are this user's alone.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  write(folder, { owner: self, processes: [] });
  return folder;
}

/** Notes the processes that run for the bed in `folder`. */
export function note(folder: string, pids: readonly number[]): void {
  const self = processId(process.pid) as ProcessId;
  write(folder, { owner: self, processes: pids.map(processId).filter((id) => id !== undefined) });
}

/** Ends what is left of beds whose owner is gone, and removes their folders. Answers how many there were. */
export function sweep(): number {
  let swept = 0;
  for (const folder of folders()) {
    const record = read(folder);
    if (!record || alive(record.owner)) continue;
    for (const left of record.processes) if (alive(left)) process.kill(left.pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    swept++;
  }
  return swept;
}

export function folders(): string[] {
  try {
    return readdirSync(runFolder()).map((name) => join(runFolder(), name));
  } catch {
    return [];
  }
}

export function read(folder: string): BedRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, RECORD), 'utf8'));
  } catch {
    return undefined; // another process is about to write it, or has just removed it
  }
}

function write(folder: string, record: BedRecord): void {
  const file = join(folder, RECORD);
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
