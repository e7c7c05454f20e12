import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fencing, type Seen, takenIn } from '../../lib/network/fence.ts';
import { anIPLock } from '../scheduling/builders.ts';

const podUID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const OFF = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' };
const OTHER = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
const bound = (ip = '10.110.0.10', annotations: Record<string, string> = {}) => {
  const it = anIPLock(ip, { phase: 'Bound', podUID });
  return { ...it, metadata: { ...it.metadata, annotations } };
};

describe('a Node that is there', () => {
  test('is tainted beside the taints that it has', () => {
    expect(fencing({ node: { ready: false, taints: [OTHER] }, addresses: [] }, false)).toEqual({ do: 'taint', taints: [OTHER, OFF] });
  });
  test('is refused while it is Ready: its machine is on', () => {
    const node = { ready: true, taints: [] };
    expect(fencing({ node, addresses: [bound()] }, false)).toEqual({ refused: 'Ready' });
    expect(fencing({ node, addresses: [bound()] }, true)).toEqual({ do: 'taint', taints: [OFF] });
  });
  test('is tainted once, whoever did it, with whatever value and effect', () => {
    const taints = [{ ...OFF, value: 'by-hand', effect: 'NoSchedule' }];
    expect(fencing({ node: { ready: false, taints }, addresses: [bound()] }, false)).toEqual({ do: 'nothing' });
  });
});

describe('a Node that is gone', () => {
  test('is said to be off by its addresses, each of the pod that it names', () => {
    const addresses = [bound(), anIPLock('10.110.0.11', { podUID }), anIPLock('10.110.0.12', { phase: 'Held' }), anIPLock('10.110.0.13')];
    expect(fencing({ node: undefined, addresses }, false)).toEqual({
      do: 'note',
      on: [
        { address: '10.110.0.10', podUID },
        { address: '10.110.0.11', podUID },
      ],
    });
  });
  test('says it once, and anew where it was said of another pod', () => {
    const said = bound('10.110.0.10', { 'gala.internal/fenced': podUID });
    expect(fencing({ node: undefined, addresses: [said] }, false)).toEqual({ do: 'nothing' });
    const ofAnother = bound('10.110.0.10', { 'gala.internal/fenced': '00000000-0000-4000-8000-000000000009' });
    expect(fencing({ node: undefined, addresses: [ofAnother] }, false)).toMatchObject({ do: 'note' });
  });
  test('without addresses of pods is no such Node', () => {
    expect(fencing({ node: undefined, addresses: [anIPLock('10.110.0.10', { phase: 'Held' })] }, true)).toEqual({ refused: 'NoSuchNode' });
  });
});

test('fencing twice is fencing once', () => {
  const phases = fc.constantFrom('Locked', 'Bound', 'Held', 'Quarantined');
  const addresses = fc.array(fc.tuple(phases, fc.boolean()), { maxLength: 6 });
  const node = fc.option(fc.record({ ready: fc.boolean(), taints: fc.subarray([OTHER, OFF]) }), { nil: undefined });
  fc.assert(
    fc.property(node, addresses, (node, all) => {
      const seen: Seen = {
        node,
        addresses: all.map(([phase, hasPod], at) =>
          anIPLock(`10.110.0.${10 + at}`, { phase, ...(hasPod && phase !== 'Held' && { podUID }) }),
        ),
      };
      const step = fencing(seen, true);
      if ('refused' in step) return expect(takenIn(seen.addresses)).toEqual([]);
      expect(fencing(taken(seen, step), true)).toEqual({ do: 'nothing' });
    }),
  );
});

function taken(seen: Seen, step: Exclude<ReturnType<typeof fencing>, { readonly refused: string }>): Seen {
  if (step.do === 'taint') return { ...seen, node: { ready: false, taints: step.taints } };
  if (step.do === 'nothing') return seen;
  const said = new Map(step.on.map(({ address, podUID }) => [address, podUID]));
  return {
    ...seen,
    addresses: seen.addresses.map((it) => {
      const uid = said.get(it.metadata.name);
      return uid === undefined ? it : { ...it, metadata: { ...it.metadata, annotations: { 'gala.internal/fenced': uid } } };
    }),
  };
}
