/**
 * Why: what a limit is called where programs read it (reasons of events and Locks), what it says to people, and what they can do.
 * One table, so that event, status and terminal never name the same thing differently. Pure.
 */
import type { Limit } from './types.ts';

export interface Why {
  /** CamelCase: the reason of an event, of a Lock's status. */
  readonly reason: string;
  /** What is so on the nodes that it holds for. */
  readonly sentence: string;
  readonly remedy: string;
}

/** @example whyOf('addresses').reason // 'NoAddress' */
export function whyOf(limit: Limit): Why {
  const known = WHY[limit];
  if (known !== undefined) return known;
  if (limit.startsWith('storage/')) {
    const reason = 'NoStorage';
    return {
      reason,
      sentence: `no room for its volume of class ${limit.slice('storage/'.length)}`,
      remedy: 'Ask for a smaller volume, or free space.',
    };
  }
  return {
    reason:
      `No${limit.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase()).replace(/[^A-Za-z0-9]/g, '')}`.slice(
        0,
        63,
      ),
    sentence: `too little ${limit} is left`,
    remedy: `Ask for less ${limit}, or add hosts that have it.`,
  };
}

const cap = (place: string): Why => ({
  reason: `MaxPer${place.charAt(0).toUpperCase()}${place.slice(1)}`,
  sentence: `the ${place} has as many as maxPer.${place} allows`,
  remedy: `Raise maxPer.${place}, or add ${place}s.`,
});

const WHY: Readonly<Record<string, Why>> = {
  addresses: {
    reason: 'NoAddress',
    sentence: 'no address is free on their VLANs or ENIs',
    remedy: 'Free Held addresses (gala ips list --held says whose they are), or give the VLAN more.',
  },
  macsPerPort: {
    reason: 'NoMac',
    sentence: 'the switch port shows as many MAC addresses as macsPerPort allows',
    remedy: 'Raise macsPerPort with the switch’s own limit, or add hosts.',
  },
  notReady: { reason: 'NotReady', sentence: 'the node is not Ready', remedy: 'Repair it: kubectl describe node.' },
  cordoned: { reason: 'Cordoned', sentence: 'the node is cordoned', remedy: 'kubectl uncordon, once it may have pods again.' },
  taint: { reason: 'Taint', sentence: 'the node has a taint that the pod does not tolerate', remedy: 'Tolerate it, or take it off.' },
  nodeSelector: {
    reason: 'NodeSelector',
    sentence: 'the node lacks a label of the node selector',
    remedy: 'Change nodeSelector, or label nodes.',
  },
  nodeAffinity: {
    reason: 'NodeAffinity',
    sentence: 'the node is none that the node affinity asks for',
    remedy: 'Change the affinity, or label nodes.',
  },
  affinity: {
    reason: 'PodAffinity',
    sentence: 'no pod is there that it wants to be with',
    remedy: 'Start those pods first, or change the affinity.',
  },
  antiAffinity: {
    reason: 'PodAntiAffinity',
    sentence: 'a pod is there that it must not be with',
    remedy: 'Add hosts, or change the anti-affinity.',
  },
  spread: {
    reason: 'TopologySpread',
    sentence: 'one more would be over the maxSkew of its topology spread',
    remedy: 'Make room in the emptier domains, or raise maxSkew.',
  },
  hostPorts: { reason: 'HostPort', sentence: 'another pod has its host port', remedy: 'Give it another port, or add hosts.' },
  noSample: {
    reason: 'NoSample',
    sentence: 'its live use is not known, and missing samples refuse',
    remedy: 'Look at the metrics source: gala status.',
  },
  pool: { reason: 'OtherPool', sentence: 'the node is of no pool that was asked for', remedy: 'Ask for its pool too.' },
  noNodes: { reason: 'NoNodes', sentence: 'there are no nodes', remedy: 'Add hosts.' },
  noNode: { reason: 'NoNode', sentence: 'the node is gone', remedy: 'Delete the pod, and its controller makes another.' },
  cpu: { reason: 'NoCpu', sentence: 'too little CPU is left', remedy: 'Ask for less, or add hosts.' },
  memory: { reason: 'NoMemory', sentence: 'too little memory is left', remedy: 'Ask for less, or add hosts.' },
  'ephemeral-storage': { reason: 'NoEphemeralStorage', sentence: 'too little disk is left', remedy: 'Ask for less, or free the disk.' },
  pods: { reason: 'NoPods', sentence: 'the kubelet takes no more pods', remedy: 'Raise its maxPods, or add hosts.' },
  egress: { reason: 'NoEgress', sentence: 'too little outgoing bandwidth is left', remedy: 'Ask for less egress, or add hosts.' },
  ingress: { reason: 'NoIngress', sentence: 'too little incoming bandwidth is left', remedy: 'Ask for less ingress, or add hosts.' },
  'maxPer.node': cap('node'),
  'maxPer.rack': cap('rack'),
  'maxPer.zone': cap('zone'),
  'maxPer.datacenter': cap('datacenter'),
};
