import { describe, expect, test } from '@jest/globals';
import { inARow } from '../../../lib/scheduling/writer/in-a-row.ts';

const SAID = 'kube-scheduler: a volume is in use';

describe('P15 refusals of a controller’s pods in a row', () => {
  test('let the next one wait twice as long each time, half an hour at most', () => {
    const row = inARow();
    const seconds: number[] = [];
    for (let now = 0, times = 0; times < 8; times++) {
      seconds.push(row.patienceMs('rs') / 1000);
      row.refused('rs', { node: 'r12-01', sentence: undefined, pinnedMs: now }, now + row.patienceMs('rs'));
      now += row.patienceMs('rs') + 1;
    }
    expect(seconds).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800]);
    expect(row.patienceMs('other')).toBe(30_000);
  });

  test('count once for pods that were pinned before the last one was refused', () => {
    const row = inARow();
    for (let pod = 0; pod < 50; pod++) row.refused('rs', { node: `n${pod}`, sentence: undefined, pinnedMs: 0 }, 30_000 + pod);
    expect(row.patienceMs('rs')).toBe(60_000);
  });

  test('are everywhere once three nodes said the same', () => {
    const row = inARow();
    const say = (node: string, sentence: string) => row.refused('rs', { node, sentence, pinnedMs: 0 }, 0);
    for (const node of ['n1', 'n2', 'n2']) say(node, SAID);
    say('n3', 'kube-scheduler: another matter');
    expect(row.everywhere('rs', SAID)).toBe(false);
    say('n3', SAID);
    expect(row.everywhere('rs', SAID)).toBe(true);
    expect(row.everywhere('rs', undefined)).toBe(false);
    expect(row.everywhere('other', SAID)).toBe(false);
  });

  test('end when one of them is bound', () => {
    const row = inARow();
    for (const node of ['n1', 'n2', 'n3']) row.refused('rs', { node, sentence: SAID, pinnedMs: 0 }, 0);
    row.bound('rs');
    expect([row.patienceMs('rs'), row.everywhere('rs', SAID)]).toEqual([30_000, false]);
  });
});
