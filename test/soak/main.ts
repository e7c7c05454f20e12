/** `npm run soak [-- --rounds 1000 --seed 7]`: the long run of soak.ts. The seed is printed, and gives the same rolls again. */
import { Command } from 'commander';
import { soak } from './soak.ts';

const number = (text: string) => {
  if (!/^\d+$/.test(text)) throw new Error(`'${text}' is not a whole number`);
  return Number(text);
};

const { rounds, seed, lockers, rate } = new Command('soak')
  .description('Lock writers under faults and kill -9: no address with two owners, no slot promised twice, nothing leaked.')
  .option('--rounds <count>', 'how many', number, 1_000)
  .option('--seed <number>', 'of an earlier run', number, Date.now() % 1_000_000)
  .option('--lockers <count>', 'users at a time', number, 8)
  .option('--rate <share>', 'of requests that something happens to', Number, 0.03)
  .parse()
  .opts<{ rounds: number; seed: number; lockers: number; rate: number }>();

const say = (line: string) => void process.stdout.write(`${line}\n`);
say(`soak --rounds ${rounds} --seed ${seed} --lockers ${lockers} --rate ${rate}`);
try {
  const began = Date.now();
  const found = await soak({ rounds, seed, lockers, rate, say });
  say(`${JSON.stringify(found)}\nNothing given twice, nothing left, in ${Math.round((Date.now() - began) / 1_000)} s.`);
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
