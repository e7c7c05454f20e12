import { expect, test } from '@jest/globals';
import { describeBed } from '../bed/describe-bed.ts';
import { required } from '../bed/parts.ts';
import { canMakeNamespaces } from '../network/agent/a-stand.ts';
import { networkSoak } from './network.ts';

const isPossible = canMakeNamespaces() || required();
if (!isPossible) process.stderr.write('SKIPPED a sample of the soak of the network: network namespaces need root with CAP_NET_ADMIN\n');

describeBed('a sample of the soak of the network', ['control-plane'], () => {
  (isPossible ? test : test.skip)(
    'two hosts, agents that are killed, an API that fails: no address in two sandboxes, nothing is left',
    async () => {
      const { pods, added, kills, faults } = await networkSoak({ seed: 4, rounds: 2 });
      expect(pods).toBe(12);
      expect(added).toBeGreaterThanOrEqual(pods);
      expect(Math.min(kills, faults)).toBeGreaterThan(0);
    },
    900_000,
  );
});
