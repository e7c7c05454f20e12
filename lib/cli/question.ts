/** How slots shall lie: the options that `gala stock` and `gala lock` share, and what is wrong with them, all at once. Pure. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { type Ask, LEVELS, type Level } from '../scheduling/types.ts';

export interface QuestionOptions {
  readonly strategy: Ask['strategy'];
  /** `rack=30%`, `node=2,rack=30%`. */
  readonly maxPer?: readonly string[];
  readonly near?: string;
}

export type Question = Pick<Ask, 'strategy' | 'maxPer' | 'near'>;

/** Adds `--strategy`, `--max-per` and `--near`. */
export const questionOptions = (command: Command): Command =>
  command
    .addOption(new Option('--strategy <name>', 'how slots lie').choices(['spread', 'concentrate']).default('spread'))
    .option('--max-per <place=cap>', `at most so many on one ${LEVELS.join(', ')}: rack=30%, node=2; may be repeated`, collected)
    .option('--near <datacenter>', 'the datacenter to fill first');

/** For options that may be repeated, or hold several values between commas. */
export const collected = (value: string, before: readonly string[] = []): string[] => [...before, ...value.split(',')];

/** @param problem told of each thing that is wrong */
export function questionOf({ strategy, maxPer = [], near }: QuestionOptions, problem: (line: string) => void): Question {
  const caps: Partial<Record<Level, number | string>> = {};
  for (const typed of maxPer) {
    const [level = '', cap = '', ...more] = typed.split('=');
    if (!isLevel(level) || more.length > 0)
      problem(`--max-per ${typed}: it is <place>=<cap>, where place is one of ${LEVELS.join(', ')}. For example rack=30%.`);
    else if (/^([1-9][0-9]?|100)%$/.test(cap)) caps[level] = cap;
    else if (/^[1-9][0-9]{0,3}$/.test(cap)) caps[level] = Number(cap);
    else problem(`--max-per ${typed}: the cap is '${cap}'; it is a number of slots, or 1% to 100%. For example ${level}=30%.`);
  }
  return { strategy, ...(Object.keys(caps).length === 0 ? {} : { maxPer: caps }), ...(near === undefined ? {} : { near }) };
}

const isLevel = (word: string): word is Level => (LEVELS as readonly string[]).includes(word);

/** `spread, at most 30 % per rack, bj-a first` */
export function questionText({ strategy, maxPer = {}, near }: Question): string {
  const caps = Object.entries(maxPer).map(([level, cap]) => `at most ${String(cap).replace('%', ' %')} per ${level}`);
  return [strategy, ...caps, ...(near === undefined ? [] : [`${near} first`])].join(', ');
}
