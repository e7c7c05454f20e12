/** Pods inside objects: where a kind keeps its pod template, and its containers and volumes with their paths. */
import type { KubeObject } from '../api/manifest.ts';
import { type Fields, fields, isFields, items, text, within } from './shape.ts';

export interface Container {
  readonly name: string;
  readonly spec: Fields;
  /** Into the object: `spec.template.spec.containers[0]`. */
  readonly path: string;
  /** `sidecar`: an init container with restartPolicy Always, which runs as long as the pod. */
  readonly role: 'main' | 'init' | 'sidecar';
}

export interface Pod {
  /** The object that holds it. */
  readonly owner: KubeObject;
  readonly namespace: string;
  readonly spec: Fields;
  /** `spec.template.spec` */
  readonly path: string;
  readonly labels: Fields;
  readonly annotations: Fields;
  /** `spec.template.metadata` */
  readonly metadataPath: string;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly spec: Fields; readonly path: string }[];
  readonly hostNetwork: boolean;
}

/**
 * The pod that an object makes, if it makes any. A custom kind counts when `spec.template.spec.containers` is a list
 * (a ServicePool's pod template is one).
 */
export function podOf(owner: KubeObject): Pod | undefined {
  const [holder, at] = templateOf(owner);
  if (holder === undefined) return undefined;
  const spec = fields(holder.spec);
  const metadata = fields(holder.metadata);
  const prefix = at === '' ? '' : `${at}.`;
  const path = `${prefix}spec`;
  return {
    owner,
    namespace: owner.metadata.namespace ?? '',
    spec,
    path,
    labels: fields(metadata.labels),
    annotations: fields(metadata.annotations),
    metadataPath: `${prefix}metadata`,
    containers: [
      ...items(spec.initContainers).map(({ item, index }) =>
        container(item, `${path}.initContainers[${index}]`, item.restartPolicy === 'Always' ? 'sidecar' : 'init'),
      ),
      ...items(spec.containers).map(({ item, index }) => container(item, `${path}.containers[${index}]`, 'main')),
    ],
    volumes: items(spec.volumes).map(({ item, index }) => ({ name: text(item.name) ?? '', spec: item, path: `${path}.volumes[${index}]` })),
    hostNetwork: spec.hostNetwork === true,
  };
}

function container(spec: Fields, path: string, role: Container['role']): Container {
  return { name: text(spec.name) ?? '', spec, path, role };
}

function templateOf(owner: KubeObject): [Fields | undefined, string] {
  switch (owner.kind) {
    case 'Pod':
      return [owner, ''];
    case 'PodTemplate':
      return [fields(owner.template), 'template'];
    case 'CronJob':
      return [within(owner, 'spec', 'jobTemplate', 'spec', 'template'), 'spec.jobTemplate.spec.template'];
    default: {
      const template = within(owner, 'spec', 'template');
      return isFields(template.spec) && Array.isArray(template.spec.containers) ? [template, 'spec.template'] : [undefined, ''];
    }
  }
}
