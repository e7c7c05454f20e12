/** Processes of this machine whose command line names a folder: those of a node that were started in it. */
import { readdirSync, readFileSync } from 'node:fs';

export function processesIn(folder: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => commandLine(pid).includes(`${folder}/`));
}

/** Empty for one that has ended, a zombie too. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
