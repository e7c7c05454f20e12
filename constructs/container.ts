/**
 * Containers: what any container of a NodeAgent or Program is told, with the defaults, and what is refused. A workload has
 * one of its own and may have others beside it.
 */
import type { Cluster } from '../lib/api/cluster.ts';
import { configNameOf } from './config-files.ts';
import { GALA, imageOf } from './image.ts';
import type { Need } from './need.ts';
import type { Nonsense } from './nonsense.ts';
import type { Probe } from './probe.ts';
import { nonsenseOfProbe } from './probe.ts';

/** What any container is told. */
export interface ContainerProps {
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
}

/** A container with its defaults filled in. */
export interface Container extends Omit<ContainerProps, 'program'> {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly cpu: string;
  /** What of the pod's needs is this container's. */
  readonly needs: readonly Need[];
  readonly configPath: string;
  /** Its ConfigMap. */
  readonly configName: string;
}

/**
 * A container's props with their defaults.
 * @param full its name with its workload's: that of its ConfigMap
 */
export function container(
  cluster: Pick<Cluster, 'registry'>,
  name: string,
  full: string,
  { program, ...told }: ContainerProps,
  needs: readonly Need[],
): Container {
  return {
    name,
    image: told.image ?? imageOf(cluster, GALA),
    command: told.command,
    args: [...(program === undefined ? [] : [program]), ...(told.args ?? [])],
    env: told.env,
    memory: told.memory,
    cpu: told.cpu ?? '20m',
    needs,
    config: told.config,
    configPath: told.configPath ?? `/etc/${name}`,
    configName: configNameOf(full),
    emptyDirs: told.emptyDirs,
    livenessProbe: told.livenessProbe,
    readinessProbe: told.readinessProbe,
    startupProbe: told.startupProbe,
  };
}

/** Everything that cannot work about a container; what its needs are is looked at with those of its pod. */
export function nonsenseOfContainer(told: ContainerProps, made: Container, ofPod: readonly Need[]): Nonsense[] {
  return [
    ...nonsenseOfImage(told),
    ...nonsenseOfMemory(made.memory),
    ...nonsenseOfCpu(made.cpu),
    ...nonsenseOfFiles(made),
    ...nonsenseOfMountPaths(made),
    ...nonsenseOfProbes(made, ofPod),
  ];
}

function nonsenseOfImage(told: ContainerProps): Nonsense[] {
  const found: Nonsense[] = [];
  if (told.image === undefined && told.program === undefined)
    found.push({ path: 'image', what: 'is missing', allowed: "an image, or one of Gala's programs", remedy: 'Give image or program.' });
  if (told.image !== undefined && !/^[^\s:@]+(:[0-9]+\/[^\s:@]+)?(:[\w.-]+)?(@sha256:\S+)?$/.test(told.image))
    found.push({
      path: 'image',
      what: `is '${told.image}'`,
      got: told.image,
      allowed: 'registry/name:tag or registry/name@sha256:…',
      remedy: 'Write it as `docker pull` takes it, without a scheme.',
    });
  return found;
}

/** A limit in bytes, thousandths or fractions is a slip of the pen. */
export function nonsenseOfMemory(memory: string): Nonsense[] {
  if (/^[1-9][0-9]*(Mi|Gi)$/.test(memory)) return [];
  const remedy = "Write what it uses at its busiest, measured, plus some: '64Mi'.";
  return [{ path: 'memory', what: `is '${memory}'`, got: memory, allowed: 'a whole number of Mi or Gi', remedy }];
}

function nonsenseOfCpu(cpu: string): Nonsense[] {
  if (/^([1-9][0-9]*m|[1-9][0-9]*(\.[0-9]+)?|0\.[0-9]+)$/.test(cpu)) return [];
  return [{ path: 'cpu', what: `is '${cpu}'`, got: cpu, allowed: 'cores or thousandths of one', remedy: "Write '20m' or '0.5'." }];
}

function nonsenseOfFiles(container: Container): Nonsense[] {
  const found: Nonsense[] = [];
  for (const file of Object.keys(container.config ?? {}))
    if (!/^[-._a-zA-Z0-9]+$/.test(file) || file === '.' || file === '..')
      found.push({
        path: `config.${file}`,
        what: 'is no key of a ConfigMap',
        got: file,
        allowed: 'letters, digits, - _ and .',
        remedy: 'Give the bare name of a file; its folder is configPath.',
      });
  return found;
}

function nonsenseOfMountPaths(container: Container): Nonsense[] {
  const paths = [
    ...container.needs.flatMap((need) => ('hostPath' in need ? [need.mountPath ?? need.hostPath] : [])),
    ...Object.keys(container.emptyDirs ?? {}),
    ...(container.config === undefined ? [] : [container.configPath]),
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

function nonsenseOfProbes(container: Container, ofPod: readonly Need[]): Nonsense[] {
  // The pod's network, and the ports that are this container's.
  const own = [...ofPod.filter((need) => 'hostNetwork' in need), ...container.needs];
  return (['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap((probe) => nonsenseOfProbe(probe, container[probe], own));
}
