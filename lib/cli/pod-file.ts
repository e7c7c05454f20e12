/**
 * The pods that are asked about, as a file says them: any kind that makes pods, or the bare template. Everything wrong with a
 * file is told at once, each with its path, in the words of the gate. Pure; `readPodFile` reads.
 */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../api/manifest.ts';
import { ClusterView } from '../gate/cluster-view.ts';
import { fieldRules } from '../gate/rules/fields.ts';
import { type Fields, fields, isFields, items, shown, text, within } from '../gate/shape.ts';
import { BadInput } from './output.ts';

/** A pod template as Deployments have it. */
export interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Fields;
}

/** Pods by their template, and whose they are. */
export interface Pods {
  /** `Deployment`; empty for a bare template. */
  readonly kind: string;
  /** Of the object; a bare template may have none. */
  readonly name?: string;
  readonly namespace?: string;
  /** Of a Deployment, as it counts its rollouts. */
  readonly revision?: string;
  readonly template: Template;
  /** The file or object, as messages name it, and the path of the template in it: `spec.template`. */
  readonly where?: string;
  readonly path?: string;
}

/** Where a kind keeps its pod template. */
const TEMPLATE: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ['template'],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
};
const KINDS = Object.keys(TEMPLATE).join(', ');
/** One of a kind that has pods in another way, and what to ask instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  DaemonSet: 'It runs one pod a node: give its spec.template alone, with --max-per node=1.',
  CronJob: 'Give its spec.jobTemplate.spec.template alone.',
  List: 'Give one of its items.',
};

/** @param path `-` is standard input @throws {BadInput} with all problems of the file */
export function readPodFile(path: string): Pods {
  return podsIn(contents(path), path === '-' ? 'standard input' : path);
}

function contents(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'there is no such file' : `it can't be read: ${(cause as Error).message}`;
    throw new BadInput(`${path}: ${what}. Name a file with the pods' Deployment, or - for standard input.`, { cause });
  }
}

/** @param file as messages name it @throws {BadInput} with all problems of the text */
export function podsIn(yaml: string, file: string): Pods {
  const documents = parseAllDocuments(yaml, { uniqueKeys: true });
  const parsed = Array.isArray(documents) ? documents : [];
  const [wrong] = parsed.flatMap(({ errors }) => errors);
  if (wrong !== undefined) throw new BadInput(`${file}: ${wrong.message.trim().replace(/:?\n[\s\S]*/, '')}. YAML or JSON is expected.`);
  // Aliases are bounded, so that a file can't blow up while it is read.
  const objects = parsed.map((document): unknown => document.toJS({ maxAliasCount: 100 })).filter((object) => object !== null);
  if (objects.length > 1) throw new BadInput(tooMany(objects, file));
  const [object] = objects;
  if (!isFields(object))
    throw new BadInput(
      `${file}: ${object === undefined ? 'it is empty' : `it holds ${shown(object)}`}; expected is one of ${KINDS}, or a bare pod template.`,
    );
  return podsOf(object, file);
}

function tooMany(objects: readonly unknown[], file: string): string {
  const kinds = objects.map((object) => text(fields(object).kind) ?? 'something without kind');
  const one = kinds.find((kind) => kind in TEMPLATE) ?? 'Deployment';
  return (
    `${file}: ${objects.length} documents (${kinds.join(', ')}); one is read. ` +
    `Give the one whose pods are meant: yq 'select(.kind == "${one}")' ${file} | gala … -f -`
  );
}

/**
 * @param where as messages name the object
 * @param check an object that the API server has was checked by it, and may have fields that the models here don't know
 * @throws {BadInput} with all that is wrong with the object
 */
export function podsOf(object: Fields, where: string, check: 'fields' | 'nothing' = 'fields'): Pods {
  const bare = object.kind === undefined && object.apiVersion === undefined;
  const kind = bare ? '' : (text(object.kind) ?? '?');
  const at = bare ? [] : TEMPLATE[kind];
  if (at === undefined)
    throw new BadInput(
      `${where}: kind is ${kind}; pods are read from ${KINDS}, or a bare pod template. ${INSTEAD[kind] ?? 'Give one of these.'}`,
    );
  const holder = at.length === 0 ? object : within(object, ...at);
  const whole = bare ? asTemplate(object) : (object as unknown as KubeObject);
  const lines = check === 'nothing' ? [] : problemsOf(whole, where, bare ? 'template.' : '');
  const { containers } = fields(holder.spec);
  if (Array.isArray(containers) && containers.length === 0)
    lines.push(
      `${where}: ${[...at, 'spec', 'containers'].join('.')}: the list is empty; a pod has one container or more. Add what its pods run.`,
    );
  if (lines.length > 0) throw new BadInput([...new Set(lines)].join('\n'));
  const metadata = fields(object.metadata);
  return {
    kind,
    ...(text(metadata.name) === undefined ? {} : { name: text(metadata.name) as string }),
    ...(text(metadata.namespace) === undefined ? {} : { namespace: text(metadata.namespace) as string }),
    ...(text(fields(metadata.annotations)[REVISION]) === undefined
      ? {}
      : { revision: text(fields(metadata.annotations)[REVISION]) as string }),
    template: withClaims(holder, fields(object.spec).volumeClaimTemplates),
    where,
    ...(at.length === 0 ? {} : { path: at.join('.') }),
  };
}

/** Annotation of the Deployment controller (pkg/controller/deployment/util). */
const REVISION = 'deployment.kubernetes.io/revision';

/** A bare template in the kind that has nothing around it. */
const asTemplate = (template: Fields): KubeObject =>
  ({ apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'template' }, template }) as unknown as KubeObject;

/** Unknown fields, wrong types, values out of bounds: as the gate says them, less the path that we put around. */
function problemsOf(object: KubeObject, file: string, around = ''): string[] {
  const lines: string[] = [];
  const view = new ClusterView([], { services: 'kube-proxy', kubernetes: '1.37' });
  fieldRules.object?.(object, view, (rule, path, message, instead) => {
    // Newer than the models, perhaps: the API server knows when it gets there, and nothing of it is counted.
    if (instead?.severity === 'warning') return;
    const where = path.startsWith(around) ? path.slice(around.length) : path;
    lines.push(`${file}: ${where}: ${message}. ${instead?.remedy ?? fieldRules.rules[rule]?.remedy ?? ''}`.trimEnd());
  });
  return lines;
}

/** Claims of a StatefulSet need the same space as volumes of the pod that have one made for them. */
function withClaims(holder: Fields, claims: unknown): Template {
  const { labels, annotations } = fields(holder.metadata);
  const made = items(claims).map(({ item }) => ({
    name: text(fields(item.metadata).name) ?? '',
    ephemeral: { volumeClaimTemplate: { spec: item.spec } },
  }));
  const spec = fields(holder.spec);
  return {
    metadata: {
      ...(isFields(labels) ? { labels: labels as never } : {}),
      ...(isFields(annotations) ? { annotations: annotations as never } : {}),
    },
    spec: made.length === 0 ? spec : { ...spec, volumes: [...items(spec.volumes).map(({ item }) => item), ...made] },
  };
}
