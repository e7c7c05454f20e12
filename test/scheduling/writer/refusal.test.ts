import { expect, test } from '@jest/globals';
import { reasonsOf, sayNoSlot, sayNotPlaced } from '../../../lib/scheduling/writer/refusal.ts';
import { aPod } from '../builders.ts';
import { aStoredLock } from './objects.ts';

test('a pod that fits nowhere is told what the nodes lack, the most first, and what to do', () => {
  const limits = [
    { limit: 'addresses', nodes: 31 },
    { limit: 'egress', nodes: 9 },
  ];
  expect(sayNotPlaced({ refused: 'addresses', want: 1, found: 0, limits })).toEqual({
    reason: 'NoAddress',
    message:
      '0 of 40 nodes: 31 NoAddress (no address is free on their VLANs or ENIs), 9 NoEgress (too little outgoing bandwidth is left). Free Held addresses (gala ips list --held says whose they are), or give the VLAN more.',
  });
});

test('without a node there is one reason', () => {
  expect(sayNotPlaced({ refused: 'noNodes', want: 1, found: 0, limits: [] }).message).toBe('0 of 0 nodes: there are no nodes. Add hosts.');
});

test('reasons that share a word are one, and no more than a status takes', () => {
  const storage = [1, 2, 3].map((nodes) => ({ limit: `storage/class-${nodes}`, nodes }));
  expect(reasonsOf(storage)).toMatchObject([{ reason: 'NoStorage', nodes: 6 }]);
  const many = Array.from({ length: 30 }, (_, at) => ({ limit: `example.com/x${at}`, nodes: at }));
  expect(reasonsOf(many)).toHaveLength(16);
});

test('a pod without a free slot is told what became of the slots', () => {
  const slots = (['used', 'leaving', 'missing'] as const).map((state, slot) => ({ slot, node: 'r12-01', state }));
  const { message } = sayNoSlot(aPod({ lock: 'night' }), aStoredLock('night', { count: 4 }), slots);
  expect(message).toBe(
    '0 of 3 slots of Lock feed/night are free: 1 used, 1 whose pods are leaving, 1 without their address yet; 4 were asked for. Lock more under another name, or delete pods.',
  );
});
