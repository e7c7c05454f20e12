/**
 * Kills: pods come and go through the shim, by eight at a time, and the agent is killed by -9 at any moment; the real processes, files
 * and kernel of this machine. At the end nothing may be left on the host or in the journal.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WIRED } from '../../../lib/api/network.ts';
import type { Dice } from '../../scheduling/dice.ts';
import { aStand, ip, locksOf, type Netns, type Stand } from './a-stand.ts';
import type { KnownAlone } from './agent-alone.ts';

export interface Killed {
  readonly rounds: number;
  readonly kills: number;
  readonly added: number;
  readonly refused: number;
}

const PODS = 8;
const ADDRESSES = Object.fromEntries(Array.from({ length: PODS }, (_, at) => [`pod-${at}`, `10.110.0.${130 + at}`]));

/** Half of them the lock writer has given so that nothing is written before a link. */
const GIVEN = Object.fromEntries(
  Object.values(ADDRESSES).flatMap((ip, at) =>
    at % 2 === 0
      ? []
      : [[ip, { conditions: [{ type: WIRED, status: 'Unknown', reason: 'Given', lastTransitionTime: '2026-11-27T00:00:00Z' }] }]],
  ),
) as KnownAlone['statuses'];

/** Rejects with what was on two links, or left. */
export async function killed(chance: Dice, rounds: number, say: (line: string) => void = () => {}): Promise<Killed> {
  const stand = await aStand();
  const counts = { kills: 0, added: 0, refused: 0 };
  try {
    stand.known('MacVlan', { locks: locksOf(ADDRESSES), statuses: GIVEN });
    const before = names(stand.host);
    for (let round = 0; round < rounds; round++) {
      const all = await Promise.all([...Object.keys(ADDRESSES).map((pod) => onePod(stand, pod, chance)), kill(stand, chance)]);
      for (const netns of all) if (netns) remove(netns);
      await taken(stand, before, `round ${round}`);
      if (round % 50 === 49) say(`${round + 1} of ${rounds} rounds: ${JSON.stringify(counts)}`);
    }
    return { rounds, ...counts };
  } finally {
    stand.stop();
  }

  async function kill(one: Stand, dice: Dice): Promise<undefined> {
    await new Promise((resolve) => setTimeout(resolve, dice.upTo(150)));
    await one.restart('SIGKILL');
    counts.kills++;
  }

  /** As containerd does: a namespace, ADD, and DEL until it succeeds. */
  async function onePod(one: Stand, pod: string, dice: Dice): Promise<Netns> {
    await new Promise((resolve) => setTimeout(resolve, dice.upTo(100)));
    const netns = one.aNetns();
    const { code, out } = await one.calling({ verb: 'ADD', netns, pod });
    if (code === 0) {
      counts.added++;
      if (out.ips[0].address !== `${ADDRESSES[pod]}/24`) throw new Error(`${pod} has ${out.ips[0].address}, not ${ADDRESSES[pod]}`);
    } else counts.refused++;
    for (let tries = 0; (await one.calling({ verb: 'DEL', netns, pod })).code !== 0; tries++)
      if (tries > 20) throw new Error(`${pod}: DEL failed 20 times`);
    return netns;
  }
}

const names = (netns: string): string =>
  (JSON.parse(ip('-n', netns, '-j', 'link') || '[]') as { ifname: string }[])
    .map(({ ifname }) => ifname)
    .sort()
    .join(' ');

function remove(netns: Netns): void {
  const left = names(netns.name);
  if (left !== 'lo') throw new Error(`${netns.name} has ${left} after DEL`);
  ip('netns', 'del', netns.name);
}

/** What came as a tombstone is done by the agent that was begun after it. */
async function taken(stand: Stand, before: string, when: string): Promise<void> {
  const left = () =>
    [names(stand.host) === before ? '' : names(stand.host), ...readdirSync(join(stand.folder, 'journal'))].filter((one) => one !== '');
  for (let tries = 0; left().length > 0; tries++) {
    if (tries > 100) throw new Error(`${when}: left ${left().join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
