/** What a command prints, in the form that was asked for, and how it ends when it can't. */
import { Option } from 'commander';

export type Format = 'text' | 'json' | 'yaml';

export const outputOption = () =>
  new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'yaml']).default('text' satisfies Format);

/** @param text the same for people; may take a moment to make, so it is asked for only when it is shown */
export async function print(format: Format, data: unknown, text: () => string): Promise<void> {
  const shown = format === 'json' ? JSON.stringify(data, null, 2) : format === 'yaml' ? await asYaml(data) : text();
  if (shown !== '') process.stdout.write(`${shown}\n`);
}

async function asYaml(data: unknown): Promise<string> {
  // Only where it is wanted: reading the library takes longer than most commands.
  const { stringify } = await import('yaml');
  // Through JSON first: the two formats say the same, whatever a value may be besides data.
  return stringify(JSON.parse(JSON.stringify(data))).trimEnd();
}

/** For people, beside the answer: progress, where it comes from, warnings. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** 0 done · 2 bad input · 3 refused · 4 not now: the same for every command. */
export type ExitCode = 0 | 2 | 3 | 4;

/** Ends a command with one or more sentences on stderr: where, what, remedy. */
export class Ended extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Asked for what isn't there or can't be. */
export class BadInput extends Ended {
  constructor(message: string, options?: ErrorOptions) {
    super(2, message, options);
  }
}

/** An ordinary no: asking again in the same way gets the same answer. */
export class Refused extends Ended {
  constructor(message: string, options?: ErrorOptions) {
    super(3, message, options);
  }
}

/** It may work later: nobody answers, or not in time. */
export class NotNow extends Ended {
  constructor(message: string, options?: ErrorOptions) {
    super(4, message, options);
  }
}
