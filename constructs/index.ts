/**
 * `cdk8s-gala`: cluster definitions, the platform they render to, and the constructs it is made of.
 */
export * from '../lib/api/authoring.ts';
export { type CheckedFleet, checkDefinitions, DefinitionError, type FoundProblem, problemLine, type Source } from './check.ts';
export { CloudController, type CloudControllerProps, type CloudOptions } from './cloud/cloud-controller.ts';
export { type Concern, type ConcernProps, defineConcern, type ReportOption } from './concern.ts';
export { Controller, type ControllerProps } from './controller.ts';
export { HostPool, type HostPoolProps } from './host-pool.ts';
export { imageOf } from './image.ts';
export { type KubeletProfileProps, kubeletProfile } from './kubelet-profile.ts';
export type { Capability, Need } from './need.ts';
export { ClusterNetwork, type ClusterNetworkProps, type NetworkOptions } from './network/cluster-network.ts';
export { type LabelDemand, NodeAgent, type NodeAgentProps } from './node-agent.ts';
export type { Grant, Permission } from './permission.ts';
export { add, type Patchable, Platform, type PlatformProps, SYSTEM_NAMESPACE } from './platform.ts';
export type { Probe } from './probe.ts';
export { Program, type ProgramProps } from './program.ts';
export type { KubeSchedulerProps } from './scheduling/kube-scheduler.ts';
export { Scheduling, type SchedulingOptions, type SchedulingProps } from './scheduling/scheduling.ts';
export { type SynthMainProps, type SynthProps, type SynthReport, synth, synthMain } from './synth.ts';
export type { BesideProps, WorkloadProps } from './workload.ts';
