import { describe, expect, test } from '@jest/globals';
import { required } from '../../bed/parts.ts';
import { dice } from '../../scheduling/dice.ts';
import { canMakeNamespaces } from './a-stand.ts';
import { killed } from './kills.ts';

const suite = canMakeNamespaces() || required() ? describe : describe.skip;
if (suite === describe.skip) process.stderr.write('SKIPPED kills of the agent: network namespaces need root with CAP_NET_ADMIN\n');
const SEED = Number(process.env.GALA_SEED ?? Date.now() % 1_000_000);

suite('an agent that is killed at any moment', () => {
  test(`leaves nothing behind once the next one is there, from seed ${SEED}`, async () => {
    const did = await killed(dice(SEED), 4);
    expect(did.kills).toBe(4);
    expect(did.added + did.refused).toBe(32);
  }, 240_000);
});
