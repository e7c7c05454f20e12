/** The table of rules in docs/gate.md, made of the rules themselves. */
import { rules } from './registry.ts';

/** Markdown: one row a rule, by family. Written by `npm run imports`; a test compares it with the page. */
export function rulesTable(): string {
  const row = ({ id, severity, server, reason, remedy }: (typeof rules)[number]) =>
    `| \`${id}\`${severity === 'warning' ? ' (warning)' : ''} | ${SERVER[server]} | ${cell(reason)} | ${cell(remedy)} |`;
  const families = [...Map.groupBy(rules, ({ family }) => family)];
  return families
    .map(([family, of]) => `### ${family}\n\n| rule | the API server | why | what to do |\n|---|---|---|---|\n${of.map(row).join('\n')}\n`)
    .join('\n');
}

const SERVER = { refuses: 'refuses', accepts: 'accepts', either: 'refuses some' } as const;

/** `<name>` would be taken for HTML and `|` for the next cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

const BEGIN = '<!-- rules: made by `npm run imports`; changes here are lost -->';
const END = '<!-- end of rules -->';

/**
 * The page with its table made new.
 * @throws {Error} when the page has no place for it
 */
export function withRulesTable(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/gate.md needs the lines ${BEGIN} and ${END} around the table of rules`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${rulesTable()}\n${page.slice(end)}`;
}
