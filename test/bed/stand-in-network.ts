/**
 * A network that stands in for Gala's own where a test is about something else: the reference chain of CNI plugins, macvlan on a
 * VLAN sub-interface, with addresses by host-local. Nobody locks these addresses. Debian's containernetworking-plugins.
 */
export interface StandIn {
  readonly trunk: string;
  readonly vlan: number;
  readonly subnet: string;
  /** This node's own range: host-local knows nothing of other nodes. */
  readonly first: string;
  readonly last: string;
}

/** Files of a node that make it wire pods that way, by path. */
export function standInNetwork({ trunk, vlan, subnet, first, last }: StandIn): Record<string, string> {
  const master = `${trunk}.${vlan}`;
  const ipam = { type: 'host-local', ranges: [[{ subnet, rangeStart: first, rangeEnd: last }]] };
  const conflist = { cniVersion: '1.0.0', name: 'stand-in', plugins: [{ type: 'macvlan', master, mode: 'bridge', ipam }] };
  return {
    'etc/cni/net.d/10-stand-in.conflist': JSON.stringify(conflist, undefined, 2),
    'etc/rc.local': `#!/bin/sh\nip link add link ${trunk} name ${master} type vlan id ${vlan}\nip link set ${master} up\n`,
  };
}
