/**
 * Fence: what is to be written where a machine is known to be off, so that its addresses are given back. Pure. `gala fence` does it for a person
 * who has looked.
 *
 * A Node that is there is tainted, as Kubernetes has it: while it is not Ready, PodGC deletes its pods, volumes are detached, and the lock
 * writer takes the taint for the word of the node. Where the Node object is gone, each address says it by itself, of the pod that it names.
 */
import type { IPLock } from '../api/kinds.ts';
import { FENCED_ANNOTATION, OUT_OF_SERVICE } from '../api/network.ts';

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** An IPLock, with the address it is named after. */
export type Address = Pick<IPLock, 'spec'> & {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
};

export interface Seen {
  /** Undefined: there is none. */
  readonly node: { readonly ready: boolean; readonly taints: readonly Taint[] } | undefined;
  /** IPLocks on the node. */
  readonly addresses: readonly Address[];
}

export type Fencing =
  /** All taints that the Node has then. */
  | { readonly do: 'taint'; readonly taints: readonly Taint[] }
  /** On each of these IPLocks, the UID of its pod. */
  | { readonly do: 'note'; readonly on: readonly { readonly address: string; readonly podUID: string }[] }
  /** It is said already, or nothing is there. */
  | { readonly do: 'nothing' }
  /** Its kubelet says that it is on. */
  | { readonly refused: 'Ready' }
  | { readonly refused: 'NoSuchNode' };

/** As the documentation of Kubernetes writes it ("Non-graceful node shutdown"). */
const TAINT: Taint = { key: OUT_OF_SERVICE, value: 'nodeshutdown', effect: 'NoExecute' };

/** @param force taints a Node that is Ready: it counts as off once it is not */
export function fencing({ node, addresses }: Seen, force: boolean): Fencing {
  const taken = takenIn(addresses);
  if (node === undefined) {
    if (taken.length === 0) return { refused: 'NoSuchNode' };
    const unsaid = taken.filter(({ spec, metadata }) => metadata.annotations?.[FENCED_ANNOTATION] !== spec.podUID);
    if (unsaid.length === 0) return { do: 'nothing' };
    return { do: 'note', on: unsaid.map(({ spec, metadata }) => ({ address: metadata.name, podUID: spec.podUID as string })) };
  }
  if (node.taints.some(({ key }) => key === OUT_OF_SERVICE)) return { do: 'nothing' };
  if (node.ready && !force) return { refused: 'Ready' };
  return { do: 'taint', taints: [...node.taints, TAINT] };
}

/** Those that a pod has, or is about to have. */
export const takenIn = (addresses: readonly Address[]): Address[] =>
  addresses.filter(({ spec: { phase, podUID } }) => podUID !== undefined && (phase === 'Locked' || phase === 'Bound'));
