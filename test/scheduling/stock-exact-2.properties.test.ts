import { test } from '@jest/globals';
import { asManyAsTrying } from './stock-cases.ts';

test('stock places exactly, one more does not: as many as trying every way comes to (second part)', () => asManyAsTrying('second', 3500));
