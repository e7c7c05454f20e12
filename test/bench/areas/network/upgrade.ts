/** The agent is replaced, as its DaemonSet does it, while fifty pods start: how many of them are lost, and how long it takes. */
import type { Measured, Tools } from '../../area.ts';
import type { Host, Stand } from './stand.ts';
import { BURST } from './wired.ts';

const TURNS = 5;

export interface Upgrade {
  /** ADDs that were not answered with a result. The kubelet would try those again. */
  readonly lost: Measured;
  /** Seconds until the last one was answered; of the peer without that the agent is replaced. */
  readonly seconds: Measured;
}

export async function upgrade({ onVlan: host, shimFor }: Stand, { say }: Tools): Promise<Upgrade> {
  const lost: number[] = [];
  const seconds = { runs: [] as number[], peer: [] as number[] };
  for (let turn = 0; turn < TURNS; turn++) {
    const left = await started(host, shimFor);
    seconds.peer.push(left.seconds);
    // Each turn ends it at another moment of the burst.
    const found = await started(host, shimFor, (left.seconds * 1000 * (turn + 1)) / (TURNS + 1));
    seconds.runs.push(found.seconds);
    lost.push(found.failures.length);
    say(`the agent was replaced: ${found.failures.length} of ${BURST} pod starts lost ${found.failures[0] ?? ''}`);
  }
  return { lost: { runs: lost }, seconds };
}

/** @param replaceAfterMs when the agent is told to end; undefined: never */
async function started(host: Host, shimFor: Stand['shimFor'], replaceAfterMs?: number) {
  const spaces = Array.from({ length: BURST }, () => host.aNetns());
  const failures: string[] = [];
  const began = performance.now();
  const replaced =
    replaceAfterMs === undefined ? undefined : new Promise((resolve) => setTimeout(resolve, replaceAfterMs)).then(host.replaceAgent);
  await Promise.all(
    spaces.map((netns, pod) => host.call('ADD', netns, shimFor(pod)).catch((error: Error) => void failures.push(error.message))),
  );
  const seconds = (performance.now() - began) / 1000;
  await replaced;
  await Promise.all(spaces.map((netns, pod) => host.call('DEL', netns, shimFor(pod))));
  for (const netns of spaces) host.remove(netns);
  return { failures, seconds };
}
