/** What the gate is given and what it answers with. */
import type { KubeObject } from '../api/manifest.ts';

/** An object that leaves synth, with the file it is written to. */
export interface GateInput {
  /** As a person would open it: `dist/bj-a/40-network.yaml`. */
  readonly file: string;
  readonly object: KubeObject;
}

export type Severity = 'error' | 'warning';

/** Facts about the cluster that the objects can't tell. */
export interface GateContext {
  /** `none`: no kube-proxy, so that no ClusterIP but that of the API server is reached from a pod. */
  readonly services: 'none' | 'kube-proxy';
  readonly kubernetes: '1.35' | '1.36' | '1.37';
  /**
   * What the cluster has and this synth does not render, as `nameOf` writes it: `Namespace/monitoring`, `Secret/web/tls`.
   * @default nothing but what every cluster has
   */
  readonly existing?: readonly string[];
  /**
   * Scope of custom kinds whose CRD is not among the objects: `{ 'monitoring.coreos.com/PrometheusRule': 'Namespaced' }`.
   * @default such kinds are not checked for their scope
   */
  readonly kinds?: Readonly<Record<string, 'Namespaced' | 'Cluster'>>;
}

/** Something wrong with one object. */
export interface Finding {
  /** The rule's id, `dangling-secret`. */
  readonly rule: string;
  readonly severity: Severity;
  /** `DaemonSet/gala-system/gala-cni` */
  readonly object: string;
  /** Into the object: `spec.template.spec.containers[0].image`; empty for the object as a whole. */
  readonly path: string;
  /** What is there, the value included, and what would be right. */
  readonly message: string;
  /** What to do now. */
  readonly remedy: string;
  readonly file: string;
}

/** A finding as one line: where, what, got, allowed, remedy, and the rule's id for those who search. */
export function findingLine(finding: Finding): string {
  const { file, object, path, message, remedy, rule, severity } = finding;
  const where = [file, object, path].filter((part) => part !== '').join(': ');
  return `${where}: ${severity === 'warning' ? 'warning: ' : ''}${message}. ${remedy} [${rule}]`;
}
