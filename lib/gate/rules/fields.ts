/**
 * Fields: what the API server would refuse under strict field validation, or drop without it.
 * Built-in kinds are held against the client's models, custom kinds against their CRD when it is among the objects.
 */
import type { KubeObject } from '../../api/manifest.ts';
import { isWithin } from '../bounds.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type FieldType, kindFacts, MODELS_OF, type ModelType, modelType, resourcesOf } from '../fields-table.ts';
import { mayBeNewer } from '../newer.ts';
import { type Found, family } from '../rule.ts';
import { isFields, join, shown } from '../shape.ts';
import { resembling } from './resembling.ts';
import { customObject } from './schema.ts';

export type FieldRule = 'unknown-kind' | 'unknown-field' | 'unknown-value' | 'out-of-bounds' | 'wrong-type' | 'missing-field';

export const fieldRules = family({
  name: 'fields',
  rules: {
    'unknown-kind': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server does not serve this kind in this version: nothing would be created.',
      remedy: 'Use a version that the cluster serves.',
    },
    'unknown-field': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a field it does not know, or drops it: what was meant does not happen.',
      remedy: 'Remove the field, or write it where it belongs.',
    },
    'unknown-value': {
      severity: 'error',
      server: 'refuses',
      reason: 'The field takes one of a few words, and the API server refuses any other.',
      remedy: 'Use one of the words.',
    },
    'out-of-bounds': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a number or text outside of what the field takes, and two items with the same key in a keyed list.',
      remedy: 'Use a value inside the bounds.',
    },
    'wrong-type': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server cannot decode a value of another type.',
      remedy: 'Write a value of that type; numbers and true/false in labels, annotations and env need quotes.',
    },
    'missing-field': { severity: 'error', server: 'refuses', reason: 'The API requires this field.', remedy: 'Set it.' },
  },
  object(object, cluster, found) {
    const facts = kindFacts(object.apiVersion, object.kind);
    const custom = cluster.customKind(object.apiVersion, object.kind);
    if (facts !== undefined) {
      walkModel({ value: object, model: modelType(facts.type), path: '', parents: [] }, { cluster, found });
      return;
    }
    // What a CRD's schema says of metadata does not count: every kind has the API server's own.
    walkModel({ value: object.metadata, model: modelType('V1ObjectMeta'), path: 'metadata', parents: [] }, { cluster, found });
    if (custom !== undefined) customObject(object, custom, found);
    else unservedKind(object, cluster, found);
  },
});

interface Walk {
  readonly cluster: ClusterView;
  readonly found: Found<FieldRule>;
}

/** A kind nobody knows is somebody else's, unless its group is Kubernetes' own. */
function unservedKind({ apiVersion, kind }: KubeObject, cluster: ClusterView, found: Found<FieldRule>): void {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  if (resourcesOf(group) === undefined) return;
  found('unknown-kind', 'kind', `${kind} of ${apiVersion} is not served by Kubernetes ${MODELS_OF}`, mayBeNewer(cluster.context));
}

interface Place {
  readonly value: Readonly<Record<string, unknown>>;
  readonly model: ModelType;
  readonly path: string;
  /** The models around this one, the innermost last. */
  readonly parents: readonly ModelType[];
}

function walkModel({ value, model, path, parents }: Place, walk: Walk): void {
  for (const field of model.required) {
    if (value[field] === undefined || (value[field] === '' && NEVER_EMPTY.has(field)))
      walk.found('missing-field', join(path, field), `${field} is missing; ${model.name} requires it`);
  }
  let around: readonly ModelType[] | undefined;
  for (const key in value) {
    const type = model.fields.get(key);
    if (type === undefined) unknownField(key, { value, model, path, parents }, walk);
    else {
      around ??= [...parents, model];
      walkValue(value[key], type, join(path, key), around, walk);
    }
  }
}

/** Required texts that say nothing when they are empty. An empty apiGroup or value may be meant. */
const NEVER_EMPTY: ReadonlySet<string> = new Set(['key', 'kind', 'mountPath', 'name', 'operator', 'secretName', 'topologyKey']);

function walkValue(value: unknown, type: FieldType, path: string, parents: readonly ModelType[], walk: Walk): void {
  // null and undefined are lost values (family `lost`), not wrong types.
  if (value === null || value === undefined || type.of === 'any') return;
  if (type.of === 'list' && Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) walkValue(value[index], itemOf(type), `${path}[${index}]`, parents, walk);
  } else if (type.of === 'map' && isFields(value)) {
    for (const key in value) walkValue(value[key], itemOf(type), join(path, key), parents, walk);
  } else if (type.of === 'model' && isFields(value)) {
    walkModel({ value, model: modelType(type.name), path, parents }, walk);
  } else if (type.of !== 'scalar' || !isScalar(value, type.name)) {
    const wanted = TYPE_WORDS[type.of === 'scalar' ? type.name : type.of] ?? `the fields of ${type.name}`;
    walk.found('wrong-type', path, `value is ${shown(value)}; ${wanted} must stand here`);
  } else if (type.values !== undefined && !type.values.has(value as string)) unknownValue(value as string, [...type.values], path, walk);
  else if (type.bound !== undefined && !isWithin(value, type.bound))
    walk.found('out-of-bounds', path, `value is ${shown(value)}; ${type.bound.allowed}`);
}

function unknownValue(value: string, words: readonly string[], path: string, walk: Walk): void {
  const alike = resembling(value, words);
  const instead = alike === undefined ? mayBeNewer(walk.cluster.context) : { remedy: `Did you mean ${alike}?` };
  walk.found('unknown-value', path, `value is ${shown(value)}; it is one of ${words.join(', ')}`, instead);
}

function itemOf(type: FieldType): FieldType {
  return type.item as FieldType;
}

function isScalar(value: unknown, type: string): boolean {
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'quantity':
      return typeof value === 'number' || (typeof value === 'string' && QUANTITY.test(value));
    case 'int-or-string':
      return typeof value === 'string' || Number.isInteger(value);
    default:
      return typeof value === 'string';
  }
}

/** k8s.io/apimachinery/pkg/api/resource: a number with a suffix of SI or IEC, or an exponent; no MB, no blanks. */
const QUANTITY = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  time: 'a time, as text,',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  quantity: "a quantity such as 2, '500m' or '64Gi'",
  'int-or-string': 'a whole number or text',
  list: 'a list',
  map: 'a map',
};

/**
 * A field that the models don't know is wrong for sure when it looks like a neighbour or stands in the wrong place,
 * or when the cluster is not newer than the models. What is left may be newer than the models: a warning.
 */
function unknownField(key: string, { model, path, parents }: Place, walk: Walk): void {
  const { message, ...instead } = whyUnknown(key, model, parents) ?? {
    message: `${model.name} has no field ${key} in Kubernetes ${MODELS_OF}`,
    ...mayBeNewer(walk.cluster.context),
  };
  walk.found('unknown-field', join(path, key), message, instead);
}

function whyUnknown(key: string, model: ModelType, parents: readonly ModelType[]): { message: string; remedy: string } | undefined {
  const none = `${model.name} has no field ${key}`;
  const alike = resembling(key, [...model.fields.keys()]);
  if (alike !== undefined) return { message: none, remedy: `Did you mean ${alike}?` };
  const outer = parents.findLast((parent) => parent.fields.has(key));
  if (outer !== undefined) return { message: `${none}; ${outer.name} around it has`, remedy: 'Move it outwards.' };
  const inner = [...model.fields].find(([, type]) => hasField(innermost(type), key))?.[0];
  if (inner !== undefined) return { message: `${none}; its ${inner} has`, remedy: `Move it into ${inner}.` };
  return undefined;
}

function hasField(type: FieldType, key: string): boolean {
  return type.of === 'model' && modelType(type.name).fields.has(key);
}

function innermost(type: FieldType): FieldType {
  return type.item === undefined ? type : innermost(type.item);
}
