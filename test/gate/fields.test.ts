import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { fieldsWithBounds } from '../../lib/gate/bounds.ts';
import { kindFacts, MODELS_OF, modelType, resourcesOf } from '../../lib/gate/fields-table.ts';
import { fieldsWithValues } from '../../lib/gate/values.ts';
import { fieldsTable } from '../tools/kubernetes-fields.ts';

test('the committed table is what the installed client makes; else run `npm run imports`', async () => {
  expect(await readFile('imports/kubernetes/fields.json', 'utf8')).toBe(await fieldsTable());
});

test('kinds have their scope and plural', () => {
  expect(kindFacts('apps/v1', 'DaemonSet')).toEqual({ type: 'V1DaemonSet', scope: 'Namespaced', plural: 'daemonsets' });
  expect(kindFacts('v1', 'Namespace')).toMatchObject({ scope: 'Cluster' });
  expect(kindFacts('v1', 'Event')).toMatchObject({ type: 'CoreV1Event' });
  expect(kindFacts('apps/v1', 'constructor')).toBeUndefined();
});

test("fields have the API's names, not the client's", () => {
  const schema = modelType('V1JSONSchemaProps').fields;
  for (const name of ['$ref', 'default', 'enum', 'x-kubernetes-validations']) expect(schema.has(name)).toBe(true);
  for (const name of ['ref', '_default', '_enum', 'x_kubernetes_validations']) expect(schema.has(name)).toBe(false);
});

test('quantities take numbers, required fields are known, every type of the table is there', () => {
  expect(modelType('V1ResourceRequirements').fields.get('limits')?.item).toEqual({ of: 'scalar', name: 'quantity' });
  expect(modelType('V1DaemonSetSpec').required).toEqual(['selector', 'template']);
  expect(() => modelType('V1Gone')).toThrow('npm run imports');
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const field of modelType(name).fields.values()) {
      let inner = field;
      while (inner.item !== undefined) inner = inner.item;
      if (inner.of === 'model') visit(inner.name);
    }
  };
  visit('V1Deployment');
  expect(seen.size).toBeGreaterThan(100);
});

test('every field with a list of words exists, and takes text', () => {
  for (const name of fieldsWithValues) {
    const [model = '', field = ''] = name.split('.');
    const type = modelType(model).fields.get(field);
    expect([name, type?.item?.name ?? type?.name]).toEqual([name, 'string']);
  }
});

test('every field with a bound exists, and takes a number or text', () => {
  for (const name of fieldsWithBounds) {
    const [model = '', field = ''] = name.split('.');
    const type = modelType(model).fields.get(field);
    expect([name, type?.item?.name ?? type?.name]).toEqual([name, expect.stringMatching(/^(integer|number|string|int-or-string)$/)]);
  }
});

test('subresources stand with their group, and a foreign group has none', () => {
  expect(resourcesOf('apps')?.has('deployments/scale')).toBe(true);
  expect(resourcesOf('gala.internal')).toBeUndefined();
  expect(MODELS_OF).toBe('1.36');
});
