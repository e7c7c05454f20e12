/**
 * JSON Schemas of kinds and definitions, made from their zod schemas, for editors (yaml-language-server reads draft-07).
 * `annotated` is what everything derived starts from: crd.ts and reference.ts walk it too.
 */
import * as z from 'zod';
import { facts } from './field.ts';
import type { Resource } from './resource.ts';

/** JSON Schema as zod writes it, with the facts of the fields beside it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  /** What the value is called in a sentence: `an 802.1Q id`. */
  readonly noun?: string;
}

/** The schema of what a person may type: fields with a default may be left out. */
export function annotated(schema: z.core.$ZodType): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const noun = facts.get(zodSchema)?.noun;
      if (noun !== undefined) Object.assign(jsonSchema, { noun });
    },
  });
  return json as JsonSchema;
}

/** `schema` with `change` made at every level, innermost first. */
export function mapSchema<T extends object>(schema: JsonSchema, change: (level: JsonSchema) => T): T {
  const inner: Record<string, unknown> = { ...schema };
  const each = (list: readonly JsonSchema[]) => list.map((one) => mapSchema(one, change));
  if (schema.properties !== undefined) {
    inner.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, mapSchema(field, change)]));
  }
  if (schema.items !== undefined) inner.items = mapSchema(schema.items, change);
  if (typeof schema.additionalProperties === 'object') inner.additionalProperties = mapSchema(schema.additionalProperties, change);
  if (schema.propertyNames !== undefined) inner.propertyNames = mapSchema(schema.propertyNames, change);
  if (schema.anyOf !== undefined) inner.anyOf = each(schema.anyOf);
  if (schema.oneOf !== undefined) inner.oneOf = each(schema.oneOf);
  return change(inner);
}

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** What an editor understands: without the words that only the API server and our own pages read. */
function forEditor(schema: JsonSchema): JsonSchema {
  return mapSchema(schema, (level) =>
    Object.fromEntries(Object.entries(level).filter(([keyword]) => !/^(x-kubernetes-.*|noun|intOrString)$/.test(keyword))),
  );
}

/** The JSON Schema of what is written as YAML or JSON by the zod schema `schema`: a cluster definition, a concern's options. */
export function documentSchema(schema: z.core.$ZodType, title: string): JsonSchema {
  const json = forEditor(annotated(schema));
  const own = { description: 'Where this schema is, for the editor.', type: 'string' };
  return { $schema: DRAFT, title, ...json, properties: { $schema: own, ...json.properties } };
}

/** The JSON Schema of whole objects of a kind: what a person writes, so without `status`. */
export function editorSchema(resource: Resource): JsonSchema {
  const { kind, group, version, scope, doc, name, spec } = resource;
  const words = (what: string): JsonSchema => ({ description: what, type: 'object', additionalProperties: { type: 'string' } });
  return {
    $schema: DRAFT,
    title: kind,
    description: doc,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    additionalProperties: false,
    properties: {
      apiVersion: { const: `${group}/${version}` },
      kind: { const: kind },
      metadata: {
        type: 'object',
        required: ['name'],
        properties: {
          name: forEditor(annotated(name)),
          ...(scope === 'Namespaced' ? { namespace: { description: 'The namespace it belongs to.', type: 'string', maxLength: 63 } } : {}),
          labels: words('Labels, to select by.'),
          annotations: words('Annotations.'),
        },
      },
      spec: forEditor(annotated(spec)),
    },
  };
}
