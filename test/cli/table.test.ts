import { expect, test } from '@jest/globals';
import { table } from '../../lib/cli/table.ts';

const POOLS = [
  ['POOL', 'HOSTS', 'LIMITED BY (hosts)'],
  ['web', '40', 'addresses 23 · egress 11 · cpu 6'],
  ['ml', '60', ''],
];

test('columns stand under each other, and no line ends with blanks', () => {
  expect(table(POOLS)).toBe(
    ['  POOL   HOSTS   LIMITED BY (hosts)', '  web    40      addresses 23 · egress 11 · cpu 6', '  ml     60'].join('\n'),
  );
});

test('numbers may end under each other', () => {
  expect(table(POOLS, { right: [1], indent: 0 })).toBe(
    ['POOL   HOSTS   LIMITED BY (hosts)', 'web       40   addresses 23 · egress 11 · cpu 6', 'ml        60'].join('\n'),
  );
});

test('a row may lack its last cells', () => {
  expect(table([['A', 'B', 'C'], ['1']], { indent: 0 })).toBe('A   B   C\n1');
});

test('what is wider than the terminal goes on in its last column, between words', () => {
  expect(table(POOLS, { width: 38 })).toBe(
    ['  POOL   HOSTS   LIMITED BY (hosts)', '  web    40      addresses 23 ·', '                 egress 11 · cpu 6', '  ml     60'].join(
      '\n',
    ),
  );
});

test('× and … are as wide as a reader sees them', () => {
  expect(
    table(
      [
        ['60 × 7', 'x'],
        ['1', 'y'],
      ],
      { indent: 0 },
    ),
  ).toBe('60 × 7   x\n1        y');
});
