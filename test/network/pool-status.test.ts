import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HostPool } from '../../lib/api/kinds.ts';
import { addressRange, cidrRange, toAddress, within } from '../../lib/api/range.ts';
import type { Address } from '../../lib/network/address.ts';
import type { Host } from '../../lib/network/host.ts';
import { poolStatus } from '../../lib/network/pool-status.ts';
import { ALL_HOSTS, aHost, anAddress, aPool, hostsOf, type Intranet } from './a-pool.ts';

const NOW = '2027-02-16T20:00:00.000Z';
const BEFORE = '2027-02-16T19:00:00.000Z';

interface Given {
  readonly pool?: ReturnType<typeof aPool>;
  readonly hosts?: readonly Host[];
  readonly addresses?: readonly Address[];
}
function status({ pool = aPool(), hosts = ALL_HOSTS, addresses = [] }: Given = {}) {
  return poolStatus({ pool, intranet: pool.spec.intranet as Intranet, hosts: hostsOf(...hosts), addresses }, NOW);
}
const vlan = (id: number, given: Given) => status(given).vlans?.find((vlan) => vlan.id === id);
const condition = (type: string, given: Given) => status(given).conditions?.find((condition) => condition.type === type);

describe('hosts', () => {
  test('racks say which there are, Ready Nodes of the pool which can be used', () => {
    expect(status().hosts).toEqual({ known: 4, ready: 4 });
    const hosts = [
      aHost(),
      aHost({ name: 'h-r12-02', ready: false }),
      aHost({ name: 'h-r13-01', pool: 'ads' }),
      aHost({ name: 'h-r99-01' }),
    ];
    expect(status({ hosts }).hosts).toEqual({ known: 4, ready: 1 });
  });

  test('those without a Node are named, with what to do', () => {
    expect(condition('HostsMissing', { hosts: [aHost(), aHost({ name: 'h-r13-02' })] })).toEqual({
      type: 'HostsMissing',
      status: 'True',
      reason: 'NoNode',
      message: 'Hosts without a Node (2 of 4): h-r12-02, h-r13-01. Start their kubelets, or take them out of racks in the definition.',
      lastTransitionTime: NOW,
    });
    expect(condition('HostsMissing', {})).toEqual({
      ...{ type: 'HostsMissing', status: 'False', reason: 'AllThere', lastTransitionTime: NOW },
    });
  });

  test('Nodes that say they are of the pool and stand in no rack are named', () => {
    expect(condition('NodesOutsideRacks', { hosts: [...ALL_HOSTS, aHost({ name: 'h-r99-01' })] })).toMatchObject({
      status: 'True',
      message: expect.stringContaining('(1): h-r99-01. Add them to racks in the definition'),
    });
    expect(condition('NodesOutsideRacks', { hosts: [...ALL_HOSTS, aHost({ name: 'h-r99-01', pool: 'ads' })] })?.status).toBe('False');
  });

  test('hosts of the racks that say another pool, or none, are named', () => {
    const hosts = [aHost({ pool: undefined }), aHost({ name: 'h-r12-02', pool: 'ads' })];
    expect(condition('PoolLabelWrong', { hosts })?.message).toBe(
      "Hosts of the racks that do not say so (2): h-r12-01 (no label), h-r12-02 ('ads'). kubectl label node <node> gala.internal/pool=web --overwrite",
    );
  });

  test('a rack label that differs from the rack is told, a missing one is not', () => {
    const hosts = [aHost({ rack: 'r13' }), aHost({ name: 'h-r12-02', rack: undefined }), aHost({ name: 'h-r99-01' })];
    expect(condition('RackLabelWrong', { hosts })?.message).toContain(
      "(2): h-r12-01 ('r13', stands in r12), h-r99-01 ('r99' is no rack of the pool). Their addresses count for both.",
    );
    expect(condition('RackLabelWrong', { hosts: [aHost({ rack: undefined })] })?.status).toBe('False');
  });

  test('a nodeset that no one can read takes only its own rack out', () => {
    const racks = [
      { name: 'r12', hosts: 'h-r12-[02-01]' },
      { name: 'r13', hosts: 'h-r13-[01-02]' },
    ];
    const pool = aPool({ intranet: { racks } });
    expect(status({ pool }).hosts).toEqual({ known: 2, ready: 2 });
    expect(condition('RacksUnreadable', { pool })?.message).toContain("rack r12: 'h-r12-[02-01]': [02-01] runs backwards");
  });

  test('a thousand names make a sentence that the API server takes', () => {
    const racks = [{ name: 'r12', hosts: `a-${'very-'.repeat(40)}long-name-[0001-1000]` }];
    const message = condition('HostsMissing', { pool: aPool({ intranet: { racks } }) })?.message ?? '';
    expect(message).toMatch(/\(1000 of 1000\): a-very-.*-0001, .* and 99\d more\. Start their kubelets/);
    expect(message.length).toBeLessThan(1024);
  });
});

describe('addresses', () => {
  test('a VLAN says how many pods may have, in the subnet that was counted', () => {
    expect(status().vlans).toEqual([
      { id: 110, subnet: '10.110.0.0/24', total: 64, quarantined: 0 },
      { id: 130, subnet: '10.130.0.0/24', total: 64, quarantined: 0 },
    ]);
  });

  test('taken ones are counted by phase, with the lowest, the highest and the racks they are in', () => {
    const addresses = [
      anAddress('10.110.0.150', 'h-r13-01', 'Locked'),
      anAddress('10.110.0.140', 'h-r12-01', 'Bound'),
      anAddress('10.110.0.161', 'h-r12-02', 'Held'),
      anAddress('10.110.0.190', 'h-r12-01', 'Quarantined'),
    ];
    expect(vlan(110, { addresses })).toEqual({
      ...{ id: 110, subnet: '10.110.0.0/24', total: 64, quarantined: 1 },
      taken: { locked: 1, bound: 1, held: 1, lowest: '10.110.0.140', highest: '10.110.0.161', racks: ['r12', 'r13'] },
    });
    expect(vlan(130, { addresses })).not.toHaveProperty('taken');
  });

  test('in doubt an address counts for more racks, not for fewer', () => {
    expect(vlan(110, { hosts: [aHost({ rack: 'r13' })], addresses: [anAddress('10.110.0.140')] })?.taken?.racks).toEqual(['r12', 'r13']);
    expect(vlan(110, { hosts: [], addresses: [anAddress('10.110.0.140')] })?.taken?.racks).toEqual(['r12']);
    expect(vlan(110, { hosts: [], addresses: [anAddress('10.110.0.140', 'gone')] })?.taken).toMatchObject({ bound: 1, racks: [] });
  });

  test('one that the range lost is still taken from its VLAN, and told', () => {
    const given = { addresses: [anAddress('10.110.0.7')] };
    expect(vlan(110, given)?.taken).toMatchObject({ bound: 1, lowest: '10.110.0.7', highest: '10.110.0.7' });
    expect(condition('AddressesCutOff', given)?.message).toBe(
      'Taken addresses out of the reach of the spec (1): 10.110.0.7 (Bound on h-r12-01, outside the addresses of VLAN 110). Each stays ' +
        'with its pod and goes to no other. Delete the pods, or put back what the spec lost.',
    );
  });

  test.each([
    ['its VLAN was taken away', '10.99.0.7', 'h-r12-01', 'in no VLAN of the pool'],
    ['its rack was taken out of the VLAN', '10.130.0.70', 'h-r12-01', 'VLAN 130 is not trunked to r12'],
    ['its host was taken out of the racks', '10.110.0.140', 'h-r99-01', 'which stands in no rack'],
  ])('one whose pod cannot be reached is told: %s', (_, ip, node, why) => {
    const given = { hosts: [...ALL_HOSTS, aHost({ name: 'h-r99-01' })], addresses: [anAddress(ip, node)] };
    expect(condition('AddressesCutOff', given)?.message).toContain(`(1): ${ip} (Bound on ${node}, ${why})`);
  });

  test('what other pools have, and what is Held somewhere else, is not cut off', () => {
    const addresses = [anAddress('10.99.0.7', 'other'), anAddress('10.130.0.70', 'h-r12-01', 'Held'), anAddress('10.130.0.71', 'h-r13-01')];
    expect(condition('AddressesCutOff', { addresses })?.status).toBe('False');
  });

  test('where another CNI has the addresses only those are told that Gala gave out before', () => {
    const pool = aPool({ cni: 'calico' });
    expect(status({ pool }).vlans).toEqual([]);
    expect(status({ pool, addresses: [anAddress('10.110.0.140')] }).vlans).toMatchObject([{ id: 110, taken: { bound: 1 } }]);
  });
});

describe('times', () => {
  const earlier = (over: object) => [
    { type: 'HostsMissing', status: 'True' as const, reason: 'NoNode', message: 'other', lastTransitionTime: BEFORE, ...over },
  ];
  const given = (over: object = {}) => ({ hosts: [aHost()], pool: aPool({ status: { conditions: earlier(over) } }) });

  test('a condition keeps its time while its status stays, and has a new one when it turns', () => {
    expect(condition('HostsMissing', given())).toMatchObject({ lastTransitionTime: BEFORE, message: expect.stringContaining('3 of 4') });
    expect(condition('HostsMissing', given({ status: 'False' }))?.lastTransitionTime).toBe(NOW);
  });

  test('conditions of others stay as they are', () => {
    expect(condition('Lent', given({ type: 'Lent' }))).toMatchObject({ message: 'other', lastTransitionTime: BEFORE });
  });

  test('the generation that was counted is said', () => {
    expect(status().observedGeneration).toBe(3);
  });
});

describe('whatever there is', () => {
  const host = fc.record({
    name: fc.constantFrom('h-r12-01', 'h-r12-02', 'h-r13-01', 'h-r13-02', 'h-r99-01'),
    pool: fc.constantFrom('web', 'ads', undefined),
    rack: fc.constantFrom('r12', 'r13', 'r99', undefined),
    ready: fc.boolean(),
  });
  const hosts = fc.uniqueArray(host.map(aHost), { selector: ({ name }) => name, maxLength: 5 });
  const address = fc.record<Address>({
    number: fc
      .tuple(fc.constantFrom('10.110.0.', '10.130.0.', '10.99.0.'), fc.integer({ min: 0, max: 255 }))
      .map(([net, last]) => anAddress(`${net}${last}`).number),
    node: fc.constantFrom('h-r12-01', 'h-r13-02', 'h-r99-01', 'gone'),
    phase: fc.constantFrom('Locked', 'Bound', 'Held', 'Quarantined'),
  });
  const addresses = fc.uniqueArray(address, { selector: ({ number }) => number, maxLength: 30 });
  const anything = fc.record({ hosts, addresses });

  test('the same objects give the same status, in whatever order they came', () => {
    const shuffled = anything.chain(({ hosts, addresses }) =>
      fc.record({
        hosts: fc.constant(hosts),
        addresses: fc.constant(addresses),
        otherHosts: fc.shuffledSubarray(hosts, { minLength: hosts.length }),
        otherAddresses: fc.shuffledSubarray(addresses, { minLength: addresses.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ otherHosts, otherAddresses, ...given }) => {
        expect(status({ hosts: otherHosts, addresses: otherAddresses })).toEqual(status(given));
      }),
    );
  });

  test('asked again about what it said, it says the same', () => {
    fc.assert(
      fc.property(anything, (given) => {
        const once = status(given);
        expect(status({ ...given, pool: aPool({ status: once }) })).toEqual(once);
      }),
    );
  });

  test('every address of a subnet counts once, and lies between the lowest and the highest', () => {
    fc.assert(
      fc.property(anything, (given) => {
        for (const { subnet, quarantined, taken } of status(given).vlans ?? []) {
          const inside = given.addresses.filter(({ number }) => within(cidrRange(subnet), number));
          expect(quarantined + (taken === undefined ? 0 : taken.locked + taken.bound + taken.held)).toBe(inside.length);
          const used = inside.filter(({ phase }) => phase !== 'Quarantined').map(({ number }) => number);
          if (taken === undefined) expect(used).toEqual([]);
          else expect([taken.lowest, taken.highest]).toEqual([toAddress(Math.min(...used)), toAddress(Math.max(...used))]);
        }
      }),
    );
  });

  test('an address on a host of a rack keeps that rack', () => {
    fc.assert(
      fc.property(anything, (given) => {
        const racks = new Map(given.hosts.map(({ name, rack }) => [name, rack]));
        for (const { subnet, taken } of status(given).vlans ?? [])
          for (const { number, node, phase } of given.addresses)
            if (phase !== 'Quarantined' && within(cidrRange(subnet), number))
              for (const rack of [/r1[23]/.exec(node)?.[0], racks.get(node)])
                if (rack !== undefined && rack !== 'r99') expect(taken?.racks).toContain(rack);
      }),
    );
  });

  test('what it says is what the kind allows', () => {
    fc.assert(
      fc.property(anything, (given) => {
        expect(HostPool.status?.safeParse(status(given)).error?.issues ?? []).toEqual([]);
      }),
    );
  });

  test('cut off is what no range gives, and nothing that is Held within one', () => {
    fc.assert(
      fc.property(addresses, (addresses) => {
        const ranges = aPool().spec.intranet!.vlans.map((vlan) => addressRange(vlan.addresses));
        const given = addresses
          .filter(({ number }) => ranges.some((range) => within(range, number)))
          .map((it) => ({ ...it, phase: 'Held' as const }));
        expect(condition('AddressesCutOff', { addresses: given })?.status).toBe('False');
      }),
    );
  });
});
