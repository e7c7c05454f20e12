/**
 * Which sandboxes the container runtime has, asked by the Container Runtime Interface on its socket. Two calls are made of it, and a
 * few fields read; so it is asked by the HTTP/2 that Node.js has (grpc.ts), and not by a library that would take a tenth of the
 * agent's memory. Names and numbers are those of k8s.io/cri-api, pkg/apis/runtime/v1/api.proto.
 */
import { bytesOf, called, type Fields, fieldsOf, message, textOf } from './grpc.ts';

export interface SandboxSeen {
  readonly isReady: boolean;
  readonly podUID: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Cri {
  /** By container id; rejects when the runtime does not answer. */
  sandboxes(): Promise<ReadonlyMap<string, SandboxSeen>>;
  /** Path of a sandbox's network namespace; undefined where it has none of its own, or the runtime doesn't say. */
  netnsOf(containerId: string): Promise<string | undefined>;
}

/** The kubelet gives it two minutes; whoever waits here comes again. */
const DEADLINE_MS = 5_000;
const SERVICE = '/runtime.v1.RuntimeService';
/** PodSandboxState of the API: 0 is SANDBOX_READY, which as the default value is not sent. */
const READY = 0n;

/** @param socket a path; nothing is asked yet, and a runtime that is restarted is found again */
export function criOf(socket: string): Cri {
  const asked = async (method: string, request: Buffer): Promise<Fields> => {
    try {
      return fieldsOf(await called(socket, `${SERVICE}/${method}`, request, DEADLINE_MS));
    } catch (cause) {
      throw new Error(`${method} on ${socket}: ${(cause as Error).message}`, { cause });
    }
  };
  return {
    async sandboxes() {
      const items = (await asked('ListPodSandbox', message({}))).get(1) ?? [];
      return new Map(items.map((item) => sandboxOf(fieldsOf(item as Buffer))));
    },
    async netnsOf(podSandboxId) {
      // `info`, a map: of each entry 1 is the key and 2 the value.
      const info = (await asked('PodSandboxStatus', message({ 1: podSandboxId, 2: true }))).get(2) ?? [];
      const entries = info.map((entry) => fieldsOf(entry as Buffer));
      return netnsIn(entries.flatMap((entry) => (textOf(entry, 1) === 'info' ? [textOf(entry, 2)] : []))[0]);
    },
  };
}

/** PodSandbox: id 1, metadata 2 (name 1, uid 2, namespace 3), state 3. */
function sandboxOf(sandbox: Fields): [string, SandboxSeen] {
  const metadata = fieldsOf(bytesOf(sandbox, 2));
  const isReady = (sandbox.get(3)?.at(-1) ?? READY) === READY;
  return [textOf(sandbox, 1), { isReady, podUID: textOf(metadata, 2), namespace: textOf(metadata, 3), name: textOf(metadata, 1) }];
}

/** containerd's own words (internal/cri/types, SandboxInfo): `runtimeSpec` is the OCI specification that the sandbox was made by. */
function netnsIn(info: string | undefined): string | undefined {
  try {
    const { runtimeSpec } = JSON.parse(info ?? '{}') as { runtimeSpec?: { linux?: { namespaces?: { type: string; path?: string }[] } } };
    return runtimeSpec?.linux?.namespaces?.find(({ type }) => type === 'network')?.path;
  } catch {
    return undefined;
  }
}
