/** The pages that people read: README and everything under docs/. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Page {
  /** From the root of the repository: `docs/gate.md`. */
  readonly path: string;
  readonly text: string;
}

export function pages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`);
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs]
    .filter((path) => path.endsWith('.md') && existsSync(join(ROOT, path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** The code blocks of a page in a language, fences left out. */
export function blocks({ text }: Page, language: string): string[] {
  return [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)].filter(([, of]) => of === language).map(([, , code]) => code ?? '');
}

/** A page without its code: what is a link in it, and what a heading. */
export function prose({ text }: Page): string {
  return text.replaceAll(/^([`~]{3,})[^\n]*\n[\s\S]*?^\1$/gm, '').replaceAll(/^ {4}.*$/gm, '');
}

/** The anchors of a page, as GitHub makes them of headings: `## When it refuses` is `#when-it-refuses`. */
export function anchors(page: Page): ReadonlySet<string> {
  const found = new Map<string, number>();
  const names = [...prose(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const name = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const times = found.get(name) ?? 0;
    found.set(name, times + 1);
    return times === 0 ? name : `${name}-${times}`;
  });
  return new Set(names);
}

/** What stands under a heading, up to the next of the same level. @throws {Error} when there is no such heading */
export function section({ path, text }: Page, heading: string): string {
  const at = text.indexOf(`\n## ${heading}\n`);
  if (at < 0) throw new Error(`${path} has no heading ## ${heading}`);
  return text.slice(at + 4 + heading.length).split(/^## /m)[0]!;
}
