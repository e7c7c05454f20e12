import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from '@jest/globals';
import * as gateModule from 'cdk8s-gala/gate';
import { rulesTable, withRulesTable } from '../../lib/gate/rules-table.ts';

const page = () => readFile('docs/gate.md', 'utf8');

test('the table of rules in docs/gate.md is made of the rules; else run `npm run imports`', async () => {
  expect(await page()).toBe(withRulesTable(await page()));
});

test('every rule has its row', () => {
  const ids = [...rulesTable().matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1]);
  expect(ids).toEqual(gateModule.rules.map(({ id }) => id));
});

test('a page without a place for the table is told so', () => {
  expect(() => withRulesTable('# The gate')).toThrow('needs the lines');
});

test("the page's example prints what the page says", async () => {
  const text = await page();
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const printed = /```text\n([\s\S]*?)```/.exec(text)?.[1];
  const lines: string[] = [];
  const body = stripTypeScriptTypes(code.replace(/^import (\{.*\}) from 'cdk8s-gala\/gate';$/m, 'const $1 = gateModule;'));
  new Function('gateModule', 'console', body)(gateModule, { log: (line: string) => lines.push(line) });
  expect(`${lines.join('\n')}\n`).toBe(printed);
});
