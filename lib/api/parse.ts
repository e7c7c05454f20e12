/**
 * From whatever was typed to a checked cluster, or to all that is wrong with it.
 * Called by synth, the CLI and tests, for TypeScript, YAML and JSON alike. Pure.
 */
import * as z from 'zod';
import { checkCapacityOrder, checkLending, checkMachines, checkMacs, checkVolumes } from './check/capacity.ts';
import { checkDns } from './check/dns.ts';
import type { Draft, Report } from './check/draft.ts';
import { checkEc2 } from './check/ec2.ts';
import { checkHosts } from './check/hosts.ts';
import { checkNames, checkSomePool } from './check/names.ts';
import { checkPodSubnets } from './check/pod-subnets.ts';
import { checkServiceCidr } from './check/services.ts';
import { checkVlans } from './check/vlans.ts';
import type { Cluster } from './cluster.ts';
import { type Checked, definition } from './definition.ts';
import { facts } from './field.ts';
import { at, problemsOf, schemaAt } from './issue.ts';
import { clusterOf } from './model.ts';
import { expand } from './nodeset.ts';
import { macsPerPort } from './pool.ts';
import type { Problem } from './problem.ts';

/** What parsing needs to know of a concern. */
export interface KnownConcern {
  readonly name: string;
  /** What it may be told; a concern without options takes none. */
  readonly options?: z.ZodType;
  /** Installed only where `concerns` names it. @default where `concerns` is left out, too */
  readonly optIn?: boolean;
}

export interface Parsed {
  /** Errors first, then warnings; empty when all is well. */
  readonly problems: readonly Problem[];
  /** There when no problem is an error. */
  readonly cluster?: Cluster;
  /** Whatever of the definition could be read, for checks between definitions. */
  readonly draft?: Draft;
}

const schemas = new WeakMap<readonly KnownConcern[], z.ZodType<Checked>>();

/** The definition's schema with the options of the concerns that are there. */
export function definitionSchema(concerns: readonly KnownConcern[]): z.ZodType<Checked> {
  const made = schemas.get(concerns);
  if (made !== undefined) return made;
  const options = concerns.flatMap(({ name, options }) => (options === undefined ? [] : [[name, options.optional()]]));
  const schema = definition.safeExtend(Object.fromEntries(options));
  facts.add(schema, {
    doc: 'One cluster.',
    noun: 'an object with name, kubernetes, apiServer and pools',
    remedy: 'Write it as defineCluster takes it: README.md starts with the smallest.',
  });
  schemas.set(concerns, schema as never);
  return schema as never;
}

/**
 * @param input anything: a definition as typed, or what a YAML or JSON file held
 * @param concerns those that may be installed: Gala's own and the caller's
 */
export function parseCluster(input: unknown, concerns: readonly KnownConcern[] = []): Parsed {
  try {
    return parse(input, concerns);
  } catch (error) {
    // A getter of the definition, or a mistake of ours: either way the other definitions' problems are still told.
    return {
      problems: [
        {
          path: '',
          what: `reading it throws: ${String(error)}`,
          allowed: 'plain data',
          remedy: 'Write values, not getters.',
          severity: 'error',
        },
      ],
    };
  }
}

function parse(input: unknown, concerns: readonly KnownConcern[]): Parsed {
  const problems: Problem[] = [];
  const report: Report = (problem) => problems.push({ severity: 'error', ...problem });
  const schema = definitionSchema(concerns);
  const result = schema.safeParse(input);
  const issues = result.success ? [] : underWrongKeys(result.error.issues, schema, input);
  problems.push(...once(issues.flatMap((issue) => problemsOf(issue, schema, input))));
  const draft = (result.success ? result.data : without(input, issues)) as Draft;
  if (draft !== undefined) crossCheck(draft, report);
  problems.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  if (!result.success || problems.some(({ severity }) => severity === 'error')) return { problems, draft };
  return { problems, draft, cluster: clusterOf(result.data, concerns) };
}

function crossCheck(draft: Draft, report: Report): void {
  checkSomePool(draft, report);
  checkNames(draft, report);
  checkHosts(draft, report);
  checkVlans(draft, report);
  checkMachines(draft, report);
  checkVolumes(draft, report);
  checkLending(draft, report);
  checkMacs(draft, readable, macsPerPort.parse(undefined), report);
  checkEc2(draft, report);
  checkPodSubnets(draft, report);
  checkServiceCidr(draft, report);
  checkDns(draft, report);
  checkCapacityOrder(draft, report);
}

function readable(nodeset: string): readonly string[] {
  try {
    return expand(nodeset);
  } catch {
    return []; // checkHosts has said why
  }
}

/** zod doesn't look at what stands under a key that is wrong; the person who mends the key would find the rest in a second run. */
function underWrongKeys(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType, input: unknown): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    const inner = issue.code === 'invalid_key' ? schemaAt(schema, issue.path, input) : undefined;
    if (inner === undefined) return [issue];
    const value = at(input, issue.path);
    const result = z.safeParse(inner, value);
    const more = result.success ? [] : underWrongKeys(result.error.issues, inner, value);
    return [issue, ...more.map((one) => ({ ...one, path: [...issue.path, ...one.path] }))];
  });
}

/** A value that breaks two rules of its field is one problem. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path} ${problem.what}`, problem])).values()];
}

/** The input with every refused value cut out; undefined when nothing is left to look at. Copies only what it changes. */
function without(input: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const paths = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...issue.path, key]);
    // Under a wrong key the value may be right: other checks can look at it.
    return issue.code === 'invalid_key' ? [] : [issue.path];
  });
  return paths.reduce(cut, input);
}

function cut(value: unknown, path: readonly PropertyKey[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined || typeof value !== 'object' || value === null) return undefined;
  // A list keeps its length: other problems of this run name its items by index.
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? cut(item, rest) : item));
  return { ...value, [key]: cut((value as Record<PropertyKey, unknown>)[key], rest) };
}
