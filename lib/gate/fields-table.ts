/**
 * What the Kubernetes client's models know: kinds, their scope and plural, and the fields of each type.
 * The table is generated (test/tools/kubernetes-fields.ts); types are taken apart when they are first asked for.
 */
import table from '../../imports/kubernetes/fields.json' with { type: 'json' };
import { type Bound, boundOf } from './bounds.ts';
import { valuesOf } from './values.ts';

export interface KindFacts {
  /** The model's name: `V1DaemonSet`. */
  readonly type: string;
  readonly scope: 'Namespaced' | 'Cluster';
  /** As RBAC and URLs name it: `daemonsets`. */
  readonly plural: string;
}

/** The shape of imports/kubernetes/fields.json. */
export interface FieldsTable {
  readonly generated: string;
  /** The minor the models were made from: `1.36`. */
  readonly kubernetes: string;
  /** By `apps/v1/DaemonSet`, `v1/ConfigMap`. */
  readonly kinds: Readonly<Record<string, KindFacts>>;
  /** By API group: `deployments`, `deployments/scale`. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const TABLE = table as unknown as FieldsTable;

/** What stands in a field: a scalar or a model, inside any number of lists and maps. */
export interface FieldType {
  readonly of: 'scalar' | 'model' | 'list' | 'map' | 'any';
  /** Of a scalar: `string`; of a model: `V1Container`. */
  readonly name: string;
  /** Of a list or map. */
  readonly item?: FieldType;
  /** The words a text may be; any, when left out. */
  readonly values?: ReadonlySet<string>;
  readonly bound?: Bound;
}
export interface ModelType {
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldType>;
  readonly required: readonly string[];
}

/** The minor whose fields the table has: `1.36`. */
export const MODELS_OF = TABLE.kubernetes;

/** The built-in kind, or `undefined` where the models have none of that name and version. */
export function kindFacts(apiVersion: string, kind: string): KindFacts | undefined {
  return own(TABLE.kinds, `${apiVersion}/${kind}`);
}

/** Resources and subresources of a built-in API group; `undefined` for a group of somebody else's. */
export function resourcesOf(group: string): ReadonlySet<string> | undefined {
  let set = resourceSets.get(group);
  if (set === undefined) {
    const names = own(TABLE.resources, group);
    if (names === undefined) return undefined;
    set = new Set(names);
    resourceSets.set(group, set);
  }
  return set;
}
const resourceSets = new Map<string, ReadonlySet<string>>();

/** A model's fields. @throws {Error} when the generated table does not have the model */
export function modelType(name: string): ModelType {
  let model = models.get(name);
  if (model === undefined) {
    const fields = own(TABLE.types, name);
    if (fields === undefined) throw new Error(`imports/kubernetes/fields.json has no type ${name}; run \`npm run imports\``);
    model = {
      name,
      fields: new Map(
        Object.entries(fields).map(([field, type]) => [
          field,
          parsed(type.replace(/!$/, ''), { ...worded(valuesOf(name, field)), ...bounded(boundOf(name, field)) }),
        ]),
      ),
      required: Object.keys(fields).filter((field) => fields[field]?.endsWith('!') || ALSO_REQUIRED.has(`${name}.${field}`)),
    };
    models.set(name, model);
  }
  return model;
}
const models = new Map<string, ModelType>();

/** The models call them optional, since an older API server took them so; its validation does not. */
const ALSO_REQUIRED: ReadonlySet<string> = new Set(['V1ConfigMapVolumeSource.name', 'V1SecretVolumeSource.secretName']);

const worded = (values: ReadonlySet<string> | undefined) => (values === undefined ? {} : { values });
const bounded = (bound: Bound | undefined) => (bound === undefined ? {} : { bound });

function parsed(type: string, limits: Pick<FieldType, 'values' | 'bound'>): FieldType {
  if (type.startsWith('[]')) return { of: 'list', name: type, item: parsed(type.slice(2), limits) };
  if (type.startsWith('{}')) return { of: 'map', name: type, item: parsed(type.slice(2), limits) };
  if (type === 'any') return { of: 'any', name: type };
  return { of: /^[A-Z]/.test(type) ? 'model' : 'scalar', name: type, ...limits };
}

/** Not `record[key]`: a kind may be called `constructor`. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
