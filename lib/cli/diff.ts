/** `gala diff <cluster> --against <folder>`: what applying a synth would do to a cluster that has an earlier one. */
import { diffExitCode, diffSynth, diffText } from '../gate/diff.ts';
import { readSynth, type Synth } from '../gate/read-synth.ts';
import { earlierOf, folderOf } from './dist.ts';
import type { Declare } from './main.ts';
import { BadInput, type Format, outputOption, print } from './output.ts';

export const declare: Declare = (command, end) =>
  command
    .argument('<cluster>', 'cluster by name')
    .requiredOption('--against <folder>', 'the earlier synth: the folder of this cluster, or of all')
    .option('--dist <folder>', 'what synth wrote', 'dist')
    .addOption(outputOption())
    .addHelpText('after', '\nExit code 3: the API server would refuse some of it.')
    .action(async (cluster, options) => end(await diff(cluster, options)));

/** @returns 3 when the API server would refuse something, else 0 */
async function diff(cluster: string, options: { against: string; dist: string; output: Format }): Promise<number> {
  const after = read(folderOf(cluster, options.dist)); // first: a mistyped name is no fault of the earlier folder
  const before = read(earlierOf(cluster, options.against));
  const found = diffSynth(before, after);
  await print(options.output, found, () => diffText(found).trimEnd());
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
