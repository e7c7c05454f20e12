/** What the probe hears of whatever frame, with the compiler's checks of memory and arithmetic in it. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arp, NOBODY, neighbour } from './a-frame.ts';
import { aWire, compiled, describeWire, GATEWAY, LINK, type Programs } from './a-wire.ts';

let programs: Programs;
beforeAll(() => {
  programs = compiled({ checked: true });
}, 60_000);
afterAll(() => programs.remove());

const hears = (frames: readonly string[]): string[] => {
  const { status, stdout, stderr } = spawnSync(programs.stranger, ['-', ...frames], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
};

const RIGHT = {
  [arp()]: 'has 10.110.0.140',
  [arp({ operation: 1 })]: 'has 10.110.0.140',
  [arp({ operation: 1, sender: '0.0.0.0', target: '10.110.0.141' })]: 'probes 10.110.0.141',
  // Padded to the least of Ethernet.
  [`${arp()}${'00'.repeat(18)}`]: 'has 10.110.0.140',
  [neighbour()]: 'has fd00:110::a6e:8c',
  [neighbour({ options: '' })]: 'has fd00:110::a6e:8c',
  [neighbour({ type: 135, options: '010102bb000000aa' })]: 'has fd00:110::a6e:8c',
  [neighbour({ type: 135, source: NOBODY, options: '0e01010203040506' })]: 'probes fd00:110::a6e:8c',
};

test('what is right is heard', () => {
  expect(hears(Object.keys(RIGHT))).toEqual(Object.values(RIGHT));
});

/** A frame with some octets put in, taken away or changed. */
const bent = fc
  .tuple(
    fc.constantFrom(...Object.keys(RIGHT)),
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.uint8Array({ maxLength: 2 })), { minLength: 1, maxLength: 4 }),
  )
  .map(([frame, changes]) => {
    const bytes = [...Buffer.from(frame, 'hex')];
    for (const [at, take, put] of changes) bytes.splice(at % (bytes.length + 1), take, ...put);
    return Buffer.from(bytes).toString('hex');
  });

test('whatever a frame is, it is read within its bounds', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          bent,
          fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes).toString('hex')),
        ),
        { minLength: 50, maxLength: 100 },
      ),
      (frames) => {
        expect(hears(frames)).toHaveLength(frames.length);
      },
    ),
    { numRuns: 40 },
  ));

test('a frame of neighbour discovery with a wrong bit in its message is heard as nothing', () => {
  const frame = neighbour();
  // Of the source address on: what is before says where the message is, and is checked by itself.
  const places = Array.from({ length: (frame.length - 2 * 22) / 2 }, (_, i) => 2 * (22 + i));
  const wrong = places.map(
    (at) =>
      `${frame.slice(0, at)}${(Number.parseInt(frame.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, '0')}${frame.slice(at + 2)}`,
  );
  expect([...new Set(hears(wrong))]).toEqual(['nothing']);
});

describeWire('the whole probe, checked', () => {
  test('asks and hears without a fault', async () => {
    const wire = aWire(programs);
    try {
      await wire.stranger(
        arp(),
        neighbour(),
        arp({ operation: 1, sender: '0.0.0.0', target: '10.110.0.141' }),
        arp().slice(0, 40),
        neighbour({ length: 200 }),
      );
      const questions = [
        'free:10.110.0.140',
        'free:10.110.0.141',
        'free:fd00:110::10.110.0.140',
        'free:10.110.0.142',
        `answers:fd00:110::${GATEWAY},from:fd00:110::9`,
      ];
      const { status, stdout, stderr } = wire.probe(LINK, '400', `answers:${GATEWAY}`, ...questions);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const { answered, probing, silent } = JSON.parse(stdout);
      expect([answered.length, probing.length, silent]).toEqual([4, 1, ['10.110.0.142']]);
    } finally {
      await wire.remove();
    }
  });
});
