import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { declare } from '../../lib/scheduling/program.ts';
import { pages } from '../docs/pages.ts';

const { options } = declare(new Command('scheduler'));

test('every flag stands on the page with its default, and none that does not exist', () => {
  const { text } = pages().find(({ path }) => path === 'docs/stock-api.md')!;
  const rows = [...text.matchAll(/^\| `(--[a-z-]+) <[a-z]+>` \| ([^|]+) \|/gm)].map(([, flag, says = '']) => [
    flag,
    /^`(.+)`$/.exec(says.trim())?.[1],
  ]);
  expect(rows).toEqual(
    options.map(({ long, defaultValue }) => [long, defaultValue === undefined ? undefined : String(defaultValue)]).sort(byPage(rows)),
  );
});

/** In the order of the page, so that what differs is shown and not its order. */
const byPage = (rows: readonly (readonly (string | undefined)[])[]) => (a: readonly unknown[], b: readonly unknown[]) =>
  rows.findIndex(([flag]) => flag === a[0]) - rows.findIndex(([flag]) => flag === b[0]);

test.each([
  ['--api-port', '70000'],
  ['--sample-max-age', '0'],
  ['--missing-samples', 'guess'],
  ['--unlocked-pods', 'maybe'],
  ['--log-level', 'loud'],
])('%s %s is refused before anything is started', async (flag, value) => {
  const command = declare(new Command('scheduler'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  await expect(command.parseAsync([flag, value], { from: 'user' })).rejects.toMatchObject({ code: 'commander.invalidArgument' });
});
