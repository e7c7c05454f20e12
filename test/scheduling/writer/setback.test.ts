import { expect, test } from '@jest/globals';
import type { Note } from '../../../lib/scheduling/writer/desk.ts';
import { setbacks } from '../../../lib/scheduling/writer/setback.ts';

function aWorkshop() {
  let nowMs = 0;
  const notes: Note[] = [];
  const { attempt } = setbacks({ now: () => nowMs, random: () => 0.99, note: (note) => notes.push(note) });
  let tries = 0;
  return {
    notes,
    /** @returns how often the work was begun within so many seconds, looked at once a second */
    tried(seconds: number, work: () => void, about: object | string = 'Lock feed/night'): number {
      const before = tries;
      for (const until = nowMs + seconds * 1000; nowMs < until; nowMs += 1000)
        attempt(
          about,
          'Lock feed/night',
          () => {
            tries++;
            work();
          },
          () => {},
        );
      return tries - before;
    },
  };
}
const fault = () => {
  throw new TypeError('x is undefined');
};

test('what throws is tried again less and less often, and told with its stack', () => {
  const { notes, tried } = aWorkshop();
  expect(tried(60, fault)).toBe(6);
  expect(notes[0]).toMatchObject({
    level: 'error',
    sentence: 'a fault of Gala',
    fields: { what: 'Lock feed/night', error: 'x is undefined', stack: expect.stringContaining('setback.test.ts') },
  });
  expect(tried(600, () => {})).toBeGreaterThan(500);
});

test('a fault keeps nothing else from being done', () => {
  const { tried } = aWorkshop();
  tried(60, fault);
  expect(tried(10, () => {}, 'Lock feed/day')).toBe(10);
});

test('who is asked while it rests is told why', () => {
  const { attempt } = setbacks({ now: () => 0, random: () => 0.5, note: () => {} });
  const asked = () => attempt('a', 'a', fault as () => string, ({ because, untilMs }) => `${because} ${untilMs}`);
  expect([asked(), asked()]).toEqual(['x is undefined 750', 'x is undefined 750']);
});
