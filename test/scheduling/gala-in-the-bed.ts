/**
 * Gala as its cluster runs it, on a bed: what synth renders is applied, and each container of its Deployments is a process in the
 * bed's network, with the command line, files and rights that the pod would have. Replicas share one host here, so each has
 * ports of its own; nothing else differs.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { type Rendered, rendered } from '../../constructs/testing.ts';
import type { ClusterDefinition } from '../../lib/api/definition.ts';
import type { KubeObject } from '../../lib/api/manifest.ts';
import { API_PORT, CONTROLLER_PORT, EXTENDER_PORT } from '../../lib/api/scheduling.ts';
import { kubeconfigOf } from '../bed/account.ts';
import type { Bed } from '../bed/control-plane.ts';
import { command as partCommand } from '../bed/parts.ts';
import { type Started, start, until } from '../bed/process.ts';
import { environment, imageRoot } from '../tools/image-root.ts';

const NAMESPACE = 'gala-system';
const SCHEDULER_PORT = 10269;
/** Between the ports of one replica and the next. */
const STEP = 20;

export interface GalaOptions {
  /** Its `apiServer` is the bed's, whatever it says. */
  readonly definition: ClusterDefinition;
  /** Replicas of `gala-scheduler`: a kube-scheduler and a `gala scheduler` each. @default 2 */
  readonly schedulers?: number;
  /** Replicas of `gala-controller`. @default 1 */
  readonly controllers?: number;
}

export interface Replica {
  /** `gala-scheduler-0` */
  readonly name: string;
  /** Ends it, or one container of it, as kill -9 does. */
  kill(container?: string): Promise<void>;
  /** Asks it, or one container of it, to stop, as the kubelet does, and resolves when it has. @returns how each ended */
  terminate(container?: string): Promise<string[]>;
  /** Starts what has ended, as the kubelet does, and resolves when it is ready. */
  start(): Promise<void>;
  /** What its containers, or one of them, have said, all runs of them. */
  log(container?: string): string;
  /** The body of a page of its loopback port; rejects without a 200. */
  page(path: string): Promise<string>;
}

export interface Gala {
  readonly rendered: Rendered;
  readonly schedulers: readonly Replica[];
  readonly controllers: readonly Replica[];
  readonly all: readonly Replica[];
  /** Ends every process; the bed goes on. */
  stop(): Promise<void>;
}

/** Resolves when everything is applied and every replica is ready. */
export async function startGala(bed: Bed, { definition, schedulers = 2, controllers = 1 }: GalaOptions): Promise<Gala> {
  const out = rendered({ ...definition, apiServer: bed.url } as ClusterDefinition);
  await applyAll(bed, out.objects);
  const site: Site = { bed, out, gala: await imageRoot(join(bed.folder, 'image')), at: bed.network };
  const many = (deployment: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => aReplica(site, deployment, index)));
  const scheduling = await many('gala-scheduler', schedulers);
  const controlling = await many('gala-controller', controllers);
  const all = [...scheduling, ...controlling];
  await Promise.all(all.map((replica) => replica.start()));
  return {
    ...{ rendered: out, schedulers: scheduling, controllers: controlling, all },
    stop: async () => {
      await Promise.all(all.map((replica) => replica.kill()));
    },
  };
}

/** Its pods are processes here: the controllers would make others, which wait for hosts that nobody has. */
const PLAYED = ['Deployment'];

async function applyAll(bed: Bed, objects: readonly KubeObject[]): Promise<void> {
  const applied = await bed.apply(objects.filter(({ kind }) => !PLAYED.includes(kind)));
  const wrong = applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0);
  if (wrong.length > 0) throw new Error(wrong.map(({ object, message, warnings }) => `${object}: ${message ?? warnings}`).join('\n'));
}

interface Site {
  readonly bed: Bed;
  readonly out: Rendered;
  /** The file that runs as `gala`. */
  readonly gala: string;
  readonly at: Bed['network'];
}

interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

async function aReplica(site: Site, deployment: string, index: number): Promise<Replica> {
  const { bed, out } = site;
  const name = `${deployment}-${index}`;
  const found = out.object(`Deployment/${NAMESPACE}/${deployment}`) as unknown as Deployment | undefined;
  if (found === undefined) throw new Error(`${deployment} is not rendered: give the definition a pool and the concern scheduling`);
  const { serviceAccountName, containers } = found.spec.template.spec;
  const kubeconfig = await kubeconfigOf(bed, NAMESPACE, serviceAccountName);
  const ports = {
    scheduler: await bed.network.port(SCHEDULER_PORT + STEP * index),
    extender: await bed.network.port(EXTENDER_PORT + STEP * index),
    api: await bed.network.port(API_PORT + STEP * index),
    health: await bed.network.port(CONTROLLER_PORT + STEP * index),
  };
  const running = new Map<string, Started>();
  const said: Started[] = [];

  function run(container: Container): void {
    const logFile = join(bed.folder, `${name}-${container.name}-${said.length}.log`);
    const [program, ...args] = commandOf(site, container, { name, kubeconfig, ports });
    const process = start(`${name}/${container.name}`, [program!, ...args], logFile, { ...environment(), PATH: '/usr/bin:/bin' });
    bed.atEnd(process.kill);
    running.set(container.name, process);
    said.push(process);
    void process.ended.then(() => {
      if (running.get(container.name) === process) running.delete(container.name);
    });
  }

  const page = async (path: string) => {
    const port = deployment === 'gala-scheduler' ? ports.extender : ports.health;
    const ask = `fetch('http://127.0.0.1:${port}${path}').then(async (it) => {
      process.stdout.write(await it.text()); process.exitCode = it.status === 200 ? 0 : 1; }, (error) => {
      process.stderr.write(String(error.cause ?? error)); process.exitCode = 2; })`;
    const [program, ...args] = bed.network.within([process.execPath, '-e', ask]);
    return (await promisify(execFile)(program, args)).stdout;
  };

  const isOf = (process: Started, container: string | undefined) => container === undefined || process.name === `${name}/${container}`;
  const of = (container: string | undefined) => [...running.values()].filter((process) => isOf(process, container));

  return {
    name,
    page,
    kill: async (container) => {
      await Promise.all(of(container).map((process) => process.kill()));
    },
    terminate: async (container) => {
      const ending = of(container);
      for (const { pid } of ending) process.kill(pid, 'SIGTERM');
      return await Promise.all(ending.map(({ ended }) => ended));
    },
    start: async () => {
      for (const container of containers) if (!running.has(container.name)) run(container);
      const ready = async () => (await page('/readyz')) === 'ok';
      await until(`${name} ready`, [...running.values()], 60, ready, 200);
    },
    log: (container) =>
      said
        .filter((process) => isOf(process, container))
        .map((process) => process.log())
        .join(''),
  };
}

interface Deployment {
  readonly spec: {
    readonly template: { readonly spec: { readonly serviceAccountName: string; readonly containers: readonly Container[] } };
  };
}

interface Own {
  /** Of the replica. */
  readonly name: string;
  readonly kubeconfig: string;
  readonly ports: Readonly<Record<'scheduler' | 'extender' | 'api' | 'health', number>>;
}

/** What runs in place of a container. A flag that is given twice counts as it was given last. */
function commandOf(site: Site, { command = [], args = [] }: Container, own: Own): [string, ...string[]] {
  if (command[0] === 'kube-scheduler') return kubeScheduler(site, args, own);
  const { kubeconfig, ports } = own;
  const flags = {
    scheduler: [`--extender-port=${ports.extender}`, `--api-port=${ports.api}`],
    controller: [`--health-port=${ports.health}`],
  }[args[0] as 'scheduler' | 'controller'];
  return [...site.at.within([process.execPath, site.gala, ...args, ...flags, `--kubeconfig=${kubeconfig}`])] as [string, ...string[]];
}

const CONFIG = 'kube-scheduler.yaml';

function kubeScheduler({ bed, out, at }: Site, args: readonly string[], { name, kubeconfig, ports }: Own): [string, ...string[]] {
  const map = out.objects.find(({ kind, data }) => kind === 'ConfigMap' && Object.hasOwn((data as object | undefined) ?? {}, CONFIG));
  const config = parse((map as unknown as { data: Record<string, string> }).data[CONFIG]!);
  // In a pod an absent kubeconfig means the pod's own account.
  config.clientConnection.kubeconfig = kubeconfig;
  for (const extender of config.extenders ?? []) extender.urlPrefix = extender.urlPrefix.replace(/:\d+$/, `:${ports.extender}`);
  const file = join(bed.folder, `${name}.yaml`);
  writeFileSync(file, stringify(config));
  const rest = args.filter((arg) => !/^--(config|secure-port)=/.test(arg));
  const access = [`--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`];
  const [program, ...first] = partCommand('kube-scheduler');
  return [...at.within([program, ...first, ...rest, `--config=${file}`, `--secure-port=${ports.scheduler}`, ...access])] as [
    string,
    ...string[],
  ];
}
