/**
 * Workloads: what a NodeAgent and a Program are both told, with the defaults they share, and what is refused.
 */
import type { Construct } from 'constructs';
import { type Container, type ContainerProps, container, nonsenseOfContainer } from './container.ts';
import type { HostPortNeed, Need } from './need.ts';
import { asRoot, nonsenseOfNeeds } from './need.ts';
import type { Nonsense } from './nonsense.ts';
import type { Grant, Permission } from './permission.ts';
import { nonsenseOfPermissions } from './permission.ts';
import { PHASE } from './phase.ts';
import { Platform, SYSTEM_NAMESPACE } from './platform.ts';

export interface Toleration {
  readonly key?: string;
  readonly operator: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number;
}

/** A container beside a workload's own, in the same pod: one account, one network, one life. */
export interface BesideProps extends ContainerProps {
  /** Ports of the host that it listens on: what a container needs of its own. @default none */
  readonly needs?: readonly HostPortNeed[];
}

/** A container that ends before the workload's own start: no files, no probes, no privileges. */
export type BeforeProps = Pick<ContainerProps, 'image' | 'program' | 'command' | 'args' | 'env' | 'memory' | 'cpu'>;

export interface WorkloadProps extends ContainerProps {
  /** Name of every object it makes, and its selector: stable for ever. @default `gala-<program>`, or the construct's id */
  readonly name?: string;
  /** @default 'gala-system' */
  readonly namespace?: string;
  /** The phase its workload is applied in. @default that of the concern it stands in, else 'ops' */
  readonly phase?: string;
  /** Privileges on the node, each with its reason. @default none but the host's network */
  readonly needs?: readonly Need[];
  /** Permissions at the API server, each with its reason. @default none, and no token is mounted */
  readonly may?: readonly (Permission | Grant)[];
  /** `'pod'` gives it a pod's network: it then starts only where the cluster's network runs already. @default 'host' */
  readonly network?: 'host' | 'pod';
  /** How long it may tidy up after SIGTERM. @default 30 */
  readonly terminationGracePeriodSeconds?: number;
  /** What must have ended well before the pod's containers start, by name, one after the other. @default nothing */
  readonly before?: Readonly<Record<string, BeforeProps>>;
  /** Further containers of the pod, by name: they share its account, what it may do and its user. @default none */
  readonly beside?: Readonly<Record<string, BesideProps>>;
}

/** A workload with its defaults filled in. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  /** Those of all its containers. */
  readonly needs: readonly Need[];
  readonly may: readonly (Permission | Grant)[];
  readonly terminationGracePeriodSeconds?: number;
  readonly root: boolean;
  readonly apiServer: { readonly host: string; readonly port: number };
  readonly before: readonly Container[];
  /** Its own first, then those beside it. */
  readonly containers: readonly [Container, ...Container[]];
}

/** Node agents and programs keep the network running, so they can't wait for it. */
const HOST_NETWORK = {
  hostNetwork: true,
  because: 'it starts, and stays reachable, before and without the pod network',
} as const;

/** Props with their defaults, as seen from where the construct stands. */
export function workload(scope: Construct, props: WorkloadProps): Workload {
  const { cluster } = Platform.of(scope);
  const name = props.name ?? (props.program === undefined ? scope.node.id : `gala-${props.program}`);
  const given = props.needs ?? [];
  const needs = props.network === 'pod' || given.some((need) => 'hostNetwork' in need) ? given : [HOST_NETWORK, ...given];
  const beside = Object.entries(props.beside ?? {}).map(([beside, told]) =>
    container(cluster, beside, `${name}-${beside}`, told, told.needs ?? []),
  );
  const before = Object.entries(props.before ?? {}).map(([before, told]) => container(cluster, before, `${name}-${before}`, told, []));
  const all = [...needs, ...beside.flatMap((container) => container.needs)];
  return {
    name,
    namespace: props.namespace ?? SYSTEM_NAMESPACE,
    phase: props.phase ?? (scope.node.tryGetContext(PHASE) as string | undefined) ?? 'ops',
    needs: all,
    may: props.may ?? [],
    terminationGracePeriodSeconds: props.terminationGracePeriodSeconds,
    root: asRoot(all),
    apiServer: cluster.apiServer,
    before,
    containers: [container(cluster, name, name, props, needs), ...beside],
  };
}

/** Everything that cannot work about a workload. */
export function nonsenseOfWorkload(props: WorkloadProps, made: Workload): Nonsense[] {
  const found: Nonsense[] = [];
  const { name, needs } = made;
  const [own, ...beside] = made.containers;
  // 52 leaves room for the hash of a pod's name and for `-config`.
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 52)
    found.push({
      path: 'name',
      what: `is '${name}'`,
      got: name,
      allowed: 'lower-case letters, digits and -, at most 52',
      remedy: remedyOfName(props),
    });
  if (props.network === 'pod' && needs.some((need) => 'hostNetwork' in need))
    found.push({
      path: 'network',
      what: "is 'pod', but needs ask for hostNetwork",
      got: 'pod',
      allowed: 'one of the two',
      remedy: "Drop the need or network: 'pod'.",
    });
  return [
    ...found,
    ...nonsenseOfContainer(props, own, needs),
    ...nonsenseOfNeeds(needs).map((one) => numberedAsGiven(one, props, made)),
    ...nonsenseOfPermissions(made.may),
    ...made.before.flatMap((container) =>
      nonsenseOfContainer(props.before?.[container.name] ?? container, container, []).map((one) => ({
        ...one,
        path: `before.${container.name}.${one.path}`,
      })),
    ),
    ...beside.flatMap((container) => nonsenseOfBeside(container, props, made)),
  ];
}

/** What is wrong with a container beside the workload's own, its path in front. */
function nonsenseOfBeside(container: Container, props: WorkloadProps, made: Workload): Nonsense[] {
  const { name } = container;
  const found = nonsenseOfContainer(props.beside?.[name] ?? container, container, made.needs);
  const named = found.map((one) => ({ ...one, path: `beside.${name}.${one.path}` }));
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name) && name !== made.name) return named;
  const remedy = 'Call it after the program that runs in it.';
  return [
    { path: `beside.${name}`, what: `is called '${name}'`, got: name, allowed: `a DNS label other than ${made.name}`, remedy },
    ...named,
  ];
}

function remedyOfName({ name, program }: WorkloadProps): string {
  if (name !== undefined) return 'Give another name.';
  return program === undefined ? 'It is the construct id: change that, or give a name.' : 'It is made of the program: give a name.';
}

/** The needs of all containers are looked at as one list; a person wrote several, without the host's network in front. */
function numberedAsGiven(one: Nonsense, props: WorkloadProps, { containers: [own, ...beside] }: Workload): Nonsense {
  const added = own.needs.length - (props.needs?.length ?? 0);
  const paths = [
    ...own.needs.map((_, index) => `needs[${index - added}]`),
    ...beside.flatMap(({ name, needs }) => needs.map((_, index) => `beside.${name}.needs[${index}]`)),
  ];
  return { ...one, path: one.path.replace(/^needs\[(\d+)\]/, (path, index) => paths[Number(index)] ?? path) };
}
