/**
 * Which sandboxes the container runtime has, asked by the Container Runtime Interface on its socket. Of the interface only the two
 * calls that are made are described here; names and numbers are those of k8s.io/cri-api, pkg/apis/runtime/v1/api.proto.
 */
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

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
  close(): void;
}

/** The kubelet gives it two minutes; whoever waits here comes again. */
const DEADLINE_MS = 5_000;
/** A node has some hundreds of sandboxes of less than a KiB. */
const MOST_BYTES = 16 * 1024 * 1024;

const field = (id: number, type: string, more: { rule?: string; keyType?: string } = {}) => ({ id, type, ...more });
const API: Parameters<typeof fromJSON>[0] = {
  nested: {
    runtime: {
      nested: {
        v1: {
          nested: {
            PodSandboxState: { values: { SANDBOX_READY: 0, SANDBOX_NOTREADY: 1 } },
            PodSandboxMetadata: { fields: { name: field(1, 'string'), uid: field(2, 'string'), namespace: field(3, 'string') } },
            PodSandbox: {
              fields: { id: field(1, 'string'), metadata: field(2, 'PodSandboxMetadata'), state: field(3, 'PodSandboxState') },
            },
            ListPodSandboxRequest: { fields: {} },
            ListPodSandboxResponse: { fields: { items: field(1, 'PodSandbox', { rule: 'repeated' }) } },
            PodSandboxStatusRequest: { fields: { podSandboxId: field(1, 'string'), verbose: field(2, 'bool') } },
            PodSandboxStatusResponse: { fields: { info: field(2, 'string', { keyType: 'string' }) } },
            RuntimeService: {
              methods: {
                ListPodSandbox: { requestType: 'ListPodSandboxRequest', responseType: 'ListPodSandboxResponse', comment: '' },
                PodSandboxStatus: { requestType: 'PodSandboxStatusRequest', responseType: 'PodSandboxStatusResponse', comment: '' },
              },
            },
          },
        },
      },
    },
  },
};

interface Listed {
  readonly items?: readonly {
    readonly id: string;
    readonly metadata?: { readonly name: string; readonly uid: string; readonly namespace: string };
    readonly state: string;
  }[];
}

/** @param socket a path; nothing is asked yet, and a runtime that is restarted is found again */
export function criOf(socket: string): Cri {
  const made = loadPackageDefinition(fromJSON(API, { enums: String, defaults: true })) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } };
  };
  const client = new made.runtime.v1.RuntimeService(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MOST_BYTES,
    // After a restart of containerd the next round shall find it.
    'grpc.max_reconnect_backoff_ms': DEADLINE_MS,
  });
  const asked = <T>(method: string, request: object): Promise<T> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, answer?: T) => {
        if (error === null) resolve(answer as T);
        else reject(new Error(`${method} on ${socket}: ${error.message}`, { cause: error }));
      };
      (client as unknown as Record<string, (request: object, options: object, done: unknown) => void>)[method]!(
        request,
        { deadline: Date.now() + DEADLINE_MS },
        done,
      );
    });
  return {
    async sandboxes() {
      const { items = [] } = await asked<Listed>('ListPodSandbox', {});
      return new Map(
        items.map(({ id, metadata, state }) => [
          id,
          {
            ...{ isReady: state === 'SANDBOX_READY', podUID: metadata?.uid ?? '' },
            ...{ namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' },
          },
        ]),
      );
    },
    async netnsOf(podSandboxId) {
      const { info = {} } = await asked<{ info?: Record<string, string> }>('PodSandboxStatus', { podSandboxId, verbose: true });
      return netnsIn(info.info);
    },
    close: () => client.close(),
  };
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
