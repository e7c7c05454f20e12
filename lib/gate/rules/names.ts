/**
 * Names, labels and annotations in the forms that the API server takes.
 * Forms from k8s.io/apimachinery/pkg/util/validation and, per kind, pkg/apis/<group>/validation.
 */
import type { KubeObject } from '../../api/manifest.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Container, Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { fields, items, join, shown, text, within } from '../shape.ts';

export const nameRules = family({
  name: 'names',
  rules: {
    'name-invalid': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a name that is not of the form its kind requires.',
      remedy: 'Use lower-case letters, digits and -, starting and ending with a letter or digit.',
    },
    'name-too-long': {
      severity: 'error',
      server: 'either',
      reason: 'Controllers append to this name, and the label or pod name they make of it would be longer than 63 characters.',
      remedy: 'Shorten the name.',
    },
    'label-invalid': {
      severity: 'error',
      server: 'refuses',
      reason:
        'A label or annotation key is [domain/]name; a label value has at most 63 letters, digits, -, _ and dots, and a Pod Security label one of a few words.',
      remedy: 'Keep free text in annotations.',
    },
  },
  object(object, cluster, found) {
    objectName(object, cluster, found);
    const { labels, annotations, namespace } = object.metadata;
    if (namespace !== undefined && !isLabel(namespace))
      found('name-invalid', 'metadata.namespace', `namespace is ${shown(namespace)}; it is no RFC 1123 label`);
    keysAndValues(labels, 'metadata.labels', true, found);
    if (object.kind === 'Namespace') podSecurity(labels, found);
    keysAndValues(annotations, 'metadata.annotations', false, found);
    keysAndValues(within(object, 'spec', 'selector').matchLabels, 'spec.selector.matchLabels', true, found);
  },
  pod(pod, _cluster, found) {
    if (pod.metadataPath !== 'metadata') {
      keysAndValues(pod.labels, `${pod.metadataPath}.labels`, true, found);
      keysAndValues(pod.annotations, `${pod.metadataPath}.annotations`, false, found);
    }
    inPod(pod, found);
  },
});

type NameRule = 'name-invalid' | 'name-too-long' | 'label-invalid';
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

const isLabel = (name: string) => name.length <= 63 && LABEL.test(name);
const isSubdomain = (name: string) => name.length <= 253 && SUBDOMAIN.test(name);

/** Kinds whose names have a form of their own that is not checked here: IP addresses, names with colons. */
const OTHER_FORM: ReadonlySet<string> = new Set(['IPAddress', 'ClusterTrustBundle', 'StorageVersion', 'CertificateSigningRequest']);
const RBAC: ReadonlySet<string> = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

function objectName({ kind, apiVersion, metadata: { name }, spec }: KubeObject, cluster: ClusterView, found: Found<NameRule>): void {
  const wrong = (form: string, remedy?: string) =>
    found('name-invalid', 'metadata.name', `name is ${shown(name)}; ${form}`, remedy === undefined ? undefined : { remedy });
  const { group = '', version } = fields(spec) as Readonly<Record<string, unknown>>;
  if (OTHER_FORM.has(kind)) return;
  if (RBAC.has(kind)) {
    if (name === '.' || name === '..' || /[/%]/.test(name)) wrong('a name of RBAC is one segment of a path', 'Leave out / and %.');
  } else if (kind === 'APIService') {
    if (name !== `${version}.${group}`) wrong(`an APIService is called <version>.<group>, here ${version}.${group}`, 'Name it so.');
  } else if (kind === 'CustomResourceDefinition') {
    const plural = within({ spec }, 'spec', 'names').plural;
    if (name !== `${plural}.${group}`) wrong(`a CRD is called <plural>.<group>, here ${plural}.${group}`, 'Name it so.');
  } else if (kind === 'Namespace' || kind === 'StatefulSet') {
    // A StatefulSet's name becomes its pods' host names.
    if (!isLabel(name)) wrong(`a ${kind} is an RFC 1123 label of at most 63 characters`);
  } else if (kind === 'Service' && apiVersion === 'v1') {
    // KEP-5311: a digit may come first from 1.36 on.
    const form = cluster.context.kubernetes === '1.35' ? LABEL_1035 : LABEL;
    if (name.length > 63 || !form.test(name))
      wrong('a Service is a DNS label of at most 63 characters (before 1.36: starting with a letter)');
  } else if (!isSubdomain(name)) wrong('it must be an RFC 1123 subdomain of at most 253 characters');
  tooLong(kind, name, found);
}

/**
 * What controllers make of a name must fit a label value (63): a CronJob appends 11 characters to name its Jobs, a
 * StatefulSet up to 11 for its revision (53 works until a hash has ten digits), a Job becomes the value of job-name.
 */
const LONGEST: Readonly<Record<string, number>> = { CronJob: 52, StatefulSet: 52, Job: 63 };

function tooLong(kind: string, name: string, found: Found<NameRule>): void {
  const longest = Object.hasOwn(LONGEST, kind) ? LONGEST[kind] : undefined;
  if (longest !== undefined && name.length > longest)
    found('name-too-long', 'metadata.name', `name has ${name.length} characters; a ${kind}'s may have ${longest}`);
}

function keysAndValues(map: unknown, path: string, values: boolean, found: Found<NameRule>): void {
  for (const [key, value] of Object.entries(fields(map))) {
    if (!isQualified(values ? key : key.toLowerCase()))
      found('label-invalid', join(path, key), `key is ${shown(key)}; it must be [domain/]name, the name of at most 63 characters`);
    if (values && typeof value === 'string' && value !== '' && (value.length > 63 || !QUALIFIED.test(value))) {
      found(
        'label-invalid',
        join(path, key),
        `value is ${shown(value)}; a label's is at most 63 letters, digits, -, _ and dots, starting and ending with a letter or digit`,
      );
    }
  }
}

/** k8s.io/pod-security-admission/api: the levels, and the versions of their rules. */
const POD_SECURITY = /^pod-security\.kubernetes\.io\/(?:enforce|audit|warn)(-version)?$/;

function podSecurity(labels: unknown, found: Found<NameRule>): void {
  for (const [key, value] of Object.entries(fields(labels))) {
    const [isOurs, version] = POD_SECURITY.exec(key) ?? [];
    if (isOurs === undefined || typeof value !== 'string') continue;
    const [form, allowed] =
      version === undefined
        ? [/^(?:privileged|baseline|restricted)$/, 'a level of Pod Security is privileged, baseline or restricted']
        : [/^(?:latest|v1\.\d+)$/, 'a version of Pod Security is latest or v1.<minor>'];
    if (!form.test(value)) found('label-invalid', join('metadata.labels', key), `value is ${shown(value)}; ${allowed}`);
  }
}

function isQualified(key: string): boolean {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  return (slash < 0 || isSubdomain(key.slice(0, slash))) && name.length <= 63 && QUALIFIED.test(name);
}

function inPod(pod: Pod, found: Found<NameRule>): void {
  const label = (name: string, what: string, path: string) => {
    if (name !== '' && !isLabel(name))
      found('name-invalid', `${path}.name`, `${what} name is ${shown(name)}; it must be an RFC 1123 label of at most 63 characters`);
  };
  for (const container of pod.containers) {
    label(container.name, 'container', container.path);
    portNames(container, found);
    for (const { item, index } of items(container.spec.env)) {
      const name = text(item.name);
      // From 1.34 on any printable ASCII but = is taken.
      if (name !== undefined && /[=]|[^\x20-\x7e]/.test(name))
        found(
          'name-invalid',
          `${container.path}.env[${index}].name`,
          `env name is ${shown(name)}; = and unprintable characters are not allowed`,
        );
    }
  }
  for (const volume of pod.volumes) label(volume.name, 'volume', volume.path);
}

/** RFC 6335: at most 15 characters, a letter among them, no two hyphens in a row. */
const PORT_NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/;

function portNames({ spec, path }: Container, found: Found<NameRule>): void {
  for (const { item, index } of items(spec.ports)) {
    const name = text(item.name);
    if (name !== undefined && !PORT_NAME.test(name)) {
      found(
        'name-invalid',
        `${path}.ports[${index}].name`,
        `port name is ${shown(name)}; it has at most 15 lower-case letters, digits and single -, a letter among them`,
      );
    }
  }
}
