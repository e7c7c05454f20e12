/** What programs take as flags, and say when it is none. */
import { InvalidArgumentError } from 'commander';

export function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('A port is 0 to 65535; 0 takes any free one.');
}

export function seconds(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of seconds, 1 or more.');
}
