/** Area `network`: what wiring a pod costs. Now the CNI shim, beside a program that does nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stageRoot } from '../../tools/image-root.ts';
import { defineArea, type Tools } from '../area.ts';
import { REPOSITORY, runWell } from '../child.ts';
import { median } from '../row.ts';

const NOTHING = 'a static C program that does nothing';
const TURNS = 7;
/** In each turn, of each program. */
const CALLS = 200;

export const network = defineArea({
  name: 'network',
  doc: 'the CNI shim; needs gcc and a static C library',
  figures: {
    shim: { what: "the CNI shim, an ADD, without the agent's own time", unit: 'ms', bar: { must: '≤', than: 2 }, peer: NOTHING },
    shimMemory: { what: 'the CNI shim, peak memory of an ADD', unit: 'MB', bar: { must: '≤', than: 2 }, peer: NOTHING },
  },
  async measure(tools) {
    const { calls, socket, shim, nothing } = await programs(tools);
    const ms = { runs: [] as number[], peer: [] as number[] };
    const megabytes = { runs: [] as number[], peer: [] as number[] };
    for (let turn = 1; turn <= TURNS; turn++) {
      const ours = await calls(shim, socket);
      const theirs = await calls(nothing, '-');
      ms.runs.push(ours.ms);
      ms.peer.push(theirs.ms);
      megabytes.runs.push(ours.megabytes);
      megabytes.peer.push(theirs.megabytes);
      tools.say(`turn ${turn} of ${TURNS}: ${ours.ms.toFixed(2)} ms, ${NOTHING} ${theirs.ms.toFixed(2)} ms`);
    }
    return { shim: ms, shimMemory: megabytes };
  },
});

interface Called {
  /** Median of a call. */
  readonly ms: number;
  /** Of the largest. */
  readonly megabytes: number;
}

async function programs({ folder }: Tools) {
  stageRoot('shim', join(folder, 'stage'));
  const source = (name: string) => join(REPOSITORY, 'test/bench/areas/network', `${name}.c`);
  const compiled = async (name: string) => {
    await runWell(['gcc', '-std=gnu11', '-Os', '-static', '-s', '-o', join(folder, name), source(name)]);
    return join(folder, name);
  };
  const [runner, nothing] = [await compiled('calls'), await compiled('nothing')];
  const [socket, config] = [join(folder, 'cni.sock'), join(folder, 'config.json')];
  writeFileSync(config, JSON.stringify({ cniVersion: '1.1.0', name: 'gala', type: 'gala', socket }));
  const calls = async (program: string, socket: string): Promise<Called> => {
    const { stdout } = await runWell([runner, `${CALLS}`, config, socket, program]);
    // Microseconds of the call, of them the agent's, and KiB. Until it is the program, a child has the memory of `calls`
    // (posix_spawn shares it), so no value is below that of a small static program.
    const all = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number) as [number, number, number]);
    return {
      ms: median(all.map(([took, ofAgent]) => took - ofAgent)) / 1000,
      megabytes: (Math.max(...all.map(([, , kib]) => kib)) * 1024) / 1e6,
    };
  };
  return { calls, socket, shim: join(folder, 'stage/shim/gala'), nothing };
}
