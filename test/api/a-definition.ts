/** Builders: a definition that is right, with what the test is about put in. */
import type { ClusterDefinition, PoolDefinition } from '../../lib/api/definition.ts';
import { ec2, intranet } from '../../lib/api/definition.ts';

type Loose = Record<string, unknown>;

/** Two racks of four hosts behind VLAN 110, as plain data. */
export const aRackedPool = (parts: Loose = {}): PoolDefinition => ({
  ...intranet({
    racks: { r1: 'dc1-r1-[1-4]', r2: 'dc1-r2-[1-4]' },
    trunk: 'bond0',
    vlans: { 110: aVlan() },
    machine: { cpu: 64, memory: '256Gi' },
  }),
  ...parts,
});

export const aVlan = (parts: Loose = {}) => ({
  subnet: '10.110.0.0/24',
  gateway: '10.110.0.1',
  addresses: '10.110.0.64-10.110.0.127',
  ...parts,
});

export const anEc2Pool = (parts: Loose = {}): PoolDefinition => ({
  ...ec2({
    region: 'ap-northeast-1',
    instanceTypes: ['c5.4xlarge'],
    zones: { 'ap-northeast-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' } },
    securityGroupIds: { node: ['sg-0a'], pod: ['sg-0b'] },
    imageId: 'ami-0a',
    instanceProfile: 'gala-node',
    join: { eks: 'one' },
    size: { min: 0, max: 3 },
  }),
  ...parts,
});

export const aDefinition = (parts: Loose = {}): ClusterDefinition =>
  ({ name: 'one', kubernetes: '1.37', apiServer: apiServerOf(parts.name), pools: { web: aRackedPool() }, ...parts }) as ClusterDefinition;

/** Clusters of other names have API servers of their own. */
const apiServerOf = (name: unknown = 'one') =>
  name === 'one' || !/^[a-z][a-z0-9-]*$/.test(String(name)) ? 'https://10.8.0.10:6443' : `https://${name}.intra:6443`;
