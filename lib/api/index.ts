/**
 * `cdk8s-gala/api`: kinds, definitions and their schemas. No cdk8s, no I/O.
 */

export * from './authoring.ts';
export type { Existing, Machine, Services, Vlan, Volume } from './cluster.ts';
export * from './kinds.ts';
export { BECAUSE, keyOf, nameOf } from './manifest.ts';
export { expand } from './nodeset.ts';
export { type Parsed, parseCluster } from './parse.ts';
export { MINORS, type Minor } from './pool.ts';
export { type Problem, sentence } from './problem.ts';
