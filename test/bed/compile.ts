/** Small programs for nodes and images, compiled where they are needed: static, so that they run on any root. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { command } from './parts.ts';

/** @param name of `uml/<name>.c` */
export function compile(name: 'pause' | 'serve', target: string): void {
  const source = fileURLToPath(new URL(`uml/${name}.c`, import.meta.url));
  execFileSync(command('gcc')[0], ['-static', '-Os', '-s', '-Wall', '-Wextra', '-Werror', '-o', target, source], { stdio: 'pipe' });
}
