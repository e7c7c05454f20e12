import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { printRows, type RowFormat } from '../../lib/cli/row-stream.ts';

interface Row {
  readonly name: string;
  readonly note?: string;
}

async function printed(format: RowFormat, rows: readonly Row[], head: Record<string, unknown> = { readAt: '2027-02-16T19:58:02Z' }) {
  const writes: string[] = [];
  const columns = [
    { title: 'NAME', of: ({ name }: Row) => name },
    { title: 'NOTE', of: ({ note = '-' }: Row) => note },
  ];
  const count = await printRows(format, { head, name: 'rows', rows: () => rows, columns, none: 'None.' }, async (text) => {
    writes.push(text);
  });
  return { count, writes, text: writes.join('') };
}

const someRows = fc.array(fc.record({ name: fc.string(), note: fc.string() }, { requiredKeys: ['name'] }), { maxLength: 40 });

test('as JSON it is what the whole document would be', () =>
  fc.assert(
    fc.asyncProperty(someRows, fc.constantFrom({}, { a: 1 }), async (rows, head) => {
      expect((await printed('json', rows, head)).text).toBe(`${JSON.stringify({ ...head, rows }, null, 2)}\n`);
    }),
  ));

test('as YAML it says the same', () =>
  fc.assert(
    fc.asyncProperty(someRows, fc.constantFrom({}, { a: 1 }), async (rows, head) => {
      expect(parse((await printed('yaml', rows, head)).text)).toEqual(JSON.parse(JSON.stringify({ ...head, rows })));
    }),
  ));

test('50,000 rows are written a page at a time, and each is there', async () => {
  const rows = Array.from({ length: 50_000 }, (_, at) => ({ name: `row-${at}` }));
  for (const format of ['text', 'json'] as const) {
    const { count, writes, text } = await printed(format, rows);
    expect(count).toBe(50_000);
    for (const page of writes) expect(page.match(/row-/g)?.length ?? 0).toBeLessThanOrEqual(500);
    expect(text.match(/row-\d+/g)).toEqual(rows.map(({ name }) => name));
  }
});

test('columns are as wide as the widest cell', async () => {
  expect((await printed('text', [{ name: 'a', note: 'first' }, { name: 'longer' }])).text).toBe(
    'NAME     NOTE\na        first\nlonger   -\n',
  );
});

test('no row at all is said', async () => {
  expect(await printed('text', [])).toMatchObject({ count: 0, text: 'None.\n' });
  expect((await printed('yaml', [])).text).toBe('readAt: 2027-02-16T19:58:02Z\nrows: []\n');
});
