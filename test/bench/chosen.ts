/** Which areas were asked for by name. */
import { didYouMean } from '../../lib/api/issue.ts';
import type { Area } from './area.ts';

/** Asked for what isn't there: where, what is, the nearest. Ends with exit code 2. */
export class UnknownArea extends Error {}

/** @throws {UnknownArea} for a name that is none, and for no name at all */
export function chosen(names: readonly string[], areas: readonly Area[]): Area[] {
  const known = areas.map(({ name }) => name);
  if (names.length === 0) throw new UnknownArea(`no area; known are ${known.join(', ')}. Name one or more: npm run bench -- ${known[0]}`);
  return names.map((name) => {
    const area = areas.find((one) => one.name === name);
    if (area !== undefined) return area;
    throw new UnknownArea(`area is '${name}'; known are ${known.join(', ')}. ${didYouMean(name, known, 'See them with --list.')}`);
  });
}
