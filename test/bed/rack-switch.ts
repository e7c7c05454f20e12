/**
 * The switch of a bed's rack: a bridge in the bed's network namespace, and the taps that nodes' NICs are plugged into. It passes
 * tagged frames as they are, so every port is a trunk of all VLANs. It goes with the namespace.
 */
import { execFileSync } from 'node:child_process';
import type { Bed } from './control-plane.ts';

/** 198.18.0.0/15 is set aside for test networks (RFC 2544); network.ts takes the lower half. Every bed has the same one, in a namespace of its own. */
const SUBNET = '198.19.0';
const BRIDGE = 'rack';
/** Address of the first node: below it is room for whatever else a test plugs in. */
const FIRST = 11;

export interface RackSwitch {
  /** Where nodes reach the bed's own processes. */
  readonly gateway: string;
  /** The next free address, with its prefix length. */
  address(): string;
  /** A new port. @returns the tap to open at its end */
  plug(): string;
  unplug(tap: string): void;
  /** Runs `ip` in the bed's network. */
  ip(...args: string[]): string;
}

const switches = new WeakMap<Bed, RackSwitch>();

/** The bed's switch, made when it is first asked for. Throws where the bed has no namespace. */
export function rackSwitch(bed: Bed): RackSwitch {
  const known = switches.get(bed);
  if (known) return known;
  if (!bed.network.holder)
    throw new Error('nodes need a network namespace, and this bed is on loopback: run as root with CAP_NET_ADMIN, and install iproute2');
  const ip = (...args: string[]) => {
    const [program, ...rest] = bed.network.within(['ip', ...args]);
    return execFileSync(program, rest, { encoding: 'utf8', stdio: 'pipe' });
  };
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('address', 'add', `${SUBNET}.1/24`, 'dev', BRIDGE);
  ip('link', 'set', BRIDGE, 'up');

  let addresses = 0;
  let taps = 0;
  const made: RackSwitch = {
    gateway: `${SUBNET}.1`,
    address: () => `${SUBNET}.${FIRST + addresses++}/24`,
    plug: () => {
      const tap = `port${++taps}`;
      ip('tuntap', 'add', tap, 'mode', 'tap');
      // User-Mode Linux warns of every packet that was put together from several segments; so none is.
      ip('link', 'set', tap, 'master', BRIDGE, 'gso_max_segs', '1', 'up');
      return tap;
    },
    unplug: (tap) => void ip('link', 'delete', tap),
    ip,
  };
  switches.set(bed, made);
  return made;
}
