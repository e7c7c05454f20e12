/**
 * A real control plane for a test: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, ready in seconds, in a
 * data folder and a network of its own, as many at once as there is memory for. It ends with `stop()`, or with the process
 * that started it.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from '../kube/an-authority.ts';
import type { Client } from './client.ts';
import { type Site, startApiServer, startControllers, startScheduler } from './components.ts';
import { aHolding, type Holding } from './holding.ts';
import { type KubectlOptions, type KubectlResult, kubectl } from './kubectl.ts';
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
  /** Whether nodes may join (nodes.ts): the bed then has an authority that signs for them. @default false */
  readonly nodes?: boolean;
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
  /** Signs for whoever is to be known to the API server by a certificate; with `nodes` only. */
  readonly authority?: Authority;
  /** Rejects when kubectl doesn't end by itself: after 50 s, if `seconds` says nothing else, or when the bed is stopped. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** Starts another part in the bed's network; it ends with the bed. */
  run(name: PartName, args: readonly string[]): Started;
  /** Kills a part, as a crash would. */
  end(part: PartName): Promise<void>;
  /** Starts a part that has ended once more, with the arguments it had. */
  again(part: PartName): Started;
  /** Takes a process in that was started beside: it ends with the bed, and with whoever started it. */
  hold(process: Started): void;
  /** Has something done when the bed stops: what a test started beside it ends with it. */
  atEnd(act: () => unknown): void;
  /** What a part has said so far. */
  log(part: PartName): string;
  stop(): Promise<void>;
}

/** Starts a control plane and resolves when it serves and, with the controllers, when pods can be made in `default`. */
export async function startControlPlane(options: BedOptions = {}): Promise<Bed> {
  sweep();
  for (let tries = 1; ; tries++) {
    const folder = newFolder();
    const holding = aHolding(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    try {
      return await startIn(folder, holding, options);
    } catch (error) {
      await holding.end();
      // Another program took a free port between the look and the use; in a namespace there is nobody else.
      if (tries < 3 && (error as Error).message.includes('address already in use')) continue;
      throw error;
    }
  }
}

/** A trial may stay up for days. */
const CERTIFICATE_HOURS = 24 * 30;

async function nodesAuthority(): Promise<Authority> {
  // Loaded only where it is needed: it takes half a second.
  const { anAuthority } = await import('../kube/an-authority.ts');
  return await anAuthority('bed-nodes', CERTIFICATE_HOURS);
}

async function startIn(folder: string, holding: Holding, options: BedOptions): Promise<Bed> {
  const network = options.network === 'loopback' ? loopback : await aNetwork(folder);
  const started: Started[] = [];
  const hold = (process: Started) => {
    started.push(process);
    holding.add(process.kill);
    const pids = started.map((each) => each.pid);
    note(folder, pids);
  };
  if (network.holder) hold(network.holder);
  const logFile = (part: PartName, run = 1) => join(folder, run === 1 ? `${part}.log` : `${part}-${run}.log`);
  const runs = new Map<PartName, number>();
  const last = new Map<PartName, { readonly process: Started; readonly args: readonly string[] }>();
  const lastOf = (part: PartName) => {
    const found = last.get(part);
    if (found === undefined) throw new Error(`${part} was never started in this bed`);
    return found;
  };

  const run: Bed['run'] = (name, args) => {
    runs.set(name, (runs.get(name) ?? 0) + 1);
    const [program, ...first] = network.within(command(name));
    const process = start(name, [program, ...first, ...args], logFile(name, runs.get(name)));
    hold(process);
    last.set(name, { process, args });
    return process;
  };

  const site: Site = {
    ...{ folder, network, atEnd: holding.add },
    run: (name, args) => run(name, [...args, ...(options.flags?.[name] ?? [])]),
  };
  const authority = options.nodes ? await nodesAuthority() : undefined;
  const apiServer = await startApiServer(site, authority);
  const { client, url, token, kubeconfig } = apiServer;
  await Promise.all([
    options.without?.includes('kube-controller-manager') || startControllers(site, apiServer),
    options.without?.includes('kube-scheduler') || startScheduler(site, apiServer),
  ]);

  return {
    ...{ kubeconfig, url, token, folder, network, run, hold },
    ...(authority ? { authority } : {}),
    atEnd: holding.add,
    end: (part) => lastOf(part).process.kill(),
    again: (part) => run(part, lastOf(part).args),
    request: client.request,
    apply: client.apply,
    pathOf: client.pathOf,
    kubectl: (args, limits) => kubectl({ kubeconfig, folder, holding }, args, limits),
    log: (part) => readFileSync(logFile(part), 'utf8'),
    stop: holding.end,
  };
}
