/**
 * `npm run soak -- [scheduling|network] [--rounds 1000] [--seed 7]`: the long runs of soak.ts and network.ts. The seed is printed, and
 * gives the same rolls again.
 */
import { Argument, Command } from 'commander';
import { networkSoak } from './network.ts';
import { soak } from './soak.ts';

const AREAS = {
  /** Lock writers under faults and kill -9: no address with two owners, no slot promised twice, nothing leaked. */
  scheduling: { run: soak, rounds: 1_000, well: 'Nothing given twice, nothing left' },
  /** Agents under the same: no address in two sandboxes; no link, route, note or lock left. */
  network: { run: networkSoak, rounds: 200, well: 'No address in two sandboxes, nothing left' },
} as const;

const number = (text: string) => {
  if (!/^\d+$/.test(text)) throw new Error(`'${text}' is not a whole number`);
  return Number(text);
};

const command = new Command('soak')
  .description('Programs under faults and kill -9: lock writers (scheduling), or the agents that wire pods (network; needs root).')
  .addArgument(new Argument('[area]', 'what').choices(Object.keys(AREAS)).default('scheduling'))
  .option('--rounds <count>', 'how many; of scheduling 1000, of network 200', number)
  .option('--seed <number>', 'of an earlier run', number, Date.now() % 1_000_000)
  .option('--lockers <count>', 'users at a time, of scheduling', number, 8)
  .option('--rate <share>', 'of requests that something happens to', Number, 0.03)
  .parse();
const area = command.processedArgs[0] as keyof typeof AREAS;
const { run, well, rounds: usual } = AREAS[area];
const { rounds = usual, seed, lockers, rate } = command.opts<{ rounds?: number; seed: number; lockers: number; rate: number }>();

const say = (line: string) => void process.stdout.write(`${line}\n`);
say(`soak ${area} --rounds ${rounds} --seed ${seed} --lockers ${lockers} --rate ${rate}`);
try {
  const began = Date.now();
  const found = await run({ rounds, seed, lockers, rate, say });
  say(`${JSON.stringify(found)}\n${well}, in ${Math.round((Date.now() - began) / 1_000)} s.`);
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
