/** What a command prints, in the form that was asked for. */
import { stringify } from 'yaml';

export type Format = 'text' | 'json' | 'yaml';

/** @param text the same for people */
export function print(format: Format, data: unknown, text: () => string): void {
  const shown = format === 'json' ? JSON.stringify(data, null, 2) : format === 'yaml' ? stringify(data).trimEnd() : text();
  if (shown !== '') process.stdout.write(`${shown}\n`);
}

/** Asked for what isn't there or can't be: where, what, remedy. Ends with exit code 2. */
export class BadInput extends Error {}
