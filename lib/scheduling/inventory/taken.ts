/**
 * Taken addresses: what IPLocks, planned slots and promises say of each. An address is busy while any of them names it; one that is
 * Held, and that no slot or promise names, is free for its owner. Pure; who must know of a change is told.
 */
import type { IPLock } from '../../api/kinds.ts';
import { toNumber } from '../../api/range.ts';

export interface Changes {
  /** It has become busy, or free. */
  busy(address: number, busy: boolean): void;
  /** Its MAC is, or is no longer, on the switch port of this node, seen or to come. */
  mac(node: string, sign: 1 | -1): void;
}

export interface Taken {
  setIPLock(name: string, ipLock: IPLock | undefined): void;
  /** A slot or promise names it, for this node; or does so no longer. */
  claim(address: string, node: string, sign: 1 | -1): void;
  /** A node says that a pod has it, and no IPLock says so; or it says so no longer. */
  wired(address: string, sign: 1 | -1): void;
  isBusy(address: number): boolean;
  busy(): IterableIterator<number>;
  /** Held for this owner, with the node where it was last. */
  heldBy(owner: string): ReadonlyMap<number, string>;
}

interface State {
  spec?: IPLock['spec'];
  /** Nodes of the slots and promises that name it; nearly always one, and a promise beside its slot. */
  claims: string[];
  /** How many nodes say that a pod of theirs has it though no IPLock says so: nobody's then, not even the one's it is Held for. */
  wired: number;
}

const NONE: ReadonlyMap<number, string> = new Map();

export function taken(changes: Changes): Taken {
  const states = new Map<number, State>();
  const byOwner = new Map<string, Map<number, string>>();

  function change(name: string, to: (state: State) => State): void {
    const address = numberOf(name);
    if (address === undefined) return;
    const before = states.get(address) ?? FREE;
    const now = to(before);
    if (isFree(now)) states.delete(address);
    else states.set(address, now);

    if (isFree(before) !== isFree(now)) changes.busy(address, !isFree(now));
    const [left, right] = [macNode(before), macNode(now)];
    if (left !== right) {
      if (left !== undefined) changes.mac(left, -1);
      if (right !== undefined) changes.mac(right, 1);
    }
    unhold(address, before);
    hold(address, now);
  }

  function unhold(address: number, { spec, claims, wired }: State): void {
    if (spec?.phase !== 'Held' || claims.length > 0 || wired > 0) return;
    const held = byOwner.get(spec.owner);
    held?.delete(address);
    if (held?.size === 0) byOwner.delete(spec.owner);
  }

  function hold(address: number, { spec, claims, wired }: State): void {
    if (spec?.phase !== 'Held' || claims.length > 0 || wired > 0) return;
    const held = byOwner.get(spec.owner);
    if (held === undefined) byOwner.set(spec.owner, new Map([[address, spec.node]]));
    else held.set(address, spec.node);
  }

  return {
    setIPLock: (name, ipLock) => change(name, ({ claims, wired }) => ({ spec: ipLock?.spec, claims, wired })),
    claim: (name, node, sign) =>
      change(name, ({ spec, claims, wired }) => ({ spec, claims: sign === 1 ? [...claims, node] : without(claims, node), wired })),
    wired: (name, sign) => change(name, ({ spec, claims, wired }) => ({ spec, claims, wired: wired + sign })),
    isBusy: (address) => states.has(address),
    busy: () => states.keys(),
    heldBy: (owner) => byOwner.get(owner) ?? NONE,
  };
}

const FREE: State = { claims: [], wired: 0 };
const isFree = ({ spec, claims, wired }: State): boolean => spec === undefined && claims.length === 0 && wired === 0;

function without(claims: readonly string[], node: string): string[] {
  const index = claims.indexOf(node);
  return claims.filter((_, at) => at !== index);
}

/** On whose port: where it is wired or will be. A Held one is on none; a quarantined one is somebody else's. */
function macNode({ spec, claims }: State): string | undefined {
  if (spec?.phase === 'Locked' || spec?.phase === 'Bound') return spec.node;
  if (spec?.phase === 'Quarantined' || claims.length === 0) return undefined;
  return claims.reduce((least, node) => (node < least ? node : least));
}

/** The name of an IPLock is an address by its schema; what isn't takes none. */
function numberOf(name: string): number | undefined {
  try {
    return toNumber(name);
  } catch {
    return undefined;
  }
}
