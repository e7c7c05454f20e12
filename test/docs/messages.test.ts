/** docs/definitions.md quotes messages; each is really printed, and each kind of mistake is quoted. */
import { expect, test } from '@jest/globals';
import { producedLines } from './mistakes.ts';
import { blocks, pages } from './pages.ts';

const page = pages().find(({ path }) => path === 'docs/definitions.md')!;
const quoted = blocks(page, 'text').flatMap((block) => block.split('\n').filter((line) => line !== ''));

test('every message that docs/definitions.md quotes is printed for the mistake', async () => {
  const printed = await producedLines();
  expect(quoted.length).toBeGreaterThan(30);
  expect(quoted.filter((line) => !printed.has(line))).toEqual([]);
});

test('every kind of mistake has its message on the page', async () => {
  expect([...(await producedLines())].filter((line) => !quoted.includes(line))).toEqual([]);
});
