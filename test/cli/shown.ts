/** What a page shows of a terminal. */
import { pages } from '../docs/pages.ts';

/** What follows a command on a page, up to the next command or the end of the block. */
export function shown(path: string, command: string): string {
  const { text } = pages().find((page) => page.path === path)!;
  const [, output] = text.split(new RegExp(`^\\$ npx ${command}(?: +#.*)?\n`, 'm'));
  return (output ?? '').split(/^(?:```|\$ )/m)[0]!;
}
