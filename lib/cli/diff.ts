/** `gala diff <cluster> --against <folder>`: what applying a synth would do to a cluster that has an earlier one. */
import { diffExitCode, diffSynth, diffText } from '../gate/diff.ts';
import { readSynth, type Synth } from '../gate/read-synth.ts';
import { earlierOf, folderOf } from './dist.ts';
import { BadInput, type Format, print } from './output.ts';

/** @returns 3 when the API server would refuse something, else 0 */
export function diff(cluster: string, options: { against: string; dist: string; output: Format }): number {
  const after = read(folderOf(cluster, options.dist)); // first: a mistyped name is no fault of the earlier folder
  const before = read(earlierOf(cluster, options.against));
  const found = diffSynth(before, after);
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
