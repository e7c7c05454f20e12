import { expect, test } from '@jest/globals';
import { everybody } from '../../../lib/network/agent/everybody.ts';
import type { Finding } from '../../../lib/network/probing/finding.ts';

const finding = (status: 'True' | 'False' | 'Unknown', over: Partial<Finding> = {}): Finding => ({
  ...{ ip: '10.110.0.130', vlan: 110, condition: { type: 'Probed', status, reason: 'Whatever', message: '' } },
  ...over,
});
const MAC = '3c:fd:fe:11:22:33';

test('a machine that answers for every address is told once a VLAN, until one is free there', () => {
  const told: unknown[] = [];
  const all = everybody((...who) => told.push(who));
  for (const vlan of [110, 110, 120]) all.note(finding('Unknown', { vlan, everybody: MAC }));
  all.note(finding('False', { conflict: '3c:fd:fe:11:22:44' }));
  expect([told, [...all.byVlan.keys()]]).toEqual([
    [
      [110, MAC],
      [120, MAC],
    ],
    [110, 120],
  ]);
  all.note(finding('True'));
  expect([...all.byVlan.keys()]).toEqual([120]);
  all.note(finding('Unknown', { everybody: MAC }));
  expect(told).toHaveLength(3);
});
