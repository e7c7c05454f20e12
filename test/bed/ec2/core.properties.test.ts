import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type InstanceType, instanceType } from '../../../lib/api/instance-types.ts';
import * as instances from './instance.ts';
import * as interfaces from './interface.ts';
import { pageOf } from './page.ts';
import type { Call } from './query.ts';
import * as reservations from './reservation.ts';
import { BUCKETS, type Levels, take } from './throttle.ts';
import { nextAt, settle } from './time.ts';
import { judgeToken, remember, type Tokens } from './token.ts';
import { type Delays, emptyWorld, enisOn, type World } from './world.ts';
import { type Element, element, parseXml, writeXml } from './xml.ts';

const DELAYS: Delays = { visibleMs: 10, attachMs: 30, detachMs: 20, startMs: 50, shutdownMs: 40, forgetMs: 500 };
const TYPES = ['c5.large', 'p5.48xlarge'] as const;
/** Small, so that addresses run out: 27 of the one and 11 of the other. */
const SUBNETS = {
  'subnet-a': { id: 'subnet-a', vpcId: 'vpc', zone: 'zone-a', cidr: '10.0.0.0/27' },
  'subnet-b': { id: 'subnet-b', vpcId: 'vpc', zone: 'zone-b', cidr: '10.0.1.16/28' },
};

interface Moment {
  readonly world: World;
  readonly now: number;
}

/** What a caller may do next; ENIs, instances and attachments are picked of those that there are, and sometimes of those that are not. */
type Step = (before: Moment) => World;

const GONE = 24;
const ids = (things: Readonly<Record<string, unknown>>, pick: number) =>
  pick === GONE ? 'gone' : (Object.keys(things)[pick % Math.max(1, Object.keys(things).length)] ?? 'none');
const attachmentIds = (world: World) =>
  Object.fromEntries(Object.values(world.enis).flatMap(({ attachment }) => (attachment ? [[attachment.id, 0]] : [])));
const small = fc.nat({ max: GONE });
/** Mostly of one zone: what never meets never conflicts. */
const subnetId = fc.constantFrom(...Array(6).fill('subnet-a'), 'subnet-b', 'subnet-gone');

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(subnetId, fc.option(fc.nat({ max: 40 }), { nil: undefined })).map(
      ([subnet, last]): Step =>
        ({ world, now }) => {
          const asked = { subnetId: subnet, ...(last === undefined ? {} : { address: `10.0.${subnet === 'subnet-b' ? 1 : 0}.${last}` }) };
          const verdict = interfaces.judgeCreate(world, asked);
          if ('refused' in verdict) return world;
          return interfaces.created(
            world,
            { id: `eni-${world.serial}`, mac: '', subnetId: subnet, addresses: verdict.addresses },
            now,
            DELAYS,
          );
        },
    ),
  },
  {
    weight: 1,
    arbitrary: small.map(
      (pick): Step =>
        ({ world, now }) => {
          const id = ids(world.enis, pick);
          return interfaces.judgeDelete(world, id, now) ? world : interfaces.deleted(world, id);
        },
    ),
  },
  {
    weight: 16,
    arbitrary: fc.tuple(small, small, fc.nat({ max: 4 }), fc.constantFrom(0, 0, 0, 1, 40)).map(
      ([eni, instance, deviceIndex, networkCardIndex]): Step =>
        ({ world, now }) => {
          const asked = { eniId: ids(world.enis, eni), instanceId: ids(world.instances, instance), deviceIndex, networkCardIndex };
          if (interfaces.judgeAttach(world, asked, instanceType, now)) return world;
          const serial = world.serial + 1;
          return interfaces.attaching({ ...world, serial }, asked, `attach-${serial}`, now, DELAYS);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: small.map(
      (pick): Step =>
        ({ world, now }) => {
          const id = ids(attachmentIds(world), pick);
          return interfaces.judgeDetach(world, id) ? world : interfaces.detaching(world, id, now, DELAYS);
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(small, fc.boolean()).map(
      ([pick, deleteOnTermination]): Step =>
        ({ world, now }) => {
          const eniId = ids(world.enis, pick);
          const attachmentId = world.enis[eniId]?.attachment?.id ?? 'gone';
          const verdict = interfaces.modifyAttachment(world, { eniId, attachmentId, deleteOnTermination }, now);
          return 'refused' in verdict ? world : verdict.world;
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...TYPES), subnetId, fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.option(small, { nil: undefined }))
      .map(
        ([type, subnet, minCount, maxCount, reservation]): Step =>
          ({ world, now }) => {
            const reservationId = reservation === undefined ? {} : { reservationId: ids(world.reservations, reservation) };
            const launch = { type, subnetId: subnet, minCount, maxCount, volumes: 1, more: [], ...reservationId };
            const room = instances.judgeLaunch(world, launch, instanceType);
            if ('refused' in room) return world;
            return room.addresses.reduce((before, address, index) => {
              const primary = { id: `eni-p${before.serial}`, mac: '', attachmentId: `attach-p${before.serial}`, deleteOnTermination: true };
              const reserved = room.reservations[index];
              const made = { id: `i-${before.serial}`, primary, address, ...(reserved === undefined ? {} : { reservationId: reserved }) };
              return instances.launched(before, launch, made, now, DELAYS);
            }, world);
          },
      ),
  },
  {
    weight: 1,
    arbitrary: small.map(
      (pick): Step =>
        ({ world, now }) => {
          const id = ids(world.instances, pick);
          return instances.judgeTerminate(world, [id], now) ? world : instances.terminating(world, [id], now, DELAYS);
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...TYPES), fc.integer({ min: 1, max: 3 }), fc.constantFrom('open', 'targeted')).map(
      ([type, total, match]): Step =>
        ({ world }) => {
          const made = reservations.reserve(world, { type, zone: 'zone-a', total, match: match as 'open' }, instanceType);
          return 'refused' in made ? world : made.world;
        },
    ),
  },
);

const start: World = { ...emptyWorld, subnets: SUBNETS, capacity: { 'c5.large zone-a': 4, 'p5.48xlarge zone-b': 2 } };
const history = fc.array(fc.tuple(anyStep, fc.nat({ max: 60 })), { minLength: 20, maxLength: 60 });

/** The world after each call, time passing in between. */
function* worlds(steps: readonly [Step, number][]): Generator<Moment> {
  let world = start;
  let now = 0;
  for (const [step, passing] of steps) {
    world = step({ world, now });
    yield { world, now };
    now += passing;
    world = settle(world, now, DELAYS).world;
    yield { world, now };
  }
}

/** `expect` takes too long for what is looked at after each of thousands of calls. */
function must(is: boolean, what: string, of: unknown): void {
  if (!is) throw new Error(`${what}: ${JSON.stringify(of)}`);
}

const unique = (texts: readonly string[]) => must(new Set(texts).size === texts.length, 'each once', texts);

describe('whatever is called in whichever order', () => {
  const always = (check: (moment: Moment) => void) =>
    fc.assert(
      fc.property(history, (steps) => {
        for (const moment of worlds(steps)) check(moment);
      }),
      { numRuns: 200 },
    );

  test('no instance has more ENIs than its type carries, on all cards and on each, nor two at one place', () =>
    always(({ world }) => {
      for (const instance of Object.values(world.instances)) {
        const there = enisOn(world, instance.id).map(({ attachment }) => attachment as NonNullable<typeof attachment>);
        const type = instanceType(instance.type) as InstanceType;
        must(there.length <= type.networkInterfaces, `at most ${type.networkInterfaces}`, there);
        for (const { networkCardIndex, networkInterfaces } of type.networkCards) {
          const onCard = there.filter((each) => each.networkCardIndex === networkCardIndex);
          must(onCard.length <= networkInterfaces, `at most ${networkInterfaces} on card ${networkCardIndex}`, onCard);
        }
        unique(there.map((each) => `${each.networkCardIndex}/${each.deviceIndex}`));
      }
    }));

  test('no address has two owners, and none is one that EC2 keeps', () =>
    always(({ world }) => {
      const all = Object.values(world.enis).flatMap(({ addresses }) => addresses);
      unique(all);
      for (const address of all) must(/^10\.0\.(0\.([4-9]|[12]\d|30)|1\.(2\d|30))$/.test(address), 'of the subnet', address);
    }));

  test('an ENI is on an instance that is there, of its own zone, and on no terminated one', () =>
    always(({ world }) => {
      for (const { zone, attachment } of Object.values(world.enis)) {
        if (attachment === undefined) continue;
        const instance = world.instances[attachment.instanceId];
        must(instance?.zone === zone && instance.state !== 'terminated', `of ${zone}, and there`, { attachment, instance });
      }
    }));

  test('no more instances run than there is room for, in a zone and in a capacity reservation', () =>
    always(({ world }) => {
      for (const left of Object.values(world.capacity)) must(left >= 0, 'not below nothing', left);
      for (const { id, total } of Object.values(world.reservations)) {
        const inside = Object.values(world.instances).filter((each) => each.reservationId === id && each.state !== 'terminated');
        must(inside.length <= total, `at most ${total}`, inside);
      }
    }));

  test('all that is under way comes to its end, and time in pieces is the same time', () =>
    fc.assert(
      fc.property(history, fc.nat({ max: 200 }), (steps, piece) => {
        const last = [...worlds(steps)].at(-1) as Moment;
        const whole = settle(last.world, last.now + 400, DELAYS);
        const first = settle(last.world, last.now + piece, DELAYS);
        const second = settle(first.world, last.now + 400, DELAYS);
        expect(second.world).toEqual(whole.world);
        expect([...first.happened, ...second.happened]).toEqual(whole.happened);
        const end = settle(last.world, last.now + 10_000, DELAYS).world;
        expect(nextAt(end)).toBe(Number.POSITIVE_INFINITY);
        for (const { attachment } of Object.values(end.enis)) must((attachment?.status ?? 'attached') === 'attached', 'done', attachment);
        for (const instance of Object.values(end.instances)) must(instance.state === 'running', 'running', instance);
      }),
      { numRuns: 100 },
    ));
});

test('a client token stands for one call: repeated it has the first answer, with anything else it is refused', () => {
  const call = fc.record({ token: fc.constantFrom('', 'a', 'b', 'c'), value: fc.constantFrom('1', '2') });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      let tokens: Tokens<number> = {};
      const first = new Map<string, { value: string; answer: number }>();
      for (const [number, { token, value }] of calls.entries()) {
        const asked: Call = { action: 'Create', params: { Value: value, ...(token === '' ? {} : { ClientToken: token }) } };
        const known = judgeToken(tokens, asked);
        const before = token === '' ? undefined : first.get(token);
        if (before === undefined) {
          expect(known).toBeUndefined();
          first.set(token, { value, answer: number });
          tokens = remember(tokens, asked, number);
        } else if (before.value === value) expect(known).toEqual({ answer: before.answer });
        else expect(known).toMatchObject({ refused: { code: 'IdempotentParameterMismatch' } });
      }
    }),
  );
});

test('in no stretch of time more calls pass than the bucket holds and gets', () =>
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1500 }), { maxLength: 120 }), (gaps) => {
      const buckets = { ...BUCKETS, Attach: { size: 5, perSecond: 3 } };
      let levels: Levels = {};
      let now = 0;
      const passed: number[] = [];
      for (const gap of gaps) {
        now += gap;
        const after = take(levels, { action: 'Attach', params: {} }, now, buckets);
        if (after === undefined) continue;
        levels = after;
        passed.push(now);
      }
      for (const [index, from] of passed.entries())
        for (let last = index; last < passed.length; last++)
          expect(last - index + 1).toBeLessThanOrEqual(5 + 3 * Math.ceil(((passed[last] ?? 0) - from) / 1000));
    }),
  ));

test('pages together are everything that was there all the time, each once and in order', () => {
  const serials = fc.uniqueArray(fc.nat({ max: 200 }), { maxLength: 60 }).map((all) => all.map((n) => n + 1));
  fc.assert(
    fc.property(serials, fc.integer({ min: 5, max: 12 }), fc.array(fc.nat({ max: 200 })), (all, size, deleted) => {
      let there = all;
      const seen: number[] = [];
      let token: string | undefined;
      do {
        const params = { MaxResults: String(size), ...(token === undefined ? {} : { NextToken: token }) };
        const numbered = there.map((serial) => ({ serial, item: serial }));
        const page = pageOf(numbered, params, { least: 5, most: 1000 });
        if ('refused' in page) throw new Error(page.refused.message);
        expect(page.items.length).toBeLessThanOrEqual(size);
        seen.push(...page.items);
        token = page.nextToken;
        there = there.filter((serial) => !deleted.includes(serial));
      } while (token !== undefined);
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
      expect(all.filter((serial) => !deleted.includes(serial)).every((serial) => seen.includes(serial))).toBe(true);
    }),
  );
});

test('XML that is written reads as what it was, whatever the text', () => {
  const name = fc.stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/);
  const { tree } = fc.letrec<{ tree: Element }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.tuple(name, fc.string({ unit: 'binary' })).map(([each, text]) => element(each, text)),
      fc.tuple(name, fc.array(tie('tree'), { minLength: 1, maxLength: 4 })).map(([each, children]) => element(each, children)),
    ),
  }));
  fc.assert(fc.property(tree, (each) => expect(parseXml(writeXml(each, 'http://ec2.amazonaws.com/'))).toEqual(each)));
  expect(() => parseXml('<a><b></a>')).toThrow('</a> closes <b>');
  expect(() => parseXml('moto is away')).toThrow('this is not one XML element');
});
