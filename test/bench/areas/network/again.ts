/**
 * Delete and create on the same lock: the pod that takes the place of another has its IP and its MAC, and who had its ARP entry is
 * answered on the first packet. The same is asked of the reference plugins, given the same IP.
 */
import { execFileSync } from 'node:child_process';
import type { Measured, Tools } from '../../area.ts';
import { addressOf, chainAddressOf, chainFor, compiledTraffic, type Host, macOf, type Plugin, type Stand } from './stand.ts';
import { trafficOf } from './traffic.ts';

/** In each turn. */
export const TIMES = 10;
const TURNS = 3;
const [POD, NEIGHBOUR] = [3, 90];

/** @returns how often in each turn another IP or MAC came, or the first packet was not answered */
export async function again({ onVlan: host, shimFor, replacePod }: Stand, { folder, say }: Tools): Promise<Measured> {
  const { first } = trafficOf(await compiledTraffic(folder));
  const neighbour = host.aNetns();
  // Of the reference plugins, for both: what is asked is how a peer that Gala has nothing to do with finds the pod.
  await host.call('ADD', neighbour, chainFor(NEIGHBOUR));
  const from = { host, netns: neighbour, ip: chainAddressOf(NEIGHBOUR) };
  const cached = (ip: string) => {
    const all = JSON.parse(execFileSync('ip', ['-n', neighbour, '-j', 'neigh', 'show', 'to', ip], { encoding: 'utf8' }) || '[]');
    return (all as { lladdr?: string }[])[0]?.lladdr;
  };

  async function wrong(plugin: () => Plugin, ip: string, mac: string | undefined, replaced: () => Promise<void>): Promise<number> {
    let count = 0;
    for (let time = 0; time < TIMES; time++) {
      const before = await aPod(host, plugin());
      await first(from, ip);
      const known = cached(ip);
      if (known === undefined || !before.macs.includes(known)) throw new Error(`the neighbour has ${known} for ${ip}, not ${before.macs}`);
      await before.remove();
      await replaced();
      const after = await aPod(host, plugin());
      const isSame = after.ips.includes(`${ip}/23`) && (mac === undefined || (after.macs.includes(mac) && known === mac));
      // The entry is as it was: it is not asked for by ARP before the packet goes.
      if (!isSame || !(await first(from, ip))) count++;
      await after.remove();
      await replaced();
    }
    return count;
  }

  const counts = { runs: [] as number[], peer: [] as number[] };
  for (let turn = 0; turn < TURNS; turn++) {
    counts.runs.push(
      await wrong(
        () => shimFor(POD),
        addressOf(POD),
        macOf(POD),
        () => replacePod(POD),
      ),
    );
    counts.peer.push(
      await wrong(
        () => chainFor(POD),
        chainAddressOf(POD),
        undefined,
        async () => {},
      ),
    );
  }
  say(`delete and create on one lock: ${counts.runs} wrong of ${TIMES}, the reference plugins ${counts.peer}`);
  await host.call('DEL', neighbour, chainFor(NEIGHBOUR));
  host.remove(neighbour);
  return counts;
}

async function aPod(host: Host, plugin: Plugin) {
  const netns = host.aNetns();
  const { out } = await host.call('ADD', netns, plugin);
  const result = JSON.parse(out) as { interfaces: { mac: string }[]; ips: { address: string }[] };
  return {
    ips: result.ips.map(({ address }) => address),
    macs: result.interfaces.map(({ mac }) => mac),
    async remove() {
      await host.call('DEL', netns, plugin);
      host.remove(netns);
    },
  };
}
