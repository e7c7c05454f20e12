/** Tombstones: what the shim left of each DEL while there was no agent. Done now, and then gone. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Log, reasonOf } from '../../kube/log.ts';
import type { Agent } from './agent.ts';
import { callOf, isCniError } from './call.ts';

/** Larger than any call of the shim. */
const LONGEST = 2 * 1024 * 1024;

/** @param folder may be missing */
export async function bury(folder: string, agent: Pick<Agent, 'del'>, log: Log): Promise<void> {
  for (const name of names(folder)) {
    const path = join(folder, name);
    try {
      const text = readFileSync(path, 'utf8');
      const call = text.length > LONGEST ? undefined : callOf(text);
      if (call === undefined || isCniError(call) || call.verb !== 'DEL' || call.sandbox === undefined)
        log.warn('a tombstone says nothing that can be done', { path });
      else await agent.del(call.sandbox);
      rmSync(path, { force: true });
    } catch (error) {
      // It stays, and the next round tries again.
      log.warn('a DEL that came while the agent was away is not done yet', { path, because: reasonOf(error) });
    }
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
