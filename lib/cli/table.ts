/** Tables for a terminal: columns under each other, two blanks before, three between. Pure. */

export interface TableOptions {
  /** Columns whose cells end under each other: numbers. */
  readonly right?: readonly number[];
  /** Blanks before each line. @default 2 */
  readonly indent?: number;
  /** Of the terminal, in characters: what is longer goes on below, in its last column. @default no limit */
  readonly width?: number;
}

/** @param rows the first is the header; a row may have fewer cells than others */
export function table(rows: readonly (readonly string[])[], { right = [], indent = 2, width }: TableOptions = {}): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(0, ...rows.map((row) => length(row[column] ?? ''))));
  const offset = indent + widths.slice(0, -1).reduce((sum, wide) => sum + wide + GAP.length, 0);
  return rows
    .flatMap((row) => {
      const [last = '', ...below] = wrapped(row[columns - 1] ?? '', width === undefined ? undefined : width - offset);
      const cells = [...row.slice(0, columns - 1), ...Array<string>(Math.max(0, columns - 1 - row.length)).fill(''), last];
      const line = cells.map((cell, column) => padded(cell, widths[column] ?? 0, right.includes(column))).join(GAP);
      return [`${' '.repeat(indent)}${line}`, ...below.map((more) => `${' '.repeat(offset)}${more}`)];
    })
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Width of the terminal; undefined when nobody looks: a pipe gets whole lines. */
export const terminalWidth = (): number | undefined => process.stdout.columns;

const GAP = '   ';
/** Narrower than that, breaking lines makes nothing more readable. */
const NARROWEST = 20;

/** In characters as a reader counts them: × and … are one. */
const length = (text: string): number => [...text].length;

function padded(text: string, wide: number, right: boolean): string {
  const blanks = ' '.repeat(Math.max(0, wide - length(text)));
  return right ? blanks + text : text + blanks;
}

function wrapped(text: string, width: number | undefined): string[] {
  if (width === undefined || width < NARROWEST || length(text) <= width) return [text];
  const lines: string[] = [];
  // A list breaks between its items, a sentence between its words.
  for (const word of text.split(text.includes(' · ') ? /(?<=·) / : ' ')) {
    const line = lines.at(-1);
    if (line === undefined || length(line) + 1 + length(word) > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
