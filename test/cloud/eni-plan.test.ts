import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clientToken } from '../../lib/cloud/client-token.ts';
import {
  afterConflict,
  afterCreate,
  CONFLICT_MS,
  eniPlan,
  LOST_MS,
  type Memory,
  NO_MEMORY,
  type SeenEni,
} from '../../lib/cloud/eni-plan.ts';
import { aJudgedEc2, anEni, anInstance, CARDS } from './an-instance.ts';

const OWN: SeenEni = { ...anEni(undefined, { deviceIndex: 0 }, 'eni-own') };
const plan = (seen: readonly SeenEni[], over = {}, memory: Memory = NO_MEMORY, now = 0, taken: string[] = []) =>
  eniPlan(anInstance(over), [OWN, ...seen], new Set(taken), memory, now);
const at = (networkCardIndex: number, deviceIndex: number) => ({ networkCardIndex, deviceIndex });

describe('a new instance', () => {
  test('gets an ENI for each slot, by tokens that any process would have', () => {
    const { steps } = plan([]);
    expect(steps).toMatchObject([0, 1, 2].map((slot) => ({ do: 'create', slot })));
    expect(plan([]).steps).toEqual(steps);
    expect(new Set(steps.map((step) => step.do === 'create' && step.clientToken)).size).toBe(3);
    for (const step of steps) expect(step.do === 'create' && step.clientToken).toMatch(/^[\x20-\x7e]{1,64}$/);
  });

  test('that does not run yet has them made, and attached when it runs', () => {
    expect(plan([anEni(0)], { wanted: 1, running: false })).toMatchObject({ steps: [], waits: [{ slot: 0, for: 'the instance to run' }] });
    expect(plan([anEni(0)], { wanted: 1 }).steps).toEqual([{ do: 'attach', slot: 0, eniId: 'eni-0', place: at(0, 1) }]);
  });
});

describe('an ENI', () => {
  test('that was made is waited for until it is shown, and not made again', () => {
    const memory = afterCreate(NO_MEMORY, 0, 'eni-0', 0);
    expect(plan([], { wanted: 1 }, memory, LOST_MS - 1)).toMatchObject({ steps: [], waits: [{ slot: 0, for: 'to be shown' }] });
    expect(plan([anEni(0)], { wanted: 1 }, memory, 1).memory.created).toEqual({});
  });

  test('that never came is made anew by another token: the old one is answered with what is gone', () => {
    const [first] = plan([], { wanted: 1 }).steps;
    const [second] = plan([], { wanted: 1 }, afterCreate(NO_MEMORY, 0, 'eni-0', 0), LOST_MS).steps;
    expect([first, second]).toMatchObject([{ do: 'create' }, { do: 'create' }]);
    expect(second).not.toEqual(first);
  });

  test('is a slot when it is attached, and then told to end with its instance', () => {
    const eni = anEni(0, { deleteOnTermination: false });
    const { slots, steps } = plan([eni], { wanted: 1 });
    expect(slots).toEqual([{ slot: 0, ...at(0, 1), eniId: 'eni-0', mac: eni.mac, ip: eni.ip, subnetId: eni.subnetId }]);
    expect(steps).toEqual([{ do: 'end with instance', eniId: 'eni-0', attachmentId: 'attach-eni-0' }]);
    expect(plan([anEni(0, { status: 'attaching' })], { wanted: 1 })).toMatchObject({ slots: [], waits: [{ slot: 0, for: 'attaching' }] });
  });

  test("that is somebody else's is not touched, and its place is passed over", () => {
    const foreign = anEni(undefined, at(0, 1), 'eni-foreign');
    const { steps, waits } = plan([foreign, anEni(0), anEni(1), anEni(2)]);
    expect(steps).toMatchObject([{ place: at(0, 2) }, { place: at(0, 3) }]);
    expect(waits).toEqual([{ slot: 2, for: 'a free place' }]);
  });

  test('goes to the next device index where EC2 says that one is taken, for a minute', () => {
    const memory = afterConflict(NO_MEMORY, at(0, 1), 0);
    expect(plan([anEni(0)], { wanted: 1 }, memory, CONFLICT_MS - 1).steps).toMatchObject([{ place: at(0, 2) }]);
    expect(plan([anEni(0)], { wanted: 1 }, memory, CONFLICT_MS).steps).toMatchObject([{ place: at(0, 1) }]);
  });

  test('goes to the next network card where one is full', () => {
    const enis = [0, 1, 2].map((slot) => anEni(slot));
    expect(plan(enis, { networkCards: CARDS('p5.48xlarge') }).steps).toMatchObject([
      { place: at(0, 1) },
      { place: at(1, 1) },
      { place: at(1, 2) },
    ]);
  });
});

describe('an ENI too many', () => {
  const attached = [anEni(0, at(0, 1)), anEni(1, at(0, 2))];

  test('is detached once nobody has its address, and is spare when it is free', () => {
    expect(plan(attached, { wanted: 1 }).steps).toEqual([{ do: 'detach', eniId: 'eni-1', attachmentId: 'attach-eni-1' }]);
    const held = plan(attached, { wanted: 1 }, NO_MEMORY, 0, [attached[1]?.ip ?? '']);
    expect(held).toMatchObject({ steps: [], waits: [{ slot: 1, for: 'its address to be free' }] });
    expect(plan([anEni(0, {}), anEni(1)], { wanted: 1 }).spare).toEqual(['eni-1']);
  });

  test('of one slot is the one that is not attached, then the one with the higher id', () => {
    expect(plan([anEni(0, undefined, 'eni-a'), anEni(0, {}, 'eni-b')], { wanted: 1 }).spare).toEqual(['eni-a']);
    expect(plan([anEni(0, undefined, 'eni-b'), anEni(0, undefined, 'eni-a')], { wanted: 1 }).spare).toEqual(['eni-b']);
  });
});

test('a token says of what the ENI is made, whatever the order of its groups', () => {
  const intent = { instanceId: 'i-0123456789abcdef0', slot: 3, generation: 0, subnetId: 'subnet-0d1', securityGroupIds: ['sg-1', 'sg-2'] };
  expect(clientToken(intent)).toMatch(/^i-0123456789abcdef0-3-0-[0-9a-f]{12}$/);
  expect(clientToken({ ...intent, securityGroupIds: ['sg-2', 'sg-1'] })).toBe(clientToken(intent));
  for (const other of [{ slot: 4 }, { generation: 1 }, { subnetId: 'subnet-0d2' }, { securityGroupIds: ['sg-1'] }])
    expect(clientToken({ ...intent, ...other })).not.toBe(clientToken(intent));
});

describe('on an EC2 that loses answers, refuses, forgets and is meddled with', () => {
  const fate = fc.constantFrom('ok', 'ok', 'lost', 'refused', 'twice');
  const event = fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('round' as const), fates: fc.array(fate, { minLength: 1, maxLength: 5 }) }) },
    { weight: 2, arbitrary: fc.constantFrom({ what: 'restart' as const }, { what: 'delete' as const }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('foreign' as const), deviceIndex: fc.integer({ min: 1, max: 3 }) }) },
  );
  const types = fc.constantFrom(['c5.xlarge', 3] as const, ['p5.48xlarge', 6] as const);

  test('there are never more ENIs than slots, and in the end each slot has one, as far as there are places', () => {
    fc.assert(
      fc.property(types, fc.array(fc.tuple(event, fc.nat({ max: 40_000 })), { maxLength: 40 }), ([type, wanted], history) => {
        const instance = anInstance({ wanted, networkCards: CARDS(type) });
        const ec2 = aJudgedEc2(instance, type);
        ec2.pass(2_000);
        let memory = NO_MEMORY;
        const round = (fates: readonly string[]) => {
          const now = eniPlan(instance, ec2.seen(), new Set(), memory, ec2.now());
          memory = now.memory;
          for (const [index, step] of now.steps.entries()) {
            const what = fates[index % fates.length];
            if (what === 'refused') continue;
            let outcome = ec2.do(step);
            if (what === 'twice') outcome = ec2.do(step);
            if (what === 'lost') continue;
            if (step.do === 'create' && 'eniId' in outcome) memory = afterCreate(memory, step.slot, outcome.eniId ?? '', ec2.now());
            if (step.do === 'attach' && 'code' in outcome && outcome.code === 'InvalidParameterValue')
              memory = afterConflict(memory, step.place, ec2.now());
          }
          return now;
        };
        for (const [each, passing] of history) {
          if (each.what === 'round') round(each.fates);
          else if (each.what === 'restart') memory = NO_MEMORY;
          else if (each.what === 'delete') ec2.deleteFree();
          else ec2.foreign(each.deviceIndex);
          ec2.pass(passing);
          if (ec2.ours().length > wanted) throw new Error(`${ec2.ours().length} ENIs for ${wanted} slots`);
        }
        // A slot may have lost several ENIs, each of which is waited for.
        for (let calm = 0; calm < 150; calm++) {
          round(['ok']);
          ec2.pass(20_000);
        }
        const end = round(['ok']);
        const foreign = ec2.on().length - 1 - end.slots.length;
        const room = CARDS(type).reduce((sum, card) => sum + card.networkInterfaces, 0) - 1 - foreign;
        expect([end.steps, end.spare, end.slots.length]).toEqual([[], [], Math.min(wanted, room)]);
        expect(ec2.on().every(({ attachment }) => attachment?.status === 'attached')).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
