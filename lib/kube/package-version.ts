/** The version of the package that runs: two folders up from the source (lib/<concern>/) and from the bundle (build/bin/). */
import { readFileSync } from 'node:fs';

export function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
