/** Every door leads somewhere: relative links and anchors of README and docs. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from '@jest/globals';
import { anchors, type Page, pages, prose, ROOT } from './pages.ts';

const all = pages();
const byPath = new Map(all.map((page) => [page.path, page]));

function linksOf(page: Page): string[] {
  const text = prose(page).replaceAll(/`[^`\n]*`/g, '``');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** What is wrong with a link of a page; undefined when it leads somewhere. */
function broken(page: Page, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page.path : normalize(join(dirname(page.path), path)).replace(/\/$/, '');
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return `${page.path}: ${link}: there is no ${target}`;
  const there = byPath.get(target);
  if (anchor === undefined || there === undefined || anchors(there).has(anchor)) return undefined;
  return `${page.path}: ${link}: ${target} has no heading for #${anchor}`;
}

test('every relative link leads to a file, and to a heading where it names one', () => {
  const links = all.flatMap((page) => linksOf(page).map((link) => ({ page, link })));
  expect(links.length).toBeGreaterThan(20);
  expect(links.flatMap(({ page, link }) => broken(page, link) ?? [])).toEqual([]);
});

test('every page is reached from the index or from a page it leads to', () => {
  const reached = new Set(['docs/README.md']);
  for (const path of reached)
    for (const link of byPath.has(path) ? linksOf(byPath.get(path)!) : []) {
      const target = normalize(join(dirname(path), link.split('#')[0] ?? '')).replace(/\/$/, '');
      // A link to a folder is a door to each page in it.
      for (const page of all) if (page.path === target || dirname(page.path) === target) reached.add(page.path);
    }
  expect(all.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !reached.has(path))).toEqual([]);
});

test('a missing file and a missing heading are found', () => {
  const page = { path: 'docs/some.md', text: '# Some page\n' };
  expect(broken(page, 'nowhere.md')).toBe('docs/some.md: nowhere.md: there is no docs/nowhere.md');
  expect(broken(page, 'gate.md#nothing')).toBe('docs/some.md: gate.md#nothing: docs/gate.md has no heading for #nothing');
  expect(broken(page, 'gate.md#the-rules')).toBeUndefined();
});
