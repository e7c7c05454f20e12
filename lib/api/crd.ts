/**
 * CustomResourceDefinitions, made from kinds: a structural schema (what the API server prunes, defaults and applies by),
 * CEL rules, printer columns, subresources.
 *
 * Structural schemas are a part of JSON Schema (kubernetes.io, "Specifying a structural schema"): no `$ref`, no `const`, no
 * `additionalProperties: false` beside `properties` (unknown fields are pruned anyway, and refused under strict field
 * validation), and a type at every level but for int-or-string.
 */
import type { V1CustomResourceDefinition, V1JSONSchemaProps } from '@kubernetes/client-node';
import type { Rule } from './field.ts';
import { SUBDOMAIN } from './fields.ts';
import type { JsonSchema } from './json-schema.ts';
import { annotated, mapSchema } from './json-schema.ts';
import type { KubeObject, Manifest } from './manifest.ts';
import type { Resource } from './resource.ts';
import { PART_OF } from './resource.ts';

/** The CustomResourceDefinition of a kind. */
export function crd(resource: Resource): Manifest<V1CustomResourceDefinition> & KubeObject {
  const { kind, group, version, plural, shortNames, scope, crdName } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName, labels: PART_OF },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [...shortNames],
        categories: ['gala'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: openApi(resource) as Manifest<V1JSONSchemaProps> },
          ...subresources(resource),
          ...(resource.selectableFields === undefined
            ? {}
            : { selectableFields: resource.selectableFields.map((jsonPath) => ({ jsonPath })) }),
          additionalPrinterColumns: [...resource.columns, { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
        },
      ],
    },
  };
}

function subresources({ status, statusSubresource, scale }: Resource) {
  const hasStatus = status !== undefined && statusSubresource !== false;
  if (!hasStatus && scale === undefined) return {};
  return { subresources: { ...(hasStatus ? { status: {} } : {}), ...(scale === undefined ? {} : { scale }) } };
}

/**
 * The whole object. Of `metadata` a CRD may bound name and generateName only, and rules may read no more of it
 * (kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", validation rules).
 */
function openApi({ doc, name, spec, status, rules = [] }: Resource): JsonSchema {
  const { pattern, maxLength, noun } = annotated(name);
  const all = [...(pattern === SUBDOMAIN.source ? [] : [ruleOnName(pattern, noun)]), ...rules];
  return {
    description: doc,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      // The bound is what makes the rule on the name affordable to the API server's cost estimate.
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength } } },
      spec: structural(spec),
      ...(status === undefined ? {} : { status: structural(status) }),
    },
    ...(all.length === 0 ? {} : { 'x-kubernetes-validations': all }),
  };
}

/** A rule and no `pattern`: a rule says what a name is in words. */
function ruleOnName(pattern: unknown, noun = 'another'): Rule {
  return {
    rule: `self.metadata.name.matches(r'${pattern}')`,
    message: `metadata.name must be ${noun}`,
    messageExpression: `'metadata.name is %s; it must be ${noun.replaceAll("'", "\\'")}'.format([self.metadata.name])`,
    fieldPath: '.metadata.name',
  };
}

/** @throws {Error} when the schema says something that a CRD can't */
export function structural(schema: Resource['spec']): JsonSchema {
  return mapSchema(annotated(schema), (level) => {
    const { additionalProperties, propertyNames, examples, noun, intOrString, const: constant, anyOf, ...kept } = level;
    if (intOrString !== undefined) return { ...kept, ...either(anyOf ?? []) };
    if (anyOf !== undefined || kept.oneOf !== undefined || kept.allOf !== undefined) {
      throw new Error(`a CRD can't say anyOf, oneOf or allOf over types: ${JSON.stringify(level)}; give each branch a field of its own`);
    }
    if (typeof additionalProperties === 'object' && kept['x-kubernetes-preserve-unknown-fields'] !== true) {
      throw new Error(`a CRD can't bound the keys of a record: ${JSON.stringify(level)}; use a list with a key`);
    }
    // The API server drops an empty map, so that what was applied would never be what is there.
    if (Object.keys(kept.properties ?? { any: true }).length === 0) delete kept.properties;
    return constant === undefined ? kept : { ...kept, enum: [constant] };
  });
}

/**
 * A number or text. `x-kubernetes-int-or-string` allows exactly this anyOf; of the bounds beside it the API server applies
 * minimum and maximum to numbers and maxLength and pattern to text (apiextensions-apiserver, schema/validation.go).
 */
function either(branches: readonly JsonSchema[]): JsonSchema {
  const bounds = branches.map(({ type, ...rest }) => rest);
  return Object.assign({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, ...bounds);
}
