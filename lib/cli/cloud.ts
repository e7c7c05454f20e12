/** `gala cloud`: the program of a cluster, and `gala cloud status`, which says how far it is. */
import { declare as declareProgram } from '../cloud/program.ts';
import { cloudStatus } from './cloud-status.ts';
import { clusterOptions, leaseOptions } from './cluster.ts';
import type { Declare } from './main.ts';
import { outputOption } from './output.ts';

export const declare: Declare = (command, end) => {
  // Both have --kubeconfig: what stands after `status` is its own.
  for (const each of [command, command.parent]) each?.enablePositionalOptions();
  const status = declareProgram(command)
    .command('status')
    .description('How far gala cloud is: instances, ENIs, what EC2 refuses, what is left of its budget.')
    .addOption(outputOption())
    .addHelpText('after', '\nExit code 4: something is on its way, or nobody has looked lately; 3: somebody has to act.')
    .action(async (options) => end(await cloudStatus(options)));
  leaseOptions(clusterOptions(status));
  // Commander asks for a command's mandatory options before its subcommands run too; status needs none of them.
  command.hook('preSubcommand', () => {
    for (const option of command.options) option.makeOptionMandatory(false);
  });
};
