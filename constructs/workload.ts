/**
 * Workloads: what a NodeAgent and a Program are both told, with the defaults they share, and what is refused.
 */
import type { Construct } from 'constructs';
import { GALA, imageOf } from './image.ts';
import type { Need } from './need.ts';
import { asRoot, nonsenseOfNeeds } from './need.ts';
import type { Nonsense } from './nonsense.ts';
import type { Grant, Permission } from './permission.ts';
import { nonsenseOfPermissions } from './permission.ts';
import { PHASE } from './phase.ts';
import { Platform, SYSTEM_NAMESPACE } from './platform.ts';
import type { Probe } from './probe.ts';
import { nonsenseOfProbe } from './probe.ts';

export interface Toleration {
  readonly key?: string;
  readonly operator: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number;
}

export interface WorkloadProps {
  /** Name of every object it makes, and its selector: stable for ever. @default `gala-<program>`, or the construct's id */
  readonly name?: string;
  /** @default 'gala-system' */
  readonly namespace?: string;
  /** The phase its workload is applied in. @default that of the concern it stands in, else 'ops' */
  readonly phase?: string;
  /** With a pinned tag or a digest, pulled as it stands here. @default Gala's own, which needs `program` */
  readonly image?: string;
  /** Which of Gala's programs runs: `cni` runs `gala cni`. @default the image's own command */
  readonly program?: string;
  /** @default the image's entrypoint */
  readonly command?: readonly string[];
  /** Follow the program. @default none */
  readonly args?: readonly string[];
  /** Values, or fields of the pod: `{ NODE_NAME: { fieldPath: 'spec.nodeName' } }`. @default none but the API server's address, where it has permissions */
  readonly env?: Readonly<Record<string, string | { readonly fieldPath: string }>>;
  /** Limit and request alike, as measured: `'64Mi'`. */
  readonly memory: string;
  /** Request; there is never a CPU limit, which would throttle it just when it is needed. @default '20m' */
  readonly cpu?: string;
  /** Privileges on the node, each with its reason. @default none but the host's network */
  readonly needs?: readonly Need[];
  /** Permissions at the API server, each with its reason. @default none, and no token is mounted */
  readonly may?: readonly (Permission | Grant)[];
  /** `'pod'` gives it a pod's network: it then starts only where the cluster's network runs already. @default 'host' */
  readonly network?: 'host' | 'pod';
  /** Files by name, mounted read-only; a change rolls the pods. @default none */
  readonly config?: Readonly<Record<string, string>>;
  /** Where the files are. @default `/etc/<name>` */
  readonly configPath?: string;
  /** Writable folders by path, with their size limit: everything else is read-only. @default none */
  readonly emptyDirs?: Readonly<Record<string, string>>;
  /** When the kubelet restarts it. @default when its process ends */
  readonly livenessProbe?: Probe;
  /** When it counts as ready, which paces a rollout. @default as soon as it runs */
  readonly readinessProbe?: Probe;
  /** How long the other probes wait for it to start. @default they don't */
  readonly startupProbe?: Probe;
  /** How long it may tidy up after SIGTERM. @default 30 */
  readonly terminationGracePeriodSeconds?: number;
}

/** A workload with its defaults filled in. */
export interface Workload extends WorkloadProps {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly cpu: string;
  readonly needs: readonly Need[];
  readonly may: readonly (Permission | Grant)[];
  readonly configPath: string;
  readonly root: boolean;
  readonly apiServer: { readonly host: string; readonly port: number };
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
  return {
    ...props,
    name,
    namespace: props.namespace ?? SYSTEM_NAMESPACE,
    phase: props.phase ?? (scope.node.tryGetContext(PHASE) as string | undefined) ?? 'ops',
    image: props.image ?? imageOf(cluster, GALA),
    args: [...(props.program === undefined ? [] : [props.program]), ...(props.args ?? [])],
    cpu: props.cpu ?? '20m',
    needs,
    may: props.may ?? [],
    configPath: props.configPath ?? `/etc/${name}`,
    root: asRoot(needs),
    apiServer: cluster.apiServer,
  };
}

/** Everything that cannot work about a workload. */
export function nonsenseOfWorkload(props: WorkloadProps, made: Workload): Nonsense[] {
  const found: Nonsense[] = [];
  const { name, memory, cpu } = made;
  // 52 leaves room for the hash of a pod's name and for `-config`.
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 52)
    found.push({
      path: 'name',
      what: `is '${name}'`,
      got: name,
      allowed: 'lower-case letters, digits and -, at most 52',
      remedy: remedyOfName(props),
    });
  if (props.image === undefined && props.program === undefined)
    found.push({ path: 'image', what: 'is missing', allowed: "an image, or one of Gala's programs", remedy: 'Give image or program.' });
  if (props.image !== undefined && !/^[^\s:@]+(:[0-9]+\/[^\s:@]+)?(:[\w.-]+)?(@sha256:\S+)?$/.test(props.image))
    found.push({
      path: 'image',
      what: `is '${props.image}'`,
      got: props.image,
      allowed: 'registry/name:tag or registry/name@sha256:…',
      remedy: 'Write it as `docker pull` takes it, without a scheme.',
    });
  found.push(...nonsenseOfMemory(memory));
  if (!/^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]+)?|0\.[0-9]+)$/.test(cpu))
    found.push({ path: 'cpu', what: `is '${cpu}'`, got: cpu, allowed: 'cores or thousandths of one', remedy: "Write '20m' or '0.5'." });
  if (props.network === 'pod' && made.needs.some((need) => 'hostNetwork' in need))
    found.push({
      path: 'network',
      what: "is 'pod', but needs ask for hostNetwork",
      got: 'pod',
      allowed: 'one of the two',
      remedy: "Drop the need or network: 'pod'.",
    });
  for (const file of Object.keys(made.config ?? {}))
    if (!/^[-._a-zA-Z0-9]+$/.test(file) || file === '.' || file === '..')
      found.push({
        path: `config.${file}`,
        what: 'is no key of a ConfigMap',
        got: file,
        allowed: 'letters, digits, - _ and .',
        remedy: 'Give the bare name of a file; its folder is configPath.',
      });
  return [
    ...found,
    ...nonsenseOfMountPaths(made),
    ...nonsenseOfNeeds(made.needs).map((one) => numberedAsGiven(one, props, made)),
    ...nonsenseOfPermissions(made.may),
    ...nonsenseOfProbe('livenessProbe', made.livenessProbe, made.needs),
    ...nonsenseOfProbe('readinessProbe', made.readinessProbe, made.needs),
    ...nonsenseOfProbe('startupProbe', made.startupProbe, made.needs),
  ];
}

function remedyOfName({ name, program }: WorkloadProps): string {
  if (name !== undefined) return 'Give another name.';
  return program === undefined ? 'It is the construct id: change that, or give a name.' : 'It is made of the program: give a name.';
}

/** A limit in bytes, thousandths or fractions is a slip of the pen. */
export function nonsenseOfMemory(memory: string): Nonsense[] {
  if (/^[1-9][0-9]*(Mi|Gi)$/.test(memory)) return [];
  const remedy = "Write what it uses at its busiest, measured, plus some: '64Mi'.";
  return [{ path: 'memory', what: `is '${memory}'`, got: memory, allowed: 'a whole number of Mi or Gi', remedy }];
}

/** `needs[2]` of the filled-in list is `needs[1]` of the one a person wrote, where the host's network was added in front. */
function numberedAsGiven(one: Nonsense, props: WorkloadProps, made: Workload): Nonsense {
  const added = made.needs.length - (props.needs?.length ?? 0);
  return { ...one, path: one.path.replace(/^needs\[(\d+)\]/, (_, index) => `needs[${Number(index) - added}]`) };
}

function nonsenseOfMountPaths(made: Workload): Nonsense[] {
  const paths = [
    ...made.needs.flatMap((need) => ('hostPath' in need ? [need.mountPath ?? need.hostPath] : [])),
    ...Object.keys(made.emptyDirs ?? {}),
    ...(made.config === undefined ? [] : [made.configPath]),
  ];
  return paths
    .filter((path, index) => paths.indexOf(path) !== index)
    .map((path) => ({
      path: 'needs',
      what: `and config mount ${path} twice`,
      got: path,
      allowed: 'each path of the container once',
      remedy: 'Give one of them another mountPath.',
    }));
}
