/**
 * Nodesets: host names with ranges in brackets, as ClusterShell and Slurm write them.
 * `a-[01-03,07]` is a-01 a-02 a-03 a-07; several brackets multiply; commas outside brackets join; `[0-8/2]` steps.
 * https://clustershell.readthedocs.io/en/latest/tools/nodeset.html
 */

/** Kubernetes' own tested limit of nodes a cluster, so nothing sensible is longer. https://kubernetes.io/docs/setup/best-practices/cluster-large/ */
export const MOST_HOSTS = 5000;

/**
 * @returns the names in the order written; a name written twice comes twice
 * @throws {RangeError} with what is wrong, when brackets don't match, a range runs backwards or there are more than 5000
 * @example expand('r1-[08-10]') // ['r1-08', 'r1-09', 'r1-10']
 */
export function expand(nodeset: string): string[] {
  const names: string[] = [];
  for (const part of splitOutsideBrackets(nodeset)) {
    if (part === '') throw new RangeError('there is an empty name between commas');
    names.push(...product(part));
    refuseTooMany(names.length);
  }
  return names;
}

function splitOutsideBrackets(nodeset: string): string[] {
  if (!/^[^[\]]*(\[[^[\]]*\][^[\]]*)*$/.test(nodeset)) throw new RangeError('its brackets do not match');
  return nodeset.split(/,(?![^[]*\])/);
}

/** `a[1-2]b[3-4]` → a1b3 a1b4 a2b3 a2b4. */
function product(part: string): string[] {
  const open = part.indexOf('[');
  if (open < 0) return [part];
  const close = part.indexOf(']', open);
  const rest = product(part.slice(close + 1));
  const numbers = part
    .slice(open + 1, close)
    .split(',')
    .flatMap(numbersOf);
  refuseTooMany(numbers.length * rest.length);
  return numbers.flatMap((number) => rest.map((tail) => part.slice(0, open) + number + tail));
}

/** `08-10` → 08 09 10: as wide as the first number is written. */
function numbersOf(range: string): string[] {
  const [, first, last = first, step = '1'] = /^([0-9]{1,9})(?:-([0-9]{1,9}))?(?:\/([0-9]{1,9}))?$/.exec(range) ?? [];
  if (first === undefined || last === undefined) throw new RangeError(`[${range}] is no range of numbers`);
  const [from, to, by] = [Number(first), Number(last), Number(step)];
  if (from > to) throw new RangeError(`[${range}] runs backwards`);
  if (by === 0) throw new RangeError(`[${range}] never advances`);
  const count = Math.floor((to - from) / by) + 1;
  refuseTooMany(count);
  return Array.from({ length: count }, (_, i) => String(from + i * by).padStart(first.length, '0'));
}

function refuseTooMany(count: number): void {
  if (count > MOST_HOSTS) throw new RangeError(`it names ${count} hosts; at most ${MOST_HOSTS} are allowed`);
}
