import { describe, expect, test } from '@jest/globals';
import { flight } from '../../../lib/scheduling/writer/flight.ts';
import type { Outcome, Write } from '../../../lib/scheduling/writer/write.ts';
import { aStoredIPLock } from './objects.ts';

const job = { desk: 'lock', key: 'feed/night' } as const;
const write = (ip: string, lane: 'quick' | 'bulk' = 'bulk'): Write => ({
  ...{ job, lane, object: `IPLock ${ip}` },
  call: { do: 'create', kind: 'IPLock', object: aStoredIPLock(ip) },
});
const read = (ip: string): Write => ({ ...write(ip), call: { do: 'read', kind: 'IPLock', id: { name: ip } } });
const doubtful: Outcome = { is: 'doubtful', message: 'reset' };

function aFlight(room = { quick: 1, bulk: 2, slow: 1 }) {
  const flying = flight(() => 0);
  flying.open(room, 0);
  return flying;
}

describe('calls under way', () => {
  test('each lane has its own room: a Lock of thousands leaves that of the pods alone', () => {
    const flying = aFlight();
    expect([flying.begin(write('1')), flying.begin(write('2')), flying.begin(write('3'))]).toEqual([true, true, false]);
    expect(flying.begin(write('4', 'quick'))).toBe(true);
  });

  test('an object has one call at a time', () => {
    const flying = aFlight();
    flying.begin(write('1'));
    expect(flying.busy('IPLock 1')).toBe(true);
    expect(flying.begin(write('1'))).toBe(false);
  });

  test('when nobody knows how a call ended, its object is in doubt until it has been read', () => {
    const flying = aFlight();
    flying.begin(write('1'));
    flying.end(write('1'), doubtful, 0);
    expect(flying.busy('IPLock 1')).toBe(true);
    expect([...flying.doubts()].map(([object]) => object)).toEqual(['IPLock 1']);
    flying.end(read('1'), { is: 'undone', message: 'reset' }, 0);
    expect(flying.busy('IPLock 1')).toBe(true);
    flying.end(read('1'), { is: 'gone' }, 100);
    expect(flying.busy('IPLock 1')).toBe(false);
  });

  test('the first doubt is settled at once; who fails again waits longer each time, and success forgets it', () => {
    const flying = aFlight();
    expect(flying.end(write('1'), doubtful, 1_000)).toBe(1_000);
    expect(flying.end(read('1'), { is: 'gone' }, 1_000)).toBeUndefined();
    const waits = [1, 2, 3].map(() => flying.end(write('1'), { is: 'undone', message: '' }, 0) as number);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(flying.resting(job, 'IPLock 1', 0)).toBe(true);
    expect(flying.resting(job, 'IPLock 2', 0)).toBe(false);
    flying.end(write('1'), { is: 'done' }, 0);
    expect(flying.resting(job, 'IPLock 1', 0)).toBe(false);
  });

  test('what failed and was never tried again is forgotten: its object or its job is gone', () => {
    const flying = aFlight();
    for (let ip = 0; ip < 1_000; ip++) flying.end(write(String(ip)), { is: 'undone', message: '429' }, ip);
    expect(flying.remembered).toBe(1_000);
    flying.end(write('last'), { is: 'undone', message: '429' }, 600_000);
    expect(flying.remembered).toBe(1);
    expect(flying.failures(job, 'IPLock last')).toBe(1);
  });

  test('waits as long as the API server asks for', () => {
    expect(aFlight().end(write('1'), { is: 'undone', message: '429', retryAfterMs: 5_000 }, 0)).toBe(5_000);
  });
});
