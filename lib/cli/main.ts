/**
 * `gala`: the terminal's end of Gala. Reads folders that synth wrote; needs no cluster.
 * Exit codes: 0 done · 2 bad input · 3 refused · 4 not now.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { diff } from './diff.ts';
import { images } from './images.ts';
import { BadInput } from './output.ts';

const WHERE_NOTE = 'Run it where `dist/` is, or name the folder with --dist.';

/**
 * @param args what follows `gala`
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  let code = 0;
  const gala = new Command('gala')
    .description('Capacity you can ask for, lock, and release in place.')
    .version(version(), '-V, --version', 'the version of the package')
    .exitOverride()
    .showHelpAfterError('(gala --help tells more)');
  const output = () => new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'yaml']).default('text');
  gala
    .command('images')
    .description('What to mirror: each image, where it is published and where clusters pull it.')
    .argument('[cluster...]', 'clusters by name; all when left out')
    .option('--dist <folder>', 'what synth wrote', 'dist')
    .addOption(output())
    .addHelpText('after', `\n${WHERE_NOTE}`)
    .action((clusters, options) => {
      code = images(clusters, options);
    });
  gala
    .command('diff')
    .description('What applying a synth would do to a cluster that has an earlier one: rolls, restarts, refusals, prunes.')
    .argument('<cluster>', 'cluster by name')
    .requiredOption('--against <folder>', 'the earlier synth: the folder of this cluster, or of all')
    .option('--dist <folder>', 'what synth wrote', 'dist')
    .addOption(output())
    .addHelpText('after', '\nExit code 3: the API server would refuse some of it.')
    .action((cluster, options) => {
      code = diff(cluster, options);
    });
  try {
    await gala.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof BadInput)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

/** Of the package: two folders up from the source (lib/cli/) and from the bundle (build/bin/). */
function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
