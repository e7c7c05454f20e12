/** Random schedules of calls, faults, kills and reboots against the agent (a-cluster.ts); `GALA_SCHEDULES` says how many. */
import { expect, test } from '@jest/globals';
import { scheduleOf } from './a-cluster.ts';

const COUNT = Number(process.env.GALA_SCHEDULES ?? 1_000);
const STEPS = 150;
const SEED = Number(process.env.GALA_SEED ?? Date.now() % 1_000_000);

test(`no address is on two links, and nothing is left, in ${COUNT} random schedules from seed ${SEED}`, async () => {
  const did = { added: 0, trusted: 0, refused: 0, killed: 0, rebooted: 0, quarantined: 0, released: 0, late: 0 };
  for (let seed = SEED; seed < SEED + COUNT; seed++) {
    const { wrong, cluster } = await scheduleOf(seed, STEPS);
    if (wrong.length > 0) throw new Error(`seed ${seed}:\n${[...wrong.slice(0, 10), ...cluster.story.slice(-150)].join('\n')}`);
    for (const key of Object.keys(did) as (keyof typeof did)[]) did[key] += cluster.did[key];
  }
  // A check that never saw the thing it is about proves nothing.
  if (COUNT >= 100) for (const each of Object.values(did)) expect(each).toBeGreaterThan(COUNT / 20);
  process.stderr.write(`schedules: ${JSON.stringify(did)}\n`);
}, 600_000);
