/** Probes on real VLANs: two machines at a rack's switch, of which one asks. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Ask, Outcome } from '../../../lib/network/probing/ask.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import type { BedNode } from '../../bed/node.ts';
import { startNodes } from '../../bed/nodes.ts';
import { macOf } from './a-probe.ts';
import { compiled } from './a-wire.ts';

const TRUNK = 'bond0';
const GATEWAY = '10.110.0.1';
const SHELL = join(import.meta.dirname, '../../../lib/network/probing/probe.ts');
/** On a machine that is busy otherwise. */
const BUSY_MS = 300_000;

describeBed('probes on the VLANs of a trunk', ['control-plane', 'nodes'], () => {
  let bed: Bed;
  let here: BedNode;
  let there: BedNode;

  beforeAll(async () => {
    bed = await startControlPlane({ nodes: true, without: ['kube-scheduler'] });
    const programs = compiled();
    [here, there] = (await startNodes(bed, { names: ['node-1', 'node-2'], trunk: TRUNK, until: 'registered' })) as [BedNode, BedNode];
    // Its folder is there in the node too.
    copyFileSync(programs.probe, join(here.folder, 'gala-probe'));
    programs.remove();
    // By itself Linux answers on each of its links for the addresses of all (ip-sysctl, arp_ignore).
    await there.mustExec(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore']);
    await vlan(there, 110, `${GATEWAY}/24`, '10.110.0.130/24');
    await vlan(there, 120, '10.110.0.131/24');
  }, BUSY_MS);
  afterAll(async () => await bed?.stop());

  const vlan = (node: BedNode, id: number, ...addresses: string[]) =>
    node.mustExec([
      'sh',
      '-ec',
      [
        `ip link add link ${TRUNK} name ${TRUNK}.${id} type vlan id ${id}`,
        ...addresses.map((address) => `ip addr add ${address} dev ${TRUNK}.${id}`),
        `ip link set ${TRUNK}.${id} up`,
      ].join('\n'),
    ]);

  /** By the shell as the agent calls it, in the node. */
  async function asked(ask: Partial<Ask>, ...ips: string[]): Promise<Outcome> {
    const addresses = ips.map((ip) => ({ ip, mac: macOf(ip), holder: ip }));
    const whole: Ask = { trunk: TRUNK, vlan: 110, link: `${TRUNK}.110`, gateway: GATEWAY, ...ask, addresses };
    const call = `import { probe } from ${JSON.stringify(SHELL)};
      console.log(JSON.stringify(await probe(${JSON.stringify(whole)}, { gala: [${JSON.stringify(join(here.folder, 'gala-probe'))}], waitMs: 3000 })));`;
    return JSON.parse(
      await here.mustExec([process.execPath, '-C', 'gala-source', '--input-type=module', '-e', call], { seconds: 100 }),
    ) as Outcome;
  }

  test(
    'the sub-interface is made where it is missing, and what answers on that VLAN alone counts',
    async () => {
      const [{ address: mac }] = JSON.parse(await there.mustExec(['ip', '-j', 'link', 'show', 'dev', TRUNK]));
      const answered = [GATEWAY, '10.110.0.130'].map((ip) => ({ ip, mac }));
      expect(await asked({}, '10.110.0.130', '10.110.0.131')).toEqual({ answered, probing: [], silent: ['10.110.0.131'] });
      expect(await here.mustExec(['ip', '-d', '-o', 'link', 'show', 'dev', `${TRUNK}.110`])).toMatch(/vlan protocol 802\.1Q id 110/);
      expect(await asked({}, '10.110.0.130', '10.110.0.131')).toEqual({ answered, probing: [], silent: ['10.110.0.131'] });
    },
    BUSY_MS,
  );

  test(
    'a pod of the same host, on a MacVlan on the sub-interface, is heard',
    async () => {
      const mac = macOf('10.110.0.132');
      await here.mustExec([
        'sh',
        '-ec',
        `ip netns add pod
      ip link add link ${TRUNK}.110 name eth0 address ${mac} netns pod type macvlan mode bridge
      ip -n pod addr add 10.110.0.132/24 dev eth0
      ip -n pod link set eth0 up`,
      ]);
      expect(await asked({}, '10.110.0.132')).toMatchObject({ answered: [{ ip: GATEWAY }, { ip: '10.110.0.132', mac }], silent: [] });
    },
    BUSY_MS,
  );

  test(
    'a VLAN that nobody is on is silent, and a trunk that is missing is told',
    async () => {
      const link = (trunk: string, id: number) => ({ trunk, vlan: id, link: `${trunk}.${id}` });
      expect(await asked(link(TRUNK, 130), '10.110.0.130')).toEqual({ answered: [], probing: [], silent: [GATEWAY, '10.110.0.130'] });
      expect(await asked(link('bond9', 110), '10.110.0.130')).toEqual({
        failed: expect.stringMatching(/^bond9\.110, the sub-interface of VLAN 110 on trunk bond9/),
      });
    },
    BUSY_MS,
  );
});
