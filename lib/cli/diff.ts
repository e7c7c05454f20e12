/** `gala diff <cluster> --against <folder>`: what applying a synth would do to a cluster that has an earlier one. */
import { expand } from '../api/nodeset.ts';
import { diffExitCode, diffSynth, diffText } from '../gate/diff.ts';
import { readSynth, type Synth } from '../gate/read-synth.ts';
import { earlierOf, folderOf } from './dist.ts';
import { BadInput, type Format, print } from './output.ts';

/** @returns 3 when the API server would refuse something, else 0 */
export function diff(cluster: string, options: { against: string; dist: string; output: Format }): number {
  const before = read(earlierOf(cluster, options.against));
  const after = read(folderOf(cluster, options.dist));
  const found = diffSynth(before, after, { nodes: hostsIn(after) });
  print(options.output, found, () => diffText(found).trimEnd());
  return diffExitCode(found);
}

function read(folder: string): Synth {
  const synth = readSynth(folder);
  const [wrong] = synth.problems;
  if (wrong === undefined) return synth;
  throw new BadInput(
    `${folder}/${wrong.file}: line ${wrong.line}: ${wrong.message}; YAML is expected. Run the synth again: nobody edits rendered files.`,
  );
}

/** Racked hosts of all pools; undefined where instances come and go. */
function hostsIn({ objects }: Synth): number | undefined {
  const pools = objects
    .filter(({ object }) => object.kind === 'HostPool')
    .map(({ object }) => object.spec as { intranet?: { racks: { hosts: string }[] } });
  if (pools.length === 0 || pools.some(({ intranet }) => intranet === undefined)) return undefined;
  return pools.reduce((sum, { intranet }) => sum + intranet!.racks.reduce((hosts, rack) => hosts + expand(rack.hosts).length, 0), 0);
}
