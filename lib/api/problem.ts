/**
 * Problems: what is wrong with a definition, said so that the reader can mend it without asking anybody.
 * Collected, never thrown one by one: a definition yields all its problems in one run.
 */

/** One thing wrong. Reads as `<path>: <what>; <allowed>. <remedy>` */
export interface Problem {
  /** Into the definition, as one would type it: `pools.web.vlans.110.gateway`. */
  readonly path: string;
  /** What is there, value included: `VLAN id is 5000`. */
  readonly what: string;
  /** The value found, as data. */
  readonly got?: unknown;
  /** What would be right: `an 802.1Q id is 1 to 4094`. */
  readonly allowed?: string;
  /** What to do now: `Use the id that the rack's switch trunks.` */
  readonly remedy?: string;
  /** A warning lets synth go on, unless `--strict`. */
  readonly severity: 'error' | 'warning';
}

/** A problem as one line of text, without the file it was found in. */
export function sentence(problem: Problem): string {
  const allowed = problem.allowed === undefined ? '' : `; ${problem.allowed}`;
  const remedy = problem.remedy === undefined ? '' : ` ${problem.remedy}`;
  const said = `${problem.path === '' ? '' : `${problem.path}: `}${problem.what}${allowed}`;
  return `${said}${/[.?!]$/.test(said) ? '' : '.'}${remedy}`;
}
