/** Node facts: as much of a Node as the inventory keeps. */
import type { Requirement } from './types.ts';

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

export interface NodeFacts {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly ready: boolean;
  /** By resource, in base units. */
  readonly allocatable: Readonly<Record<string, number>>;
  /** `status.nodeInfo.machineID` of a racked host. */
  readonly machineID?: string;
  /** `spec.providerID` of an instance. */
  readonly providerID?: string;
  readonly internalIP?: string;
}

/** Whether labels and name meet a requirement, as kube-scheduler reads it (component-helpers, nodeaffinity). */
export type Meets = (requirement: Requirement) => boolean;
