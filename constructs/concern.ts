/**
 * Concerns: slices of a platform that can be installed one by one, Gala's own and anyone's.
 * A concern says what it needs and what it can't stand beside, checks its options and renders its objects; the order in
 * which concerns render is computed from what they require.
 */
import type { Construct } from 'constructs';
import * as z from 'zod';
import type { Cluster } from '../lib/api/cluster.ts';
import { didYouMean, problemsOf } from '../lib/api/issue.ts';
import type { Problem } from '../lib/api/problem.ts';

/**
 * Says that an option is wrong: `problem('mode', 'drop needs an intranet pool')`. `path`: where something else of the definition is,
 * said from its root.
 */
export type ReportOption = (
  option: string,
  what: string,
  more?: Partial<Pick<Problem, 'path' | 'got' | 'allowed' | 'remedy' | 'severity'>>,
) => void;

export interface ConcernProps<Options extends z.ZodRawShape = z.ZodRawShape> {
  /** Its name in `concerns`, the key of its options in a definition and, for a concern that Gala doesn't have, its phase `90-<name>`. */
  readonly name: string;
  /** Concerns that must be installed with it; they render first. @default none */
  readonly requires?: readonly string[];
  /** Concerns that can't be installed beside it. @default none */
  readonly conflicts?: readonly string[];
  /** Installed only where `concerns` names it. @default also where `concerns` is left out */
  readonly optIn?: boolean;
  /** Its options, made with the field builders (`oneOf`, `integer`, …). @default it takes none */
  readonly options?: Options;
  /** Finds what is wrong with the options on this cluster; joins the definition's one list of problems. @default nothing */
  check?(options: z.output<z.ZodObject<Options>>, cluster: Cluster, problem: ReportOption): void;
  /** Adds its objects under `scope`. Runs only when there is no problem. */
  render(scope: Construct, options: z.output<z.ZodObject<Options>>, cluster: Cluster): void;
}

/** A concern with its options' schema made whole. */
export interface Concern {
  readonly name: string;
  readonly requires: readonly string[];
  readonly conflicts: readonly string[];
  readonly optIn: boolean;
  readonly options: z.ZodType;
  check(options: unknown, cluster: Cluster, problem: ReportOption): void;
  render(scope: Construct, options: unknown, cluster: Cluster): void;
}

/** @throws {Error} when the name could be neither a key of a definition nor part of a file name */
export function defineConcern<const Options extends z.ZodRawShape = Record<never, never>>(props: ConcernProps<Options>): Concern {
  const { name, requires = [], conflicts = [], optIn = false, options } = props;
  if (!/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name))
    throw new Error(`defineConcern: name is '${name}'; allowed are lower-case letters, digits and -, at most 40. Rename the concern.`);
  return {
    name,
    requires,
    conflicts,
    optIn,
    options: z.strictObject(options ?? {}),
    check: (given, cluster, problem) => props.check?.(given as never, cluster, problem),
    render: (scope, given, cluster) => props.render(scope, given as never, cluster),
  };
}

/**
 * Everything wrong with the concerns that a cluster asks for: unknown names, missing requirements, conflicts, cycles,
 * and what each concern says of its own options.
 * @param asked `concerns` of the definition as typed; undefined: all that are there
 */
export function concernProblems(asked: readonly string[] | undefined, cluster: Cluster, concerns: readonly Concern[]): Problem[] {
  const known = concerns.map(({ name }) => name);
  const problems: Problem[] = [];
  asked?.forEach((name, i) => {
    if (known.includes(name)) return;
    problems.push({
      path: `concerns[${i}]`,
      what: `concern is ${name}`,
      got: name,
      allowed: `installable are ${known.join(', ') || 'none'}`,
      remedy: didYouMean(name, known, "Give someone's own concern to synth: synth({ concerns: [ … ] })."),
      severity: 'error',
    });
  });
  const installed = concerns.filter(({ name }) => cluster.concerns.includes(name));
  for (const { name } of concerns)
    if (!installed.some((concern) => concern.name === name) && Object.keys(cluster.options[name] ?? {}).length > 0)
      problems.push({
        path: name,
        what: `options of ${name} are given, and ${name} is not installed`,
        got: cluster.options[name],
        allowed: 'options of installed concerns',
        remedy: `Add ${name} to concerns, or remove its options.`,
        severity: 'warning',
      });
  for (const concern of installed) problems.push(...problemsOfOne(concern, cluster));
  problems.push(...cycleProblem(installed));
  return problems;
}

function problemsOfOne(concern: Concern, cluster: Cluster): Problem[] {
  const problems: Problem[] = [];
  const { name } = concern;
  for (const other of concern.requires)
    if (!cluster.concerns.includes(other))
      problems.push({
        path: 'concerns',
        what: `${name} requires ${other}, which is not installed`,
        got: cluster.concerns,
        allowed: `${name} together with ${other}`,
        remedy: `Add ${other}, or leave ${name} out.`,
        severity: 'error',
      });
  for (const other of concern.conflicts)
    if (cluster.concerns.includes(other))
      problems.push({
        path: 'concerns',
        what: `${name} conflicts with ${other}`,
        got: cluster.concerns,
        allowed: 'one of the two',
        remedy: `Leave ${name} or ${other} out.`,
        severity: 'error',
      });
  const options = concern.options.safeParse(cluster.options[name]);
  if (!options.success) {
    const found = options.error.issues.flatMap((issue) => problemsOf(issue, concern.options as z.ZodType, cluster.options[name]));
    problems.push(...found.map((problem) => ({ ...problem, path: `${name}.${problem.path}` })));
  } else {
    const report: ReportOption = (option, what, more) =>
      problems.push({ severity: 'error', path: option === '' ? name : `${name}.${option}`, ...more, what });
    try {
      concern.check(options.data, cluster, report);
    } catch (error) {
      report('', `the check of ${name} throws: ${String(error)}`, { remedy: 'Mend the concern; the other problems are all there.' });
    }
  }
  return problems;
}

/**
 * Concerns so that each comes after those it requires, else by name.
 * @throws {Error} naming the cycle, if there is one
 */
export function inOrder(concerns: readonly Concern[]): Concern[] {
  const byName = new Map(concerns.map((concern) => [concern.name, concern]));
  const done = new Map<string, Concern>();
  const visit = (name: string, trail: readonly string[]): void => {
    const concern = byName.get(name);
    if (concern === undefined || done.has(name)) return;
    if (trail.includes(name)) throw new Error([...trail.slice(trail.indexOf(name)), name].join(' → '));
    for (const needed of [...concern.requires].sort()) visit(needed, [...trail, name]);
    done.set(name, concern);
  };
  for (const name of [...byName.keys()].sort()) visit(name, []);
  return [...done.values()];
}

function cycleProblem(installed: readonly Concern[]): Problem[] {
  try {
    inOrder(installed);
    return [];
  } catch (error) {
    return [
      {
        path: 'concerns',
        what: `concerns require each other: ${(error as Error).message}`,
        got: installed.map(({ name }) => name),
        allowed: 'requirements without a circle',
        remedy: 'Drop one of these requirements.',
        severity: 'error',
      },
    ];
  }
}
