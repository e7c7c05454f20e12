import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { selectsNode } from '../../../lib/scheduling/node.ts';
import { away, notOn } from '../../../lib/scheduling/writer/away.ts';
import { aDemand, aNode } from '../builders.ts';

describe('P13 the nodes that refused the pods of a controller', () => {
  test('are kept from its next pods for a minute, and from nobody else’s', () => {
    const kept = away();
    kept.refused('rs', 'r12-01', 0);
    expect(kept.from('rs', 59_999)).toEqual(['r12-01']);
    expect(kept.leftMs('rs', 'r12-01', 59_999)).toBe(1);
    expect(kept.from('rs', 60_000)).toEqual([]);
    expect(kept.from('other', 0)).toEqual([]);
  });

  test('are kept twice as long each time, half an hour at most', () => {
    const kept = away();
    const minutes: number[] = [];
    for (let now = 0, times = 0; times < 7; times++) {
      kept.refused('rs', 'r12-01', now);
      minutes.push(kept.leftMs('rs', 'r12-01', now) / 60_000);
      now += kept.leftMs('rs', 'r12-01', now) + 30_000;
    }
    expect(minutes).toEqual([1, 2, 4, 8, 16, 30, 30]);
  });

  test('are kept for as long as its next pod may wait, half an hour at most', () => {
    const kept = away();
    kept.refused('rs', 'r12-01', 0, 480_000);
    kept.refused('rs', 'r12-02', 0, 7_200_000);
    expect([kept.leftMs('rs', 'r12-01', 0), kept.leftMs('rs', 'r12-02', 0)]).toEqual([480_000, 1_800_000]);
  });

  test('count once for all pods that were refused there together', () => {
    const kept = away();
    for (let pod = 0; pod < 10; pod++) kept.refused('rs', 'r12-01', pod);
    expect(kept.leftMs('rs', 'r12-01', 0)).toBe(60_000);
  });

  test('are as good as any after ten minutes without another refusal', () => {
    const kept = away();
    kept.refused('rs', 'r12-01', 0);
    kept.refused('rs', 'r12-01', 660_000);
    expect(kept.leftMs('rs', 'r12-01', 660_000)).toBe(60_000);
  });

  test('are 64 at most, the last that refused', () => {
    const kept = away();
    for (let node = 100; node < 200; node++) kept.refused('rs', `n${node}`, 0);
    expect(kept.from('rs', 0)).toHaveLength(64);
    expect(kept.from('rs', 0)).toContain('n199');
  });

  test('are refused by the term that says so, and no other node is', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,2}$/), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.stringMatching(/^[a-c]{1,2}$/), (nodes, name) => {
        const demand = { ...aDemand(), nodeTerms: [notOn(nodes)] };
        expect(selectsNode(demand, aNode(name)) === 'yes').toBe(!nodes.includes(name));
      }),
    );
  });
});
