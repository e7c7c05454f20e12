/**
 * `cdk8s-gala/api`: kinds, definitions and their schemas. No cdk8s, no I/O.
 */
export type { Cluster, Ec2Pool, Existing, IntranetPool, Machine, Pool, Services, Vlan, Volume } from './cluster.ts';
export {
  type ClusterDefinition,
  type ConcernOptions,
  defineCluster,
  type Ec2Definition,
  ec2,
  type IntranetDefinition,
  intranet,
  type PoolDefinition,
} from './definition.ts';
export { flag, integer, list, number, object, oneOf, record, text } from './field.ts';
export * from './kinds.ts';
export { BECAUSE, type KubeObject, keyOf, type Manifest, nameOf } from './manifest.ts';
export { expand } from './nodeset.ts';
export { type Parsed, parseCluster } from './parse.ts';
export { MINORS, type Minor } from './pool.ts';
export { type Problem, sentence } from './problem.ts';
