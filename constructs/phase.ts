/**
 * Phases: what is applied before what. Each is one chart, so one file, named so that lexical order (`kubectl apply -f
 * <folder>`) and Argo CD's sync waves give the same order. No chart dependencies: they cost exponential time in cdk8s.
 */
export const PHASES = {
  crds: '10-crds',
  rbac: '20-rbac',
  pools: '30-pools',
  network: '40-network',
  scheduling: '50-scheduling',
  storage: '60-storage',
  ops: '70-ops',
  monitoring: '80-monitoring',
} as const;
export type Phase = keyof typeof PHASES;

/** A phase's chart id; a concern that Gala doesn't know is rendered after its own: `90-ddos`. */
export function chartId(phase: string): string {
  return PHASES[phase as Phase] ?? `90-${phase}`;
}

/** The sync wave of everything in a chart. */
export const waveOf = (id: string): string => id.slice(0, id.indexOf('-'));

/** Construct context: the phase that a concern's workloads go to. */
export const PHASE = 'gala.internal/phase';
