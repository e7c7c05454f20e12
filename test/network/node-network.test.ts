import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HostPool } from '../../lib/api/kinds.ts';
import { LEAST_MS_BETWEEN_MACHINES, type Network, nodeNetworkStep, type Seen, type Step } from '../../lib/network/node-network.ts';
import { aHost, aNetwork, anEc2Pool, aPool } from './a-pool.ts';

const NODE = 'h-r12-01';
const EC2 = 'aws:///ap-northeast-1a/i-0123';
const pools = new Map<string, Pick<HostPool, 'spec'>>([
  ['web', aPool()],
  ['ads', aPool({ name: 'ads', intranet: { trunk: 'bond1' } })],
  ['calico', aPool({ name: 'calico', cni: 'calico' })],
  ['burst', anEc2Pool()],
]);
const seen = (over: Partial<Seen> = {}): Seen => ({
  ...{ host: aHost(), pools, existing: aNetwork(), taken: 0, msSinceReplaced: Infinity },
  ...over,
});
const step = (over: Partial<Seen> = {}) => nodeNetworkStep(NODE, seen(over));
const told = ({ tell }: Step) => tell?.message ?? '';

describe('N1 a node of a pool with addresses of Gala gets a NodeNetwork', () => {
  test('a racked host by its machine id, with the trunk of its pool', () => {
    expect(step({ existing: undefined })).toEqual({ do: 'create', spec: { machineID: '9f2c', pool: 'web', trunk: 'bond0' } });
  });

  test('an EC2 instance by its provider id, without a trunk', () => {
    const host = aHost({ pool: 'burst', machineID: 'ec2f', providerID: EC2 });
    expect(step({ host, existing: undefined })).toEqual({ do: 'create', spec: { providerID: EC2, pool: 'burst' } });
  });
});

describe('N2 the same machine keeps its NodeNetwork', () => {
  test('nothing is done while it is right, whatever happened to the Node object', () => {
    expect(step({ host: aHost({ uid: 'registered-anew', ready: false }) })).toEqual({ do: 'nothing' });
  });

  test('another pool or trunk is written into it', () => {
    expect(step({ host: aHost({ pool: 'ads' }) })).toEqual({ do: 'update', spec: { pool: 'ads', trunk: 'bond1' } });
    expect(step({ existing: aNetwork({ trunk: undefined }) })).toEqual({ do: 'update', spec: { pool: 'web', trunk: 'bond0' } });
  });
});

describe('N3 another machine under the old name is a new owner', () => {
  test('the old NodeNetwork goes and a new one comes', () => {
    expect(step({ host: aHost({ machineID: '3c3c' }) })).toEqual({
      do: 'replace',
      spec: { machineID: '3c3c', pool: 'web', trunk: 'bond0' },
      tell: { reason: 'MachineReplaced', message: 'h-r12-01 is another machine: 9f2c → 3c3c.' },
    });
  });

  test('its addresses stay with the lock writer, and whoever reads the event is told so', () => {
    const replaced = step({ host: aHost({ machineID: '3c3c' }), taken: 7 });
    expect(replaced).toMatchObject({ do: 'replace' });
    expect(told(replaced)).toMatch(/7 addresses are still Locked or Bound there; the lock writer keeps them .* old machine is off/);
  });

  test('a host that became an instance of EC2 is another machine too', () => {
    const spec = { providerID: EC2, pool: 'burst' };
    expect(step({ host: aHost({ pool: 'burst', providerID: EC2 }) })).toMatchObject({ do: 'replace', spec });
  });

  test('two machines that share a name do not take turns faster than once a minute', () => {
    const again = step({ host: aHost({ machineID: '3c3c' }), msSinceReplaced: 20_000 });
    expect(again).toMatchObject({ do: 'wait', ms: LEAST_MS_BETWEEN_MACHINES - 20_000 });
    expect(told(again)).toMatch(/two machines call themselves h-r12-01\. Give one of them another host name/);
    expect(step({ host: aHost({ machineID: '3c3c' }), msSinceReplaced: LEAST_MS_BETWEEN_MACHINES })).toMatchObject({ do: 'replace' });
  });
});

describe('N4 the NodeNetwork goes with its Node', () => {
  test('at once when no address is Locked or Bound there', () => {
    expect(step({ host: undefined })).toEqual({ do: 'delete', because: 'the Node h-r12-01 is gone' });
  });

  test('not before: it alone says which machine has them', () => {
    const kept = step({ host: undefined, taken: 1 });
    expect(kept.do).toBe('nothing');
    expect(told(kept)).toMatch(/the Node h-r12-01 is gone, and 1 address is Locked or Bound on h-r12-01: its NodeNetwork.* stays until/);
  });

  test('a new machine need not wait for the addresses of the old one', () => {
    expect(step({ host: aHost({ machineID: '3c3c' }), taken: 1 })).toMatchObject({ do: 'replace' });
  });
});

describe('N5 a node that Gala gives no addresses has no NodeNetwork', () => {
  test.each([
    ['its label is gone', aHost({ pool: undefined }), 'the Node h-r12-01 has no label gala.internal/pool any more'],
    ['another CNI wires the pods of its pool', aHost({ pool: 'calico' }), 'calico wires the pods of pool calico'],
  ])('%s', (_, host, because) => {
    expect(step({ host })).toEqual({ do: 'delete', because });
    expect(step({ host, taken: 2 })).toMatchObject({ do: 'nothing', tell: { reason: 'AddressesTaken' } });
    expect(step({ host, existing: undefined })).toEqual({ do: 'nothing' });
  });
});

describe('N6 a label that names no pool makes nothing and takes nothing away', () => {
  test('it is told with the pools there are and what to type', () => {
    const lost = step({ host: aHost({ pool: 'wep' }), existing: undefined });
    expect(lost).toMatchObject({ do: 'nothing', tell: { reason: 'NoSuchPool' } });
    expect(told(lost)).toBe(
      "Label gala.internal/pool is 'wep', which names no HostPool; there are ads, burst, calico, web. Did you mean 'web'? " +
        'kubectl label node h-r12-01 gala.internal/pool=<pool> --overwrite. Until then pods on it get no address from Gala.',
    );
  });

  test('the NodeNetwork of a node whose pool was deleted stays', () => {
    expect(step({ pools: new Map() })).toMatchObject({ do: 'nothing', tell: { reason: 'NoSuchPool' } });
  });
});

describe('N7 a Node that does not say which machine it is', () => {
  test.each([
    ['a racked host without a machine id', aHost({ machineID: undefined }), 'systemd-machine-id-setup'],
    ['a machine id that is none', aHost({ machineID: 'no hex!' }), "'no hex!'"],
    ['an instance without a provider id', aHost({ pool: 'burst' }), '--provider-id'],
    ['an instance of another cloud', aHost({ pool: 'burst', providerID: 'gce://p/z/i' }), "'gce://p/z/i'"],
  ])('%s gets nothing, and the event says how to mend it', (_, host, remedy) => {
    const unknown = step({ host, existing: undefined });
    expect(unknown).toMatchObject({ do: 'nothing', tell: { reason: 'MachineUnknown' } });
    expect(told(unknown)).toContain(remedy);
  });

  test('not knowing is no new machine', () => {
    expect(step({ host: aHost({ machineID: undefined }) }).do).toBe('nothing');
  });
});

describe('whatever is seen', () => {
  const ids = ['9f2c', '3c3c', 'no hex!', undefined];
  const anything = fc.record<Seen>({
    host: fc.option(
      fc
        .record({ pool: fc.constantFrom('web', 'ads', 'calico', 'burst', 'gone', undefined), id: fc.constantFrom(...ids) })
        .map(({ pool, id }) => aHost({ name: NODE, pool, machineID: id, providerID: id && `aws:///z/i-${id}` })),
      { nil: undefined },
    ),
    existing: fc.option(
      fc
        .record({ pool: fc.constantFrom('web', 'ads', 'burst'), id: fc.constantFrom('9f2c', '3c3c') })
        .map(({ pool, id }) =>
          pool === 'burst'
            ? aNetwork({ pool, machineID: undefined, providerID: `aws:///z/i-${id}`, trunk: undefined })
            : aNetwork({ pool, machineID: id }),
        ),
      { nil: undefined },
    ),
    taken: fc.constantFrom(0, 0, 3),
    msSinceReplaced: fc.constantFrom(0, 59_999, 60_000, Infinity),
    pools: fc.constant(pools),
  });

  /** What is there after a step. */
  function after(seen: Seen, step: Step): Network | undefined {
    if (step.do === 'delete') return undefined;
    if (step.do === 'create' || step.do === 'replace') return aNetwork({ machineID: undefined, trunk: undefined, ...step.spec });
    if (step.do === 'update') return { ...seen.existing!, pool: step.spec.pool, trunk: step.spec.trunk ?? undefined };
    return seen.existing;
  }

  test('one step is enough, and a second changes nothing', () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const next = { ...seen, existing: after(seen, nodeNetworkStep(NODE, seen)) };
        expect(['nothing', 'wait']).toContain(nodeNetworkStep(NODE, next).do);
      }),
      { numRuns: 500 },
    );
  });

  test('a crash between the two halves of a replacement ends in the same', () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const step = nodeNetworkStep(NODE, seen);
        fc.pre(step.do === 'replace');
        expect(nodeNetworkStep(NODE, { ...seen, existing: undefined })).toEqual({ do: 'create', spec: step.spec });
      }),
    );
  });

  test('the record of a machine that has addresses goes only when another machine has its name', () => {
    fc.assert(
      fc.property(anything, (seen) => {
        fc.pre(seen.taken > 0);
        expect(nodeNetworkStep(NODE, seen).do).not.toBe('delete');
      }),
    );
  });

  test('no step carries eniSlots or status: they are others’', () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const step = nodeNetworkStep(NODE, seen);
        const written = 'spec' in step ? Object.keys(step.spec) : [];
        expect(['machineID', 'providerID', 'pool', 'trunk']).toEqual(expect.arrayContaining(written));
      }),
    );
  });
});
