/**
 * `cdk8s-gala`: cluster definitions, the platform they render to, and the constructs it is made of.
 */
export type { Cluster, Ec2Pool, IntranetPool, Pool } from '../lib/api/cluster.ts';
export {
  type ClusterDefinition,
  type ConcernOptions,
  defineCluster,
  type Ec2Definition,
  ec2,
  type IntranetDefinition,
  intranet,
  type PoolDefinition,
} from '../lib/api/definition.ts';
export { flag, integer, list, number, object, oneOf, record, text } from '../lib/api/field.ts';
export type { KubeObject, Manifest } from '../lib/api/manifest.ts';
export { type CheckedFleet, checkDefinitions, DefinitionError, type FoundProblem, problemLine, type Source } from './check.ts';
export { type Concern, type ConcernProps, defineConcern, type ReportOption } from './concern.ts';
export { HostPool, type HostPoolProps } from './host-pool.ts';
export { imageOf } from './image.ts';
export { type KubeletProfileProps, kubeletProfile } from './kubelet-profile.ts';
export type { Capability, Need } from './need.ts';
export { NodeAgent, type NodeAgentProps } from './node-agent.ts';
export type { Grant, Permission } from './permission.ts';
export { add, type Patchable, Platform, type PlatformProps, SYSTEM_NAMESPACE } from './platform.ts';
export type { Probe } from './probe.ts';
export { Program, type ProgramProps } from './program.ts';
export { type SynthMainProps, type SynthProps, type SynthReport, synth, synthMain } from './synth.ts';
export { UpstreamScheduler, type UpstreamSchedulerProps } from './upstream-scheduler.ts';
export type { WorkloadProps } from './workload.ts';
