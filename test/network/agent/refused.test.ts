/**
 * What can't be wired, asked of the shim as containerd does, with the agent and this machine's kernel behind it: a CNI error with a
 * code of its own, a sentence with the value and the remedy, and nothing half-wired.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { PROBED, PROBED_REASONS } from '../../../lib/api/network.ts';
import { required } from '../../bed/parts.ts';
import { INTRANET } from '../a-pool.ts';
import { aStand, canMakeNamespaces, ip, locksOf, MODES, type Mode, type Netns, type Stand } from './a-stand.ts';
import type { KnownAlone } from './agent-alone.ts';

const suite = canMakeNamespaces() || required() ? describe : describe.skip;
if (suite === describe.skip) process.stderr.write('SKIPPED refused pod starts: network namespaces need root with CAP_NET_ADMIN\n');

const { ip: address, mac, pool } = MODES.MacVlan;
const withLock = (over: object): Partial<KnownAlone> => {
  const [name, spec] = Object.entries(locksOf({ 'pod-a': address }))[0]!;
  return { locks: { [name]: { ...spec, ...over } } };
};
const annotated = (key: string, value: string): Partial<KnownAlone> => ({ annotations: { 'pod-a': { [key]: value } } });

interface Bad {
  readonly what: string;
  readonly mode?: Mode;
  readonly known: Partial<KnownAlone>;
  readonly code: number;
  readonly msg: RegExp;
  /** The value, and the remedy. */
  readonly details: readonly string[];
  /** Done on the host before, and taken back. */
  readonly links?: { readonly before: string; readonly after: string };
}

const BAD: readonly Bad[] = [
  {
    what: 'a lock for a foreign node',
    known: withLock({ node: 'h-r12-02' }),
    code: 102,
    msg: /on another node/,
    details: ['on node h-r12-02; this is h-r12-01', 'Delete the pod'],
  },
  {
    what: 'an address outside the ranges of the VLANs',
    known: { locks: locksOf({ 'pod-a': '10.110.0.9' }) },
    code: 104,
    msg: /in no VLAN/,
    details: ['10.110.0.9', '110: 10.110.0.128-10.110.0.191', 'Delete the pod'],
  },
  {
    what: 'a VLAN that is not trunked to the rack',
    known: { locks: locksOf({ 'pod-a': '10.130.0.70' }) },
    code: 105,
    msg: /not trunked/,
    details: ['VLAN 130, trunked to r13', 'stands in r12', 'vlans.130.racks'],
  },
  {
    what: 'a trunk of another name',
    known: { network: { pool: 'web', trunk: 'bond9', machineID: 'ab12' } as KnownAlone['network'] },
    code: 108,
    msg: /is missing/,
    details: ['no link bond9', 'bond0.110', 'Name the right one as trunk'],
  },
  {
    what: 'a trunk that is unplugged',
    known: {},
    links: { before: 'link set bond0.110 down', after: 'link set bond0.110 up' },
    code: 109,
    msg: /no carrier/,
    details: ['bond0', 'Look at its cable'],
  },
  {
    what: 'an ENI that has not appeared',
    mode: 'ENI',
    known: {},
    links: { before: 'link set ens6 address 06:3f:aa:00:00:99', after: `link set ens6 address ${MODES.ENI.mac}` },
    code: 108,
    msg: /is missing/,
    details: [`no link of the host has MAC ${MODES.ENI.mac}`, 'gala cloud status'],
  },
  {
    what: 'another machine that answers for the address',
    known: {
      statuses: {
        [address]: {
          conditions: [
            {
              ...{ type: PROBED, status: 'False', reason: PROBED_REASONS.conflict, lastTransitionTime: '2026-11-27T00:00:00Z' },
              message: '3c:fd:fe:11:22:33 answers for it on bond0.110',
            },
          ],
        },
      },
    },
    code: 113,
    msg: /Another machine/,
    details: [address, '3c:fd:fe:11:22:33 answers for it', `gala who ${address}`],
  },
  ...[
    { key: 'kubernetes.io/egress-bandwidth', value: 'fast' },
    { key: 'kubernetes.io/ingress-bandwidth', value: '-10M' },
    { key: 'kubernetes.io/ingress-bandwidth', value: '1' },
  ].map(({ key, value }) => ({
    what: `${key}: ${value}`,
    known: annotated(key, value),
    code: 110,
    msg: /bandwidth/,
    details: [`${key} is '${value}'`, '1k to 1P', "'200M'"],
  })),
];

suite('a pod that can not be wired', () => {
  let stand: Stand;
  let before: object;
  /** Links, IPv4 addresses and routes, neighbours, and the journal. IPv6's own come a while after a link goes up. */
  const everything = () => ({
    links: (JSON.parse(ip('-n', stand.host, '-j', 'link')) as { ifname: string; address: string }[]).map((one) => [
      one.ifname,
      one.address,
    ]),
    addresses: ip('-n', stand.host, '-4', '-br', 'addr', 'show', 'scope', 'global'),
    routes: ip('-n', stand.host, '-4', 'route'),
    neighbours: ip('-n', stand.host, 'neigh', 'show', 'nud', 'permanent'),
    journal: readdirSync(join(stand.folder, 'journal')),
  });
  const inPod = (netns: Netns) => ip('-n', netns.name, '-br', 'link').trim().split(/\s+/)[0];
  const onHost = (line: string) => ip('-n', stand.host, ...line.split(' '));

  beforeAll(async () => {
    stand = await aStand();
    before = everything();
  }, 60_000);
  afterEach(() => expect(everything()).toEqual(before));
  afterAll(() => stand?.stop());

  test.each(BAD)(
    '$what: $code, with the value and the remedy, and nothing is left',
    ({ mode = 'MacVlan', known, code, msg, details, links }) => {
      stand.known(mode, known);
      if (links) onHost(links.before);
      const netns = stand.aNetns();
      try {
        const told = stand.call({ verb: 'ADD', netns });
        expect(told).toMatchObject({ code: 1, out: { cniVersion: '1.1.0', code, msg: expect.stringMatching(msg) } });
        for (const each of details) expect(told.out.details).toContain(each);
        expect(inPod(netns)).toBe('lo');
        // What containerd does after a failed ADD.
        expect(stand.call({ verb: 'DEL', netns })).toEqual({ code: 0, out: undefined });
      } finally {
        if (links) onHost(links.after);
      }
    },
  );

  test('a pod whose limits were wrong is wired once they are right', () => {
    const netns = stand.aNetns();
    stand.known('MacVlan', annotated('kubernetes.io/egress-bandwidth', 'fast'));
    expect(stand.call({ verb: 'ADD', netns }).out.code).toBe(110);
    stand.known('MacVlan', annotated('kubernetes.io/egress-bandwidth', '10M'));
    expect(stand.call({ verb: 'ADD', netns }).out.ips[0].address).toBe(`${address}/24`);
    expect(stand.call({ verb: 'DEL', netns }).code).toBe(0);
  });

  test('a caller that is not root is told so, and the agent does not hear of it', () => {
    stand.known('MacVlan', { pool: { ...pool, intranet: INTRANET }, ...withLock({ mac }) });
    // The socket is what keeps it out, and not the folder of the test.
    chmodSync(stand.folder, 0o755);
    const netns = stand.aNetns();
    for (const verb of ['ADD', 'CHECK']) {
      const { code, out } = stand.call({ verb, netns, uid: 65534 });
      expect([verb, code, out.code]).toEqual([verb, 1, 7]);
      expect(out.details).toContain('it belongs to user 0, not to 65534');
    }
    // Nor can it leave a tombstone: the runtime comes again.
    expect(stand.call({ verb: 'DEL', netns, uid: 65534 })).toMatchObject({ code: 1, out: { code: 11 } });
    expect(inPod(netns)).toBe('lo');
    const refused = execFileSync('setpriv', ['--reuid', '65534', 'sh', '-c', `test -w ${join(stand.folder, 'cni.sock')} || echo no`]);
    expect(`${refused}`.trim()).toBe('no');
  });
});
