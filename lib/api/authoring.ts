/** What somebody needs who writes definitions, or a concern with options of its own: part of `cdk8s-gala` and of its `/api`. */
export type { Cluster, Ec2Pool, IntranetPool, Pool } from './cluster.ts';
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
export type { KubeObject, Manifest } from './manifest.ts';
