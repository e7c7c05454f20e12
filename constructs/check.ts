/**
 * All that is wrong with a fleet of definitions, in one list: fields, cross-checks, concerns, and what two clusters
 * can't both have. Called by synth, by `Platform` and by tests, so they can't differ.
 */

import { checkFleet, type FleetMember } from '../lib/api/check/fleet.ts';
import type { Cluster } from '../lib/api/cluster.ts';
import { parseCluster } from '../lib/api/parse.ts';
import type { Problem } from '../lib/api/problem.ts';
import { sentence } from '../lib/api/problem.ts';
import { type Concern, concernProblems } from './concern.ts';
import { profileProblems } from './hosts.ts';

/** A definition and the file it stands in. */
export interface Source {
  /** As a message names it: `clusters/bj-a.ts`. */
  readonly file: string;
  readonly definition: unknown;
}

export interface FoundProblem extends Problem {
  readonly file: string;
}

export interface CheckedFleet {
  /** By file, errors before warnings. */
  readonly problems: readonly FoundProblem[];
  /** Those definitions that have no error of their own. */
  readonly clusters: readonly { readonly file: string; readonly cluster: Cluster }[];
}

export function checkDefinitions(sources: readonly Source[], concerns: readonly Concern[]): CheckedFleet {
  const problems: FoundProblem[] = [];
  const clusters: { file: string; cluster: Cluster }[] = [];
  const fleet: FleetMember[] = [];
  for (const { file, definition } of sources) {
    const parsed = parseCluster(definition, concerns);
    if (parsed.draft !== undefined) fleet.push({ file, draft: parsed.draft });
    const found = [...parsed.problems];
    if (parsed.cluster !== undefined) {
      found.push(...concernProblems((definition as { concerns?: string[] }).concerns, parsed.cluster, concerns));
      found.push(...profileProblems(parsed.cluster));
      if (!found.some(({ severity }) => severity === 'error')) clusters.push({ file, cluster: parsed.cluster });
    }
    for (const problem of found) problems.push({ file, ...problem });
  }
  checkFleet(fleet, (file) => (problem) => problems.push({ severity: 'error', file, ...problem }));
  problems.sort((a, b) => compare(a.file, b.file) || Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  return { problems, clusters };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `clusters/bj-a.ts: pools.web.vlans.5000: VLAN id is 5000; …` */
export function problemLine(problem: FoundProblem): string {
  return `${problem.severity === 'warning' ? 'warning: ' : ''}${problem.file}: ${sentence(problem)}`;
}

/** Thrown where a definition with problems is rendered in memory; `problems` holds them all. */
export class DefinitionError extends Error {
  readonly problems: readonly FoundProblem[];
  constructor(problems: readonly FoundProblem[]) {
    super(problems.map(problemLine).join('\n'));
    this.name = 'DefinitionError';
    this.problems = problems;
  }
}
