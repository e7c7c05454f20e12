/**
 * Rules come in families: one file each, one look at an object for all rules of the family.
 * A rule has an id, a reason and a remedy; docs/gate.md lists them, and a test demands a bad sample for each.
 */
import type { KubeObject } from '../api/manifest.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Severity } from './finding.ts';
import type { Pod } from './pod.ts';

export interface RuleFacts {
  /** Why it is refused, in one sentence. */
  readonly reason: string;
  /** What to do, as a sentence to the reader. */
  readonly remedy: string;
  readonly severity: Severity;
  /** What the API server says to it, asked with each rule's bad samples; where it accepts, the reason says what fails later. */
  readonly server: 'refuses' | 'accepts' | 'either';
}

/** A rule as docs, tests and people see it. */
export interface Rule extends RuleFacts {
  /** Kebab-case; stable API. */
  readonly id: string;
  readonly family: string;
}

/** Reports something wrong. `message`: what is there, value included, and what would be right; no full stop. */
export type Found<Id extends string> = (
  rule: Id,
  path: string,
  message: string,
  instead?: { readonly remedy?: string; readonly severity?: Severity },
) => void;

export interface Family<Id extends string = string> {
  readonly name: string;
  readonly rules: Readonly<Record<Id, RuleFacts>>;
  /** Looks at every object. */
  object?(object: KubeObject, cluster: ClusterView, found: Found<Id>): void;
  /** Looks at every pod template (and bare pod). */
  pod?(pod: Pod, cluster: ClusterView, found: Found<Id>): void;
}

/** Declares a family; its checks can report its own rules only. */
export function family<const Id extends string>(declared: Family<Id>): Family {
  return declared as unknown as Family;
}
