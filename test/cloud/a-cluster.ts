/** Builder: a cluster as `gala cloud` sees it, whose NodeNetworks are what its rounds wrote last. */
import type { HostPool } from '../../lib/api/kinds.ts';
import type { Ec2 } from '../../lib/cloud/ec2.ts';
import type { PodNode } from '../../lib/cloud/region-plan.ts';
import { type RoundOptions, rounds } from '../../lib/cloud/round.ts';
import type { EniSlot } from '../../lib/cloud/slots.ts';

export const TAGS = { cluster: 'cloud-a', clusterUid: 'uid-1' };

/** Where its pods are, and in which group. */
export interface Where {
  readonly podSubnetId?: string;
  readonly groupId?: string;
}

export const aSpec = (warmEnis: number | 'all' = 'all', { podSubnetId = 'subnet-0d1', groupId = 'sg-0b' }: Where = {}) =>
  ({
    shape: 'ec2',
    ec2: {
      region: 'ap-northeast-1',
      zones: [{ name: 'ap-northeast-1a', nodeSubnetId: 'subnet-0a1', podSubnetId }],
      securityGroupIds: { node: ['sg-0a'], pod: [groupId] },
      warmEnis,
    },
  }) as unknown as HostPool['spec'];

export interface Asked {
  readonly ec2: Ec2;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly nodes: readonly Omit<PodNode, 'spec'>[];
  readonly where?: Where;
  readonly over?: Partial<RoundOptions>;
}

export function aCluster({ ec2, now, nodes, where, over = {} }: Asked) {
  const written = new Map<string, readonly EniSlot[]>();
  const taken = new Set<string>();
  const state = { there: [...nodes], warmEnis: 'all' as number | 'all', taken, written };
  const options: RoundOptions = {
    ec2,
    cluster: () => ({
      tags: TAGS,
      nodes: state.there.map((node) => ({ ...node, spec: aSpec(state.warmEnis, where) })),
      listed: written,
      taken: new Set(taken),
    }),
    isTaken: async (ip) => taken.has(ip),
    writeSlots: async ({ instanceId, slots }) => void written.set(instanceId, slots),
    mayWrite: () => true,
    ...{ dryRun: false, orphans: 'delete', now },
    ...over,
  };
  let loop = rounds(options);
  return {
    ...{ state, nodes },
    round: () => loop.round(),
    /** Another process leads, and knows nothing. */
    restart: () => {
      loop = rounds(options);
    },
  };
}
