import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { crd, structural } from '../../lib/api/crd.ts';
import { flag, foreign, integer, list, object, oneOf, record, text } from '../../lib/api/field.ts';
import { bytes, dnsLabel } from '../../lib/api/fields.ts';
import { resource } from '../../lib/api/resource.ts';

const aKind = (parts = {}) =>
  resource('Lamp', {
    doc: 'A lamp.',
    scope: 'Namespaced',
    plural: 'lamps',
    shortNames: ['lm'],
    name: dnsLabel("The lamp's name.", 'desk'),
    spec: object({ doc: 'What it is.' }, { watts: integer({ doc: 'Power.', min: 1, max: 60, default: 8 }) }),
    columns: [{ name: 'Watts', type: 'integer', jsonPath: '.spec.watts' }],
    example: {},
    ...parts,
  });

const versionOf = (kind: ReturnType<typeof aKind>) => crd(kind).spec.versions[0]!;
const schemaOf = (field: z.ZodType) => structural(object({ doc: 'All.' }, { field })).properties?.field;

test('a kind becomes a CRD of the group, in the category gala, with Age as its last column', () => {
  const made = crd(aKind());
  expect(made.metadata).toEqual({ name: 'lamps.gala.internal', labels: { 'app.kubernetes.io/part-of': 'gala' } });
  expect(made.spec.names).toMatchObject({ kind: 'Lamp', listKind: 'LampList', singular: 'lamp', shortNames: ['lm'], categories: ['gala'] });
  expect(versionOf(aKind()).additionalPrinterColumns?.map(({ name }) => name)).toEqual(['Watts', 'Age']);
});

test('the spec is required and the name is bounded', () => {
  const { openAPIV3Schema } = versionOf(aKind()).schema!;
  expect(openAPIV3Schema).toMatchObject({
    required: ['spec'],
    properties: { metadata: { properties: { name: { maxLength: 63 } } } },
    'x-kubernetes-validations': [{ fieldPath: '.metadata.name' }],
  });
});

test('a field keeps doc, bounds and default; example, noun and strictness stay out of the CRD', () => {
  expect(structural(aKind().spec)).toEqual({
    type: 'object',
    description: 'What it is.',
    properties: { watts: { type: 'integer', minimum: 1, maximum: 60, default: 8, description: 'Power.' } },
  });
});

test('a number or text becomes int-or-string with the bounds of both', () => {
  expect(schemaOf(bytes('Memory.', '4Gi'))).toEqual({
    description: 'Memory.',
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    minimum: 2 ** 20,
    maximum: Number.MAX_SAFE_INTEGER,
    maxLength: 20,
    pattern: '^[1-9][0-9]{0,12}(\\.[0-9]{1,3})?(M|G|T|P|Ki|Mi|Gi|Ti|Pi)$',
  });
});

test('a list with a key becomes a list-map, one of unlike values a set, any other is replaced whole', () => {
  const item = object({ doc: 'An item.' }, { name: text({ doc: 'Its name.', max: 9 }) });
  expect(schemaOf(list({ doc: 'Items.', max: 3, key: 'name' }, item))).toMatchObject({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    maxItems: 3,
  });
  expect(schemaOf(list({ doc: 'Names.', max: 3, set: true }, text({ doc: 'A name.', max: 9 })))).toMatchObject({
    'x-kubernetes-list-type': 'set',
  });
  expect(schemaOf(list({ doc: 'Items.', max: 3 }, item))).toMatchObject({ 'x-kubernetes-list-type': 'atomic' });
});

test('a list whose order counts is replaced whole, and a rule refuses likes', () => {
  const preference = list({ doc: 'In order.', max: 3, set: 'ordered' }, text({ doc: 'A name.', max: 9 }));
  expect(schemaOf(preference)).toMatchObject({
    'x-kubernetes-list-type': 'atomic',
    'x-kubernetes-validations': [{ message: 'no item may stand here twice' }],
  });
  expect(preference.safeParse(['b', 'a']).data).toEqual(['b', 'a']);
  expect(preference.safeParse(['a', 'a']).success).toBe(false);
});

test('a fixed word becomes an enum of one, and a foreign object is kept as it is', () => {
  expect(schemaOf(z.literal('a'))).toEqual({ type: 'string', enum: ['a'] });
  expect(schemaOf(foreign({ doc: 'A pod spec.' }))).toEqual({
    type: 'object',
    description: 'A pod spec.',
    'x-kubernetes-preserve-unknown-fields': true,
  });
});

test('what a CRD cannot say is refused with the way out', () => {
  const either = z.union([flag({ doc: 'Yes.' }), oneOf(['auto'], { doc: 'Auto.' })]);
  expect(() => schemaOf(either)).toThrow(/a CRD can't say anyOf.*give each branch a field of its own/);
  const named = record({ doc: 'By name.', max: 3 }, text({ doc: 'A name.', max: 9 }), text({ doc: 'A value.', max: 9 }));
  expect(() => schemaOf(named)).toThrow(/a CRD can't bound the keys of a record.*use a list with a key/);
});

test('a kind whose phase is a claim has no status subresource, one that scales has both', () => {
  const status = object({ doc: 'Seen.' }, { lit: flag({ doc: 'Is it on.' }).optional() });
  expect(versionOf(aKind()).subresources).toBeUndefined();
  expect(versionOf(aKind({ status })).subresources).toEqual({ status: {} });
  expect(versionOf(aKind({ status, statusSubresource: false })).subresources).toBeUndefined();
  const scale = { specReplicasPath: '.spec.watts', statusReplicasPath: '.status.watts' };
  expect(versionOf(aKind({ status, scale })).subresources).toEqual({ status: {}, scale });
});

test('text is measured in characters as the API server measures it, not in UTF-16 units', () => {
  const four = text({ doc: 'Four.', max: 4 });
  expect(four.safeParse('🧧🧧🧧🧧').success).toBe(true);
  expect(four.safeParse('🧧🧧🧧🧧🧧').success).toBe(false);
});
