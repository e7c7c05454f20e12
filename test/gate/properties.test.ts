import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DiffSide, diffSynth, diffText, type SynthDiff } from '../../lib/gate/diff.ts';
import { findingLine, gate } from '../../lib/gate/gate.ts';
import { readManifest } from '../../lib/gate/read-synth.ts';
import { type Any, aCluster, CONTEXT, inputs } from './builders.ts';

const good = aCluster().map(({ object }) => object as Any);
const KINDS = [
  ...good.map(({ apiVersion, kind }) => [apiVersion, kind]),
  ['v1', 'Secret'],
  ['batch/v1', 'CronJob'],
  ['apps/v1', 'StatefulSet'],
  ['storage.k8s.io/v1', 'StorageClass'],
];

/** Objects of real kinds with anything inside, and good objects with one place overwritten by anything. */
const anyObject = fc.tuple(fc.constantFrom(...KINDS), fc.object({ maxDepth: 3 }), fc.string()).map(([[apiVersion, kind], body, name]) => ({
  ...body,
  apiVersion,
  kind,
  metadata: { ...(body.metadata as object), name: name || 'a' },
}));
const brokenObject = fc
  .tuple(fc.constantFrom(...good), fc.array(fc.nat()), fc.anything({ withBigInt: true, withDate: true }))
  .map(([object, way, value]) => overwritten(structuredClone(object), way, value));

/** Follows `way` down the object, a child a number, and puts `value` where it ends. */
function overwritten(object: Any, way: readonly number[], value: unknown): Any {
  let at = object;
  for (const [depth, number] of way.entries()) {
    const keys = Object.keys(at);
    const key = keys[number % keys.length];
    if (key === undefined) break;
    if (depth === way.length - 1 || typeof at[key] !== 'object' || at[key] === null) {
      at[key] = value;
      break;
    }
    at = at[key];
  }
  return object;
}

test('the gate answers with sentences whatever it is given', () => {
  // A remedy may ask: `Did you mean pods?`
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyObject, brokenObject, fc.anything()), { maxLength: 4 }),
      fc.constantFrom('1.35', '1.36', '1.37'),
      (objects, kubernetes) => {
        const findings = gate([...aCluster(), ...inputs(...objects)], { ...CONTEXT, kubernetes: kubernetes as '1.36' });
        for (const finding of findings) expect(findingLine(finding)).toMatch(/\. .*[.?] \[[a-z-]+\]$/s);
      },
    ),
    { numRuns: 1000 },
  );
});

const synthOf = (objects: readonly Any[]): DiffSide => ({ objects: inputs(...objects), hosts: [] });
const someGood = fc.subarray(good);
const size = (diff: SynthDiff) => Object.values(diff).reduce((sum, list) => sum + list.length, 0);

test('a synth compared with itself is no change, in whatever order its objects stand', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyObject, fc.constantFrom(...good)), { maxLength: 5 }), fc.nat(), (objects, turn) => {
      const unique = [
        ...new Map(objects.map((object: Any) => [`${object.kind}/${object.metadata.namespace}/${object.metadata.name}`, object])).values(),
      ];
      const turned = [...unique.slice(turn % (unique.length + 1)), ...unique.slice(0, turn % (unique.length + 1))];
      expect(size(diffSynth(synthOf(unique), synthOf(structuredClone(turned))))).toBe(0);
    }),
  );
});

test('what is created one way is pruned the other way', () => {
  fc.assert(
    fc.property(someGood, someGood, (before, after) => {
      const names = (list: readonly { object: string }[]) => list.map(({ object }) => object);
      const there = diffSynth(synthOf(before), synthOf(after));
      const back = diffSynth(synthOf(after), synthOf(before));
      expect(names(there.creates)).toEqual(names(back.prunes));
      expect(diffText(there)).toMatch(/\n$/);
    }),
  );
});

test('a change anywhere in an object is told', () => {
  fc.assert(
    fc.property(brokenObject, (broken) => {
      const object = good.find(({ kind }) => kind === broken?.kind);
      fc.pre(
        object !== undefined && broken.metadata?.name === object.metadata.name && broken.metadata?.namespace === object.metadata.namespace,
      );
      fc.pre(broken.apiVersion === object.apiVersion && meaning(broken) !== meaning(object));
      expect(size(diffSynth(synthOf([object]), synthOf([broken])))).toBeGreaterThan(0);
    }),
  );
});

/** JSON without what the API server takes for nothing. */
function meaning(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (inner === null || typeof inner !== 'object') return inner ?? undefined;
    return Object.keys(inner).length === 0 ? undefined : inner;
  });
}

test('reading a manifest never throws: what is no YAML is a problem with its line', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', '-', '{', '"', '&', '*', '%', '!', '|') }), (text) => {
      const { problems } = readManifest('a.yaml', text);
      const lines = text.split('\n').length;
      expect(problems.filter(({ line, message }) => line < 1 || line > lines || message === '')).toEqual([]);
    }),
  );
});
