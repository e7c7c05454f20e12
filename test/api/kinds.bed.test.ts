/** The kinds as the real API server has them: what a schema accepts it accepts, what a schema refuses it refuses. */

import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crd } from '../../lib/api/crd.ts';
import { annotated } from '../../lib/api/json-schema.ts';
import { IPLock, KINDS } from '../../lib/api/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { specsOf } from './kinds-keeping-rules.ts';
import type { Judgement } from './kinds-server.ts';
import { create, judgeSpec, judgeStatus, nameOf } from './kinds-server.ts';
import { type Spoilt, spoil, valuesOf } from './kinds-values.ts';

/** As JSON carries it: -0 is 0 there, and a field that is undefined is none. */
const sent = (value: unknown) => JSON.parse(JSON.stringify(value));

describeBed('kinds on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    await bed.apply(KINDS.map(crd));
  });
  afterAll(() => bed.stop());

  describe.each(KINDS.map((kind) => [kind.kind, kind] as const))('%s', (_, kind) => {
    test('its CRD is taken without a warning, and taking it again changes nothing', async () => {
      expect(await bed.apply([crd(kind)])).toMatchObject([{ result: 'unchanged', warnings: [] }]);
      const { body } = await bed.request('GET', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind.crdName}`);
      const conditions = body.status.conditions.map(({ type, status }: { type: string; status: string }) => `${type}=${status}`);
      expect(conditions.sort()).toEqual(['Established=True', 'NamesAccepted=True']);
    });

    test('its examples are accepted', async () => {
      for (const example of [kind.example, ...Object.values(kind.moreExamples ?? {})]) {
        expect(await judgeSpec(bed.request, kind, example)).toMatchObject({ accepted: true });
      }
    });

    test('what the schema accepts the API server accepts, and fills in the same defaults', () =>
      fc.assert(
        fc.asyncProperty(fc.array(specsOf(kind), { minLength: 1, maxLength: 50, size: 'max' }), async (specs) => {
          const kept = await Promise.all(specs.map((spec) => judgeSpec(bed.request, kind, spec)));
          const apart = specs.flatMap((spec, index) => disagreement(kind.spec.safeParse(spec), kept[index]!, 'spec'));
          expect(apart).toEqual([]);
          expect(kept.every(({ accepted }) => accepted)).toBe(true);
        }),
        { numRuns: 8 },
      ));

    const refusedByBoth = async (wrong: readonly Spoilt[]) => {
      const answers = await Promise.all(wrong.map(({ value }) => judgeSpec(bed.request, kind, value)));
      const apart = wrong.filter(({ value }, index) => kind.spec.safeParse(value).success || answers[index]!.accepted);
      expect(apart.map(({ how }) => how)).toEqual([]);
    };

    test('what the schema refuses the API server refuses: its examples with one thing spoilt', async () => {
      for (const example of [kind.example, ...Object.values(kind.moreExamples ?? {})]) {
        const wrong = spoil(annotated(kind.spec), example);
        expect(wrong.length).toBeGreaterThan(10);
        await refusedByBoth(wrong);
      }
    });

    test('what the schema refuses the API server refuses: any right spec with one thing spoilt', () =>
      fc.assert(
        fc.asyncProperty(specsOf(kind), (spec) => refusedByBoth(spoil(annotated(kind.spec), spec))),
        { numRuns: 3 },
      ));

    test('names are judged alike', () => {
      const schema = annotated(kind.name);
      const wrong = spoil(schema, nameOf(kind)).filter(({ value }) => typeof value === 'string');
      return fc.assert(
        fc.asyncProperty(valuesOf(schema), async (name) => {
          const names = [name, ...wrong.map(({ value }) => value)] as string[];
          const answers = await Promise.all(names.map((each) => judgeSpec(bed.request, kind, kind.example, each)));
          expect(names.map((each) => kind.name.safeParse(each).success)).toEqual(answers.map(({ accepted }) => accepted));
        }),
        { numRuns: 20 },
      );
    });

    test('statuses are judged alike', async () => {
      const { status } = kind;
      if (status === undefined) throw new Error(`${kind.kind} reports nothing`);
      const object = await create(bed.request, kind, kind.example, kind === IPLock ? '10.9.0.1' : 'live');
      const schema = annotated(status);
      await fc.assert(
        fc.asyncProperty(valuesOf(schema), async (value) => {
          const all = [value, ...spoil(schema, value).map((one) => one.value)];
          const answers = await Promise.all(all.map((one) => judgeStatus(bed.request, kind, object, one)));
          const apart = all.flatMap((one, index) => disagreement(status.safeParse(one), answers[index]!, 'status'));
          expect(apart).toEqual([]);
          expect(answers[0]).toMatchObject({ accepted: true });
        }),
        { numRuns: 4 },
      );
    });

    // The one difference: to the API server a null is a field that is not there. People don't write nulls, programs that
    // remove a field by a merge patch do; the schema refuses them, so that a definition's `undefined` never becomes one.
    test('a null is refused by the schema and counts as absent to the API server', async () => {
      const optional = Object.keys(annotated(kind.spec).properties ?? {}).filter((field) => !(field in (kind.example as object)));
      const required = annotated(kind.spec).required ?? [];
      const withNull = (field: string) => ({ ...(kind.example as object), [field]: null });
      for (const field of [...optional, ...required]) expect([field, kind.spec.safeParse(withNull(field)).success]).toEqual([field, false]);
      for (const field of optional)
        expect([field, await judgeSpec(bed.request, kind, withNull(field))]).toMatchObject([field, { accepted: true }]);
      for (const field of required)
        expect([field, await judgeSpec(bed.request, kind, withNull(field))]).toMatchObject([field, { accepted: false }]);
    });
  });
});

/** Where schema and API server part: one accepts what the other refuses, or they keep different values. */
function disagreement(parsed: { success: boolean; data?: unknown }, answer: Judgement, part: 'spec' | 'status'): unknown[] {
  if (parsed.success !== answer.accepted) return [{ schemaAccepts: parsed.success, serverSays: answer.message || 'accepted' }];
  if (!parsed.success || isDeepStrictEqual(sent(parsed.data), answer.kept[part] ?? {})) return [];
  return [{ schemaKeeps: parsed.data, serverKeeps: answer.kept[part] }];
}
