/** Lost values: something was meant to stand here and did not survive the way into YAML. */
import type { KubeObject } from '../../api/manifest.ts';
import type { Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { type Fields, fields, items, join, shown } from '../shape.ts';

export const lostRules = family({
  name: 'lost values',
  rules: {
    'lost-value': {
      severity: 'error',
      server: 'accepts',
      reason: 'A null, a NaN, [object Object] or an unresolved token is what is left of a value that was lost on its way into YAML.',
      remedy: 'Find the expression that makes it; leave the field out when there is nothing to say.',
    },
    'nothing-chosen': {
      severity: 'error',
      server: 'either',
      reason:
        'A probe without a handler is refused and a volume without a source silently becomes an emptyDir; with several of them the API server refuses too.',
      remedy: 'Set exactly one.',
    },
  },
  object(object, _cluster, found) {
    // Data of a ConfigMap is anybody's text, and a CRD's schema may say null and NaN on purpose.
    const texts = object.kind !== 'ConfigMap' && object.kind !== 'CustomResourceDefinition';
    walk(object, '', { texts, found, object });
  },
  pod(pod, _cluster, found) {
    volumes(pod, found);
    for (const { spec, path } of pod.containers) {
      for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
        if (spec[probe] !== undefined) one(fields(spec[probe]), `${path}.${probe}`, HANDLERS, found);
      }
      for (const { item, index } of items(spec.env)) {
        if (item.valueFrom !== undefined) one(fields(item.valueFrom), `${path}.env[${index}].valueFrom`, ENV_SOURCES, found);
      }
    }
  },
});

type LostRule = 'lost-value' | 'nothing-chosen';
interface Walk {
  readonly texts: boolean;
  readonly found: Found<LostRule>;
  readonly object: KubeObject;
}

function walk(value: unknown, path: string, to: Walk): void {
  switch (typeof value) {
    case 'string': {
      const left = to.texts ? leftover(value) : undefined;
      if (left !== undefined) to.found('lost-value', path, `text contains ${left}: ${shown(value)}`);
      return;
    }
    case 'number':
      if (!Number.isFinite(value)) to.found('lost-value', path, `value is ${value}`);
      return;
    case 'boolean':
      return;
    case 'object':
      walkObject(value, path, to);
      return;
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      to.found('lost-value', path, `value is a ${typeof value}; YAML can't hold it`);
      return;
    default:
  }
}

function walkObject(value: object | null, path: string, to: Walk): void {
  if (value === null) {
    // A CRD's default, enum or example may be null for a nullable field.
    if (to.object.kind !== 'CustomResourceDefinition' || !/\.(default|example|enum\[\d+\])$/.test(path))
      to.found('lost-value', path, 'value is null');
    return;
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) walk(value[index], `${path}[${index}]`, to);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && prototype.constructor?.name !== 'Object') {
    to.found('lost-value', path, `value is an instance of ${prototype.constructor?.name}, not resolved yet`);
    return;
  }
  for (const key in value) {
    const item = (value as Fields)[key];
    // An undefined field is left out of YAML, as was meant; in a list it becomes null.
    if (item !== undefined) walk(item, join(path, key), to);
  }
}

/** What a lost value leaves in a text: JavaScript's own words, and cdk8s' and the CDK's tokens. */
function leftover(value: string): string | undefined {
  if (value.includes('[object ')) return '[object …]';
  if (value.includes('${Token[')) return 'a token';
  // Prose and scripts may say undefined; names, addresses and images may not.
  if (value.length > 256 || /\s/.test(value)) return undefined;
  return /(?:^|[^A-Za-z0-9_])(undefined|NaN)(?:$|[^A-Za-z0-9_])/.exec(value)?.[1];
}

const HANDLERS = ['exec', 'grpc', 'httpGet', 'tcpSocket'];
const ENV_SOURCES = ['configMapKeyRef', 'fieldRef', 'fileKeyRef', 'resourceFieldRef', 'secretKeyRef'];

function volumes(pod: Pod, found: Found<LostRule>): void {
  for (const { spec, path } of pod.volumes) {
    const { name: _, ...sources } = spec;
    one(sources, path, Object.keys(sources), found);
  }
}

function one(value: Fields, path: string, of: readonly string[], found: Found<LostRule>): void {
  const chosen = of.filter((member) => value[member] !== undefined);
  if (chosen.length === 1) return;
  const wanted = chosen.length === 0 ? 'nothing is set' : `${chosen.join(' and ')} are set`;
  found('nothing-chosen', path, `${wanted}; exactly one must be`);
}
