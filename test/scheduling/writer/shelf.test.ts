import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shelf } from '../../../lib/scheduling/writer/shelf.ts';

interface Thing {
  readonly uid: string;
  readonly resourceVersion: string;
}
const thing = (resourceVersion: number, uid = 'a'): Thing => ({ uid, resourceVersion: String(resourceVersion) });
const aShelf = () => shelf<Thing>({ versionOf: (it) => it });

describe('a shelf', () => {
  test('keeps the newer word, whoever said it', () => {
    const things = aShelf();
    expect(things.put('x', thing(9), 'watch')).toBe(true);
    expect(things.put('x', thing(10), 'answer')).toBe(true);
    expect(things.put('x', thing(9), 'watch')).toBe(false);
    expect(things.get('x')).toEqual(thing(10));
  });

  test('says when the watch has caught up with an answer', () => {
    const things = aShelf();
    things.put('x', thing(10), 'answer');
    expect(things.watched('x')).toBe(false);
    things.put('x', thing(9), 'watch');
    expect(things.watched('x')).toBe(false);
    things.put('x', thing(10), 'watch');
    expect(things.watched('x')).toBe(true);
  });

  test('an object that is gone does not come back by an answer that was on its way', () => {
    const things = aShelf();
    things.put('x', thing(5), 'watch');
    expect(things.gone('x', 'a')).toBe(true);
    expect(things.put('x', thing(6), 'answer')).toBe(false);
    expect(things.isGone('a')).toBe(true);
    expect(things.get('x')).toBeUndefined();
  });

  test('another object of the same name is another one', () => {
    const things = aShelf();
    things.put('x', thing(5), 'watch');
    things.put('x', thing(8, 'b'), 'answer');
    expect(things.gone('x', 'a')).toBe(false);
    expect(things.get('x')).toEqual(thing(8, 'b'));
  });

  test('what this process deleted comes back when a finalizer keeps it, and not by what was before', () => {
    const things = aShelf();
    things.put('x', thing(5), 'watch');
    things.gone('x', 'a', '5');
    expect(things.put('x', thing(5), 'watch')).toBe(false);
    expect(things.isGone('a')).toBe(false);
    expect(things.put('x', thing(6), 'watch')).toBe(true);
  });

  test('in whatever order the words about an object come, the last of them stays', () => {
    const words = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(words, fc.infiniteStream(fc.boolean()), (versions, coin) => {
        const things = aShelf();
        for (const version of versions) things.put('x', thing(version), coin.next().value ? 'watch' : 'answer');
        expect(things.get('x')).toEqual(thing(Math.max(...versions)));
      }),
    );
  });
});
