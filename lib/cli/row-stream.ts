/** Rows by the ten thousand, printed while they are made: whoever reads gets the first ones at once, and no more than a page is in memory. */
import { once } from 'node:events';

/** As `-o` says; `wide` has more columns. */
export type RowFormat = 'text' | 'wide' | 'json' | 'yaml';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
}

/** A document that ends in a list of rows. */
export interface Rows<Row> {
  /** What stands before the list. */
  readonly head: Readonly<Record<string, unknown>>;
  /** What the list is called. */
  readonly name: string;
  /** Begins anew each time it is asked: a table is measured before it is printed. */
  readonly rows: () => Iterable<Row>;
  readonly columns: readonly Column<Row>[];
  /** What is said where there is no row. */
  readonly none: string;
}

/** @returns how many rows there were */
export async function printRows<Row>(format: RowFormat, document: Rows<Row>, write: Write = toStdout): Promise<number> {
  const way = format === 'json' ? asJson : format === 'yaml' ? asYaml : asTable;
  return await way(document, write);
}

/** Resolves when there is room for more. */
export type Write = (text: string) => Promise<void>;

async function toStdout(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Rows that are written at once. */
const PAGE = 500;

function* pagesOf<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let page: Row[] = [];
  for (const row of rows)
    if (page.push(row) === PAGE) {
      yield page;
      page = [];
    }
  if (page.length > 0) yield page;
}

/** The same bytes as of the whole document at once. */
async function asJson<Row>({ head, name, rows }: Rows<Row>, write: Write): Promise<number> {
  const before = JSON.stringify(head, null, 2).replace(/\n?\}$/, '');
  let count = 0;
  await write(`${before}${before === '{' ? '' : ','}\n  ${JSON.stringify(name)}: [`);
  for (const page of pagesOf(rows())) {
    const text = page.map((row) => `\n    ${JSON.stringify(row, null, 2).replaceAll('\n', '\n    ')}`).join(',');
    await write(count === 0 ? text : `,${text}`);
    count += page.length;
  }
  await write(count === 0 ? ']\n}\n' : '\n  ]\n}\n');
  return count;
}

async function asYaml<Row>({ head, name, rows }: Rows<Row>, write: Write): Promise<number> {
  const { stringify } = await import('yaml');
  // Through JSON first: the two formats say the same, whatever a value may be besides data.
  const yaml = (data: unknown) => stringify(JSON.parse(JSON.stringify(data)));
  let count = 0;
  if (Object.keys(head).length > 0) await write(yaml(head));
  for (const page of pagesOf(rows())) {
    await write(`${count === 0 ? `${name}:\n` : ''}${yaml(page).replaceAll(/^(?=.)/gm, '  ')}`);
    count += page.length;
  }
  if (count === 0) await write(`${name}: []\n`);
  return count;
}

/** So many rows say how wide the columns are; a longer cell that comes after them moves its own line. */
const MEASURED = 50_000;
const GAP = '   ';

async function asTable<Row>({ rows, columns, none }: Rows<Row>, write: Write): Promise<number> {
  const widths = columns.map(({ title }) => title.length);
  let measured = 0;
  for (const row of rows()) {
    for (const [index, { of }] of columns.entries()) widths[index] = Math.max(widths[index]!, of(row).length);
    if (++measured === MEASURED) break;
  }
  if (measured === 0) {
    await write(`${none}\n`);
    return 0;
  }
  const line = (cells: readonly string[]) =>
    `${cells
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join(GAP)
      .trimEnd()}\n`;
  await write(line(columns.map(({ title }) => title)));
  let count = 0;
  for (const page of pagesOf(rows())) {
    await write(page.map((row) => line(columns.map(({ of }) => of(row)))).join(''));
    count += page.length;
  }
  return count;
}
