/**
 * Makes imports/kubernetes/fields.json: which fields each built-in kind has, as the Kubernetes client's models say.
 * Reads the models as text: importing them takes 1.2 s, and what is required stands in their declarations only.
 * Called by `npm run imports` and by the test that compares the committed table with a new one.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FieldsTable, KindFacts } from '../../lib/gate/fields-table.ts';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

/**
 * The content of imports/kubernetes/fields.json.
 * A type is written as `{field: type}`; `[]X` is a list, `{}X` a map, a trailing `!` says that the field is required.
 */
export async function fieldsTable(): Promise<string> {
  const root = dirname(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { kinds, resources } = await served(join(root, 'dist/gen/apis'));
  const models = join(root, 'dist/gen/models');
  const types = new Map<string, Record<string, string>>();
  const queue = Object.values(kinds).map((kind) => kind.type);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (types.has(name)) continue;
    const fields = await fieldsOf(models, name);
    types.set(name, fields);
    for (const type of Object.values(fields)) {
      const bare = type.replace(/^(\[\]|\{\})+|!$/g, '');
      if (/^[A-Z]/.test(bare)) queue.push(bare);
    }
  }
  const minor = /OpenAPI spec version: release-(\S+)/.exec(await readFile(join(models, 'V1Pod.js'), 'utf8'))?.[1];
  if (minor === undefined) throw new Error(`${models}/V1Pod.js does not say which Kubernetes release it was made from`);
  const table: FieldsTable = {
    generated: `npm run imports, from @kubernetes/client-node ${version}`,
    kubernetes: minor,
    kinds: sorted(kinds),
    resources: sorted(resources),
    types: sorted(Object.fromEntries(types)),
  };
  return lines(table);
}

/** One kind, resource or type a line: a new release of the client then shows as a diff that can be read. */
function lines(table: FieldsTable): string {
  const entry = ([key, value]: [string, unknown]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
  const block = (name: 'kinds' | 'resources' | 'types') =>
    `  ${JSON.stringify(name)}: {\n${Object.entries(table[name]).map(entry).join(',\n')}\n  }`;
  const head = (['generated', 'kubernetes'] as const).map((key) => `  ${JSON.stringify(key)}: ${JSON.stringify(table[key])}`);
  return `{\n${[...head, block('kinds'), block('resources'), block('types')].join(',\n')}\n}\n`;
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Kinds that can be created, and every path as RBAC names it, read off the client's calls. */
async function served(apis: string): Promise<{ kinds: Record<string, KindFacts>; resources: Record<string, string[]> }> {
  const kinds: Record<string, KindFacts> = {};
  const resources: Record<string, Set<string>> = {};
  for (const file of (await readdir(apis)).filter((name) => name.endsWith('Api.js'))) {
    const calls = (await readFile(join(apis, file), 'utf8')).split(/\n {4}async (?=[a-z])/).slice(1);
    for (const call of calls) {
      const path =
        /localVarPath = '\/(?:api|apis\/([^/{]+))\/(v[^/]+)\/(?:namespaces\/\{namespace\}\/)?([a-z]+)(?:\/\{name\}(?:\/([a-z]+))?)?['/]/.exec(
          call,
        );
      if (path === null) continue;
      const [, group = '', apiVersion, plural, subresource] = path;
      if (plural === undefined || apiVersion === undefined || plural === 'watch') continue;
      resources[group] ??= new Set();
      resources[group].add(subresource === undefined ? plural : `${plural}/${subresource}`);
      const body = /^create\w+\(/.test(call) && subresource === undefined ? /serialize\(body, "(\w+)"/.exec(call)?.[1] : undefined;
      if (body === undefined) continue;
      const kind = body.replace(/^(?:[A-Z][a-z0-9]+)*?V\d+(?:(?:alpha|beta)\d+)?(?=[A-Z])/, '');
      kinds[`${group === '' ? '' : `${group}/`}${apiVersion}/${kind}`] = {
        type: body,
        scope: call.includes('namespaces/{namespace}/') ? 'Namespaced' : 'Cluster',
        plural,
      };
    }
  }
  return { kinds, resources: Object.fromEntries(Object.entries(resources).map(([group, names]) => [group, [...names].sort()])) };
}

async function fieldsOf(models: string, name: string): Promise<Record<string, string>> {
  const source = await readFile(join(models, `${name}.js`), 'utf8');
  const list = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(source)?.[1] ?? '[]';
  const declared = await readFile(join(models, `${name}.d.ts`), 'utf8');
  const fields: Record<string, string> = {};
  for (const { baseName, type, format } of JSON.parse(list) as Attribute[]) {
    const required = new RegExp(`^    '${baseName.replace(/[$\\]/g, '\\$&')}': `, 'm').test(declared);
    fields[baseName] = `${spelled(type, format, isQuantity(name, baseName))}${required ? '!' : ''}`;
  }
  return fields;
}

function spelled(type: string, format: string, quantity: boolean): string {
  const list = /^Array<(.*)>$/.exec(type);
  if (list?.[1] !== undefined) return `[]${spelled(list[1], format, quantity)}`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1] !== undefined) return `{}${spelled(map[1], format, quantity)}`;
  if (quantity && type === 'string') return 'quantity';
  if (type === 'Date' || type === 'V1MicroTime') return 'time';
  if (type === 'IntOrString') return 'int-or-string';
  if (type === 'number') return format.startsWith('int') ? 'integer' : 'number';
  return type;
}

/** Fields that hold quantities: the models call most of them strings, yet the API server takes numbers there too. */
const QUANTITIES: readonly RegExp[] = [
  /^V1(ResourceRequirements|VolumeResourceRequirements)\.(limits|requests)$/,
  /^V1ResourceQuota(Spec|Status)\.(hard|used)$/,
  /^V1LimitRangeItem\.(default|defaultRequest|max|maxLimitRequestRatio|min)$/,
  /^V1(PodSpec\.overhead|EmptyDirVolumeSource\.sizeLimit|ResourceFieldSelector\.divisor)$/,
  /^V1(PersistentVolumeSpec|PersistentVolumeClaimStatus|NodeStatus|CSIStorageCapacity)\.(capacity|allocatable|allocatedResources|maximumVolumeSize)$/,
  /^V1(ContainerStatus|PodStatus)\.allocatedResources$/,
  /^V2(MetricTarget|MetricValueStatus)\.(averageValue|value)$|^V2HPAScalingRules\.tolerance$/,
  /(Counter|DeviceCapacity|CapacityRequest\w+|CapacityRequirements|NodeAllocatableResourceMapping)\.\w+$/,
];

function isQuantity(type: string, field: string): boolean {
  return QUANTITIES.some((pattern) => pattern.test(`${type}.${field}`));
}
