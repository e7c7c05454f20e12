/** `gala snapshot`: saves what the other commands ask, to be asked later or elsewhere. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readWorld } from '../scheduling/read-world.ts';
import { saveSnapshot } from '../scheduling/snapshot.ts';
import { counted } from './amount.ts';
import { type ClusterOptions, clusterOptions, inCluster } from './cluster.ts';
import { tellUnread } from './facts.ts';
import type { Declare } from './main.ts';
import { BadInput, type ExitCode, say } from './output.ts';

interface Options extends ClusterOptions {
  readonly output: string;
}

export const declare: Declare = (command, end) => {
  command.option('-o, --output <file>', 'where to; - is standard output', '-');
  clusterOptions(command)
    .addHelpText('after', '\nExamples:\n  gala snapshot -o monday.json\n  gala stock -f examples/feed.yaml --snapshot monday.json')
    .action(async (options) => end(await snapshot(options)));
};

async function snapshot(options: Options): Promise<ExitCode> {
  return inCluster({ ...options, command: 'snapshot' }, async ({ api }): Promise<ExitCode> => {
    const world = await readWorld(api);
    tellUnread(world);
    const text = saveSnapshot({ ...world, cluster: api.url });
    if (options.output === '-') process.stdout.write(text);
    else save(options.output, text);
    const count = (kind: 'Node' | 'Pod' | 'Lock') => world.inventory.objects(kind).size;
    say(`${counted(count('Node'), 'node')}, ${counted(count('Pod'), 'pod')}, ${counted(count('Lock'), 'Lock')} of ${api.url}`);
    return 0;
  });
}

/** Whole or not at all: a file that was cut short would be somebody's capacity plan. */
function save(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new BadInput(`-o ${path}: it can't be written: ${(cause as Error).message}. Name a file in a folder that is yours.`, { cause });
  }
}
