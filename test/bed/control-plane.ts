/**
 * A real control plane for a test: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, ready in seconds, in a
 * data folder and a network of its own, as many at once as there is memory for. It ends with `stop()`, or with the process
 * that started it.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.ts';
import { type Site, startApiServer, startControllers, startScheduler } from './components.ts';
import { aNetwork, loopback, type Network } from './network.ts';
import { command, type PartName } from './parts.ts';
import { type Started, start } from './process.ts';
import { newFolder, note, sweep } from './records.ts';

export interface BedOptions {
  /** Parts that this test does without. @default - all four run */
  readonly without?: readonly ('kube-controller-manager' | 'kube-scheduler')[];
  /** Further arguments per part. @default - none */
  readonly flags?: Partial<Record<PartName, readonly string[]>>;
  /** @default - a network namespace as root, loopback otherwise */
  readonly network?: 'loopback';
}

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Bed extends Omit<Client, 'close'> {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  /** `https://…`, reachable from this process and its children. */
  readonly url: string;
  readonly token: string;
  /** The bed's data, kept until it is stopped. */
  readonly folder: string;
  readonly network: Network;
  kubectl(args: readonly string[], options?: { stdin?: string }): Promise<KubectlResult>;
  /** Starts another part in the bed's network; it ends with the bed. */
  run(name: PartName, args: readonly string[]): Started;
  /** What a part has said so far. */
  log(part: PartName): string;
  stop(): Promise<void>;
}

/** Starts a control plane and resolves when it serves and, with the controllers, when pods can be made in `default`. */
export async function startControlPlane(options: BedOptions = {}): Promise<Bed> {
  sweep();
  for (let tries = 1; ; tries++) {
    const folder = newFolder();
    const started: Started[] = [];
    const clear = async () => {
      await Promise.all(started.map((process) => process.kill()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    };
    try {
      return await startIn(folder, started, clear, options);
    } catch (error) {
      await clear();
      // Another program took a free port between the look and the use; in a namespace there is nobody else.
      if (tries < 3 && (error as Error).message.includes('address already in use')) continue;
      throw error;
    }
  }
}

async function startIn(folder: string, started: Started[], clear: () => Promise<void>, options: BedOptions): Promise<Bed> {
  const network = options.network === 'loopback' ? loopback : await aNetwork(folder);
  if (network.holder) started.push(network.holder);
  const logFile = (part: PartName, run = 1) => join(folder, run === 1 ? `${part}.log` : `${part}-${run}.log`);
  const runs = new Map<PartName, number>();

  const run: Bed['run'] = (name, args) => {
    runs.set(name, (runs.get(name) ?? 0) + 1);
    const [program, ...first] = network.within(command(name));
    const process = start(name, [program, ...first, ...args], logFile(name, runs.get(name)));
    started.push(process);
    const pids = started.map((each) => each.pid);
    note(folder, pids);
    return process;
  };

  const site: Site = { folder, network, run: (name, args) => run(name, [...args, ...(options.flags?.[name] ?? [])]) };
  const apiServer = await startApiServer(site);
  const { client, url, token, kubeconfig } = apiServer;
  await Promise.all([
    options.without?.includes('kube-controller-manager') || startControllers(site, apiServer),
    options.without?.includes('kube-scheduler') || startScheduler(site, apiServer),
  ]);

  return {
    ...{ kubeconfig, url, token, folder, network, run },
    request: client.request,
    apply: client.apply,
    pathOf: client.pathOf,
    kubectl: (args, { stdin } = {}) => kubectl(kubeconfig, folder, args, stdin),
    log: (part) => readFileSync(logFile(part), 'utf8'),
    stop: async () => {
      client.close();
      await clear();
    },
  };
}

function kubectl(kubeconfig: string, folder: string, args: readonly string[], stdin?: string): Promise<KubectlResult> {
  const [program, ...first] = command('kubectl');
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...first, '--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl-cache'), ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
    child.stdin?.on('error', () => {}); // kubectl may end before it has read everything: its exit code says why
    child.stdin?.end(stdin ?? '');
  });
}
