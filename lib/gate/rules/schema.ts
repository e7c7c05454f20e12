/** Objects of a custom kind against the schema of their CRD: fields, types, required ones, enums, bounds. Defaults count as set. */
import { type KubeObject, nameOf } from '../../api/manifest.ts';
import type { CustomKind } from '../cluster-view.ts';
import type { Found } from '../rule.ts';
import { type Fields, fields, isFields, join, shown, texts } from '../shape.ts';
import type { FieldRule } from './fields.ts';
import { resembling } from './resembling.ts';
import { brokenBound } from './schema-bounds.ts';

export function customObject(object: KubeObject, { crd, schemas }: CustomKind, found: Found<FieldRule>): void {
  const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
  const schema = schemas.get(version);
  if (schema === undefined) {
    found(
      'unknown-kind',
      'apiVersion',
      `${crd} serves ${[...schemas.keys()].join(', ') || 'no version'}; ${nameOf(object)} is of ${version}`,
    );
    return;
  }
  // apiVersion, kind and metadata are the API server's own business, whatever the schema says of them.
  const { apiVersion: _, kind: __, metadata: ___, ...rest } = object;
  check(rest, { ...schema, required: texts(schema.required).filter((name) => !OWN.has(name)) }, '', found);
}
const OWN: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

function check(value: unknown, schema: Fields, path: string, found: Found<FieldRule>): void {
  if (value === null || value === undefined) return;
  const type = schema['x-kubernetes-int-or-string'] === true ? 'integer or string' : schema.type;
  if (!hasType(value, type)) {
    found('wrong-type', path, `value is ${shown(value)}; the schema wants ${String(type)}`);
    return;
  }
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) {
    found('unknown-value', path, `value is ${shown(value)}; the schema allows ${schema.enum.map(shown).join(', ')}`);
  }
  const broken = brokenBound(value, schema);
  if (broken !== undefined) found('out-of-bounds', path, `value is ${shown(value)}; ${broken}`);
  if (Array.isArray(value)) {
    const item = fields(schema.items);
    for (let index = 0; index < value.length; index++) check(value[index], item, `${path}[${index}]`, found);
  } else if (isFields(value)) checkFields(value, schema, path, found);
}

function checkFields(value: Fields, schema: Fields, path: string, found: Found<FieldRule>): void {
  const properties = fields(schema.properties);
  for (const field of texts(schema.required)) {
    if (value[field] === undefined && fields(properties[field]).default === undefined) {
      found('missing-field', join(path, field), `${field} is missing; the CRD requires it`);
    }
  }
  for (const key in value) {
    if (Object.hasOwn(properties, key)) check(value[key], fields(properties[key]), join(path, key), found);
    else if (isFields(schema.additionalProperties)) check(value[key], schema.additionalProperties, join(path, key), found);
    else if (!isOpen(schema)) {
      const alike = resembling(key, Object.keys(properties));
      found(
        'unknown-field',
        join(path, key),
        `the CRD's schema has no field ${key}`,
        alike === undefined ? undefined : { remedy: `Did you mean ${alike}?` },
      );
    }
  }
}

function isOpen(schema: Fields): boolean {
  return (
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema['x-kubernetes-embedded-resource'] === true ||
    schema.additionalProperties === true
  );
}

function hasType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'object':
      return isFields(value);
    case 'array':
      return Array.isArray(value);
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'integer or string':
      return typeof value === 'string' || Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    default:
      return true;
  }
}
