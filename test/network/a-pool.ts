/** Builders: a pool, its hosts and what is taken, of which a test says only what matters. */
import type { HostPool } from '../../lib/api/kinds.ts';
import { toNumber } from '../../lib/api/range.ts';
import type { Address } from '../../lib/network/address.ts';
import type { Host } from '../../lib/network/host.ts';
import type { Network } from '../../lib/network/node-network.ts';

export type Intranet = NonNullable<HostPool['spec']['intranet']>;
type Pool = Pick<HostPool, 'spec' | 'status'> & { readonly metadata: { readonly name: string; readonly generation: number } };

/** Two racks of two hosts, VLAN 110 everywhere and VLAN 130 in r13 only. */
export const INTRANET: Intranet = {
  trunk: 'bond0',
  racks: [
    { name: 'r12', hosts: 'h-r12-[01-02]' },
    { name: 'r13', hosts: 'h-r13-[01-02]' },
  ],
  vlans: [
    { id: 110, subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.128-10.110.0.191' },
    { id: 130, subnet: '10.130.0.0/24', gateway: '10.130.0.1', addresses: '10.130.0.64/26', racks: ['r13'] },
  ],
  macsPerPort: 64,
};

export const aPool = (over: { name?: string; intranet?: Partial<Intranet>; cni?: string; status?: HostPool['status'] } = {}): Pool => ({
  metadata: { name: over.name ?? 'web', generation: 3 },
  spec: { shape: 'intranet', intranet: { ...INTRANET, ...over.intranet }, locks: 'hard', cni: over.cni },
  status: over.status,
});

export const anEc2Pool = (): Pick<HostPool, 'spec'> => ({
  spec: { shape: 'ec2', ec2: {} as HostPool['spec']['ec2'], locks: 'hard' },
});

/** `h-r12-01`: Ready, of pool web, labelled with the rack that its name says. */
export const aHost = (over: Partial<Host> = {}): Host => {
  const name = over.name ?? 'h-r12-01';
  return {
    uid: `uid-of-${name}`,
    pool: 'web',
    rack: /r\d+/.exec(name)?.[0],
    ready: true,
    machineID: '9f2c',
    providerID: undefined,
    ...over,
    name,
  };
};

export const hostsOf = (...hosts: readonly Host[]): ReadonlyMap<string, Host> => new Map(hosts.map((host) => [host.name, host]));

export const ALL_HOSTS = ['h-r12-01', 'h-r12-02', 'h-r13-01', 'h-r13-02'].map((name) => aHost({ name }));

export const aNetwork = (over: Partial<Network> = {}): Network => ({
  ...{ uid: 'network-1', resourceVersion: '7', machineID: '9f2c', providerID: undefined, pool: 'web', trunk: 'bond0' },
  ...over,
});

export const anAddress = (ip: string, node = 'h-r12-01', phase: Address['phase'] = 'Bound'): Address => ({
  ...{ number: toNumber(ip), node, phase },
});
