/** What programs take as flags, what all of them take, and how one begins. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { type Api, connect } from './client.ts';
import { type Level, type Log, logger } from './log.ts';
import { packageVersion } from './package-version.ts';
import { program } from './program.ts';

interface Common {
  readonly kubeconfig?: string;
  readonly logLevel: Level;
}

/**
 * Adds `--kubeconfig` and `--log-level`; when the command is asked for it runs until it is told to stop.
 * @param name also its user agent, with the version of the package
 */
export function runs<O>(
  command: Command,
  name: string,
  main: (api: Api, options: O, signal: AbortSignal, log: Log) => Promise<void>,
): Command {
  return command
    .option('--kubeconfig <file>', "how to reach the API server; the pod's own account when left out")
    .addOption(new Option('--log-level <level>', 'how much it tells').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .action(async ({ kubeconfig, logLevel, ...options }: O & Common) => {
      await program({
        name,
        log: logger({ level: logLevel }),
        main: async (signal, log) =>
          main(await connect({ kubeconfig, userAgent: `${name}/${packageVersion()}` }), options as O, signal, log),
      });
    });
}

export function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('A port is 0 to 65535; 0 takes any free one.');
}

export function seconds(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of seconds, 1 or more.');
}
