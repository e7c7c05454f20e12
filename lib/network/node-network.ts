/**
 * Which NodeNetwork a node should have, and the one step towards it. Pure; `gala controller` takes the step and asks again.
 *
 * A NodeNetwork belongs to a machine, not to a name or a Node object: a Node that is deleted and registered again is the same
 * machine, another machine under the old name is a new owner. What the other writers put into it is theirs: `eniSlots` is
 * `gala cloud`'s, `status` the node agent's; no step here carries either.
 *
 * IPLocks are the lock writer's and never touched here. They name their node and pod themselves, so no step frees or forgets an
 * address; but the NodeNetwork alone says which machine the node was, and is kept as long as addresses are Locked or Bound there.
 */
import { didYouMean } from '../api/issue.ts';
import type { HostPool, NodeNetwork } from '../api/kinds.ts';
import { NodeNetwork as KIND } from '../api/kinds.ts';
import { POOL_LABEL } from '../api/model.ts';
import type { Host } from './host.ts';

type Spec = Pick<NodeNetwork['spec'], 'machineID' | 'providerID' | 'pool' | 'trunk'>;

/** A NodeNetwork as far as it is decided by. */
export interface Network extends Spec {
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface Seen {
  /** The Node of that name. */
  readonly host: Host | undefined;
  /** HostPools by name. */
  readonly pools: { get(name: string): Pick<HostPool, 'spec'> | undefined; keys(): Iterable<string> };
  readonly existing: Network | undefined;
  /** Addresses that are Locked or Bound on the node. */
  readonly taken: number;
  /** Since this name last changed its machine, by this process; Infinity when it never did. */
  readonly msSinceReplaced: number;
}

/** What a person should read at the Node. */
export interface Notice {
  readonly reason: 'NoSuchPool' | 'MachineUnknown' | 'MachineReplaced' | 'MachineChangesTooOften' | 'AddressesTaken';
  readonly message: string;
}

export type Step = { readonly tell?: Notice } & (
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'create'; readonly spec: Spec }
  /** `trunk: null` takes it away. */
  | { readonly do: 'update'; readonly spec: { readonly pool: string; readonly trunk: string | null } }
  /** Deletes the old machine's, then creates this. A crash in between leaves none, and the next step creates it. */
  | { readonly do: 'replace'; readonly spec: Spec }
  | { readonly do: 'delete'; readonly because: string }
);

/** Two machines with one name take turns in the Node's status: each replacement throws away what the agent saw, so not faster. */
export const LEAST_MS_BETWEEN_MACHINES = 60_000;

/** The rules are numbered on the page docs/controller.md. */
export function nodeNetworkStep(name: string, seen: Seen): Step {
  const { host, pools, existing } = seen;
  if (host === undefined) return leave(name, seen, `the Node ${name} is gone`); // N4
  if (host.pool === undefined) return leave(name, seen, `the Node ${name} has no label ${POOL_LABEL} any more`); // N5
  const pool = pools.get(host.pool);
  if (pool === undefined) return { do: 'nothing', tell: noSuchPool(host, host.pool, [...pools.keys()]) }; // N6
  if (pool.spec.cni !== undefined) return leave(name, seen, `${pool.spec.cni} wires the pods of pool ${host.pool}`); // N5
  const wanted = specOf(host, host.pool, pool.spec);
  if ('reason' in wanted) return { do: 'nothing', tell: wanted }; // N7
  if (existing === undefined) return { do: 'create', spec: wanted }; // N1
  if (existing.machineID !== wanted.machineID || existing.providerID !== wanted.providerID) return replace(name, seen, wanted, existing); // N3
  if (existing.pool === wanted.pool && existing.trunk === wanted.trunk) return { do: 'nothing' }; // N2
  return { do: 'update', spec: { pool: wanted.pool, trunk: wanted.trunk ?? null } }; // N2
}

/** The node needs none: away with it, unless it is what says which machine has the addresses. */
function leave(name: string, { existing, taken }: Seen, because: string): Step {
  if (existing === undefined) return { do: 'nothing' };
  if (taken === 0) return { do: 'delete', because };
  const message =
    `${because}, and ${addresses(taken)} Locked or Bound on ${name}: its NodeNetwork, which says which machine has them, stays ` +
    `until the lock writer has freed them. gala who <address> tells whose they are.`;
  return { do: 'nothing', tell: { reason: 'AddressesTaken', message } };
}

function replace(name: string, { taken, msSinceReplaced }: Seen, wanted: Spec, existing: Network): Step {
  const turn = `${machine(existing)} → ${machine(wanted)}`;
  const ms = LEAST_MS_BETWEEN_MACHINES - msSinceReplaced;
  if (ms > 0) {
    const message =
      `${name} is another machine again (${turn}), less than ${LEAST_MS_BETWEEN_MACHINES / 1000} s after the last time: two machines ` +
      `call themselves ${name}. Give one of them another host name, or power it off.`;
    return { do: 'wait', ms, tell: { reason: 'MachineChangesTooOften', message } };
  }
  const kept =
    taken === 0
      ? ''
      : ` ${addresses(taken)} still Locked or Bound there; the lock writer keeps them until their pods are gone. ` +
        'Be sure that the old machine is off before you free them by hand.';
  return { do: 'replace', spec: wanted, tell: { reason: 'MachineReplaced', message: `${name} is another machine: ${turn}.${kept}` } };
}

const addresses = (count: number) => (count === 1 ? '1 address is' : `${count} addresses are`);
const machine = ({ machineID, providerID }: Spec) => providerID ?? machineID ?? 'unknown';

function noSuchPool({ name }: Host, pool: string, names: readonly string[]): Notice {
  const known = names.length === 0 ? 'there is none' : `there are ${[...names].sort().join(', ')}`;
  const remedy = didYouMean(pool, names, 'Apply the HostPool, or name another.');
  const message =
    `Label ${POOL_LABEL} is '${pool}', which names no HostPool; ${known}. ${remedy} kubectl label node ${name} ${POOL_LABEL}=<pool> ` +
    '--overwrite. Until then pods on it get no address from Gala.';
  return { reason: 'NoSuchPool', message };
}

/** What the NodeNetwork of a host says, or why it can't be said. */
function specOf(host: Host, pool: string, { shape, intranet }: HostPool['spec']): Spec | Notice {
  const spec: Spec = shape === 'ec2' ? { providerID: host.providerID, pool } : { machineID: host.machineID, pool, trunk: intranet?.trunk };
  const id = shape === 'ec2' ? 'providerID' : 'machineID';
  if (KIND.spec.shape[id].unwrap().safeParse(spec[id]).success) return spec;
  const message =
    shape === 'ec2'
      ? `spec.providerID is '${host.providerID ?? ''}'; an instance of an ec2 pool has one such as aws:///ap-northeast-1a/i-0123456789abcdef0. ` +
        "Start its kubelet with --provider-id, or mend the cloud provider's node controller. Until then it gets no ENI."
      : `status.nodeInfo.machineID is '${host.machineID ?? ''}'; a racked host has one of hexadecimal digits. Make /etc/machine-id on it ` +
        '(systemd-machine-id-setup) and restart its kubelet. Until then pods on it get no address from Gala.';
  return { reason: 'MachineUnknown', message };
}
