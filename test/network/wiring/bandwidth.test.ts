import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Bandwidth, bandwidthOf, inflow, reshaped, shaping } from '../../../lib/network/wiring/bandwidth.ts';
import { linesOf } from '../../../lib/network/wiring/step.ts';
import { Kernel } from './a-kernel.ts';

const EGRESS = 'kubernetes.io/egress-bandwidth';
const INGRESS = 'kubernetes.io/ingress-bandwidth';

describe('annotations', () => {
  test('are quantities of bits a second', () => {
    expect(bandwidthOf({})).toEqual({});
    expect(bandwidthOf({ [EGRESS]: '200M', [INGRESS]: '1.5G' })).toEqual({ egress: 200e6, ingress: 1.5e9 });
    expect(bandwidthOf({ [EGRESS]: '1Mi' })).toEqual({ egress: 1024 * 1024 });
  });

  test.each(['', '0', '999', '2P', '-1M', '10 M', '10Mbit', 'Infinity'])("'%s' is none", (text) => {
    expect(bandwidthOf({ [INGRESS]: text })).toMatchObject({
      refused: 'BadBandwidth',
      code: 110,
      details: `annotation ${INGRESS} is '${text}'; bits a second, 1k to 1P, are allowed. Write it with its unit: '200M'.`,
    });
  });
});

describe('a changed annotation', () => {
  const lines = (before: Bandwidth, after: Bandwidth) => reshaped('eth0', before, after).map(({ line }) => line);

  test('changes one limit and touches nothing else', () => {
    expect(lines({ egress: 1e7, ingress: 1e7 }, { egress: 2e7, ingress: 1e7 })).toEqual([
      'qdisc replace dev eth0 root handle 1: tbf rate 20000000bit burst 32768 latency 50ms',
    ]);
    expect(lines({ ingress: 1e7 }, { ingress: 1e7 })).toEqual([]);
  });

  test('that is taken away takes its limit along, the way to it first', () => {
    expect(lines({ egress: 1e7, ingress: 1e7 }, { egress: 1e7 })).toEqual([
      'qdisc del dev eth0 ingress',
      'qdisc del dev gala-in root',
      'link del dev gala-in',
    ]);
  });

  const rate = fc.option(fc.integer({ min: 1000, max: 1e12 }), { nil: undefined });
  const bandwidth = fc.record({ egress: rate, ingress: rate });
  test('ends where a new pod with it would begin', () =>
    fc.assert(
      fc.property(bandwidth, bandwidth, (before, after) => {
        const limits = (one: Bandwidth) => [...inflow(one), ...shaping('eth0', one)].flatMap(linesOf);
        const [changed, fresh] = [new Kernel({ host: [], pod: ['eth0'] }), new Kernel({ host: [], pod: ['eth0'] })];
        changed.run(limits(before));
        changed.run(reshaped('eth0', before, after));
        fresh.run(limits(after));
        // What went through a queue that is gone may have left its filter's name; a filter stands on its queue.
        const of = ({ has }: Kernel) => [...has.pod].filter((one) => !one.startsWith('filter')).sort();
        expect(of(changed)).toEqual(of(fresh));
      }),
    ));
});
