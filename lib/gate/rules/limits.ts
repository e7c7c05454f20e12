/** Requests and limits, restart policies, ports of Services, sizes: what the API server refuses or two owners fight over. */

import type { KubeObject } from '../../api/manifest.ts';
import { toNumber } from '../../api/quantity.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Container, Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { fields, items, join, shown, text, within } from '../shape.ts';

export const limitRules = family({
  name: 'limits and sizes',
  rules: {
    'request-above-limit': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a container that requests more than its limit.',
      remedy: 'Raise the limit or lower the request.',
    },
    'unknown-resource': {
      severity: 'error',
      server: 'refuses',
      reason:
        'A container asks for cpu, memory, ephemeral-storage, hugepages-<size>, or for something with a domain in its name: the API server refuses others.',
      remedy: 'Correct the name.',
    },
    'restart-policy': {
      severity: 'error',
      server: 'refuses',
      reason: 'Workloads that keep pods running take restartPolicy Always alone, Jobs OnFailure or Never: the API server refuses others.',
      remedy: 'Leave it out of a Deployment, DaemonSet or StatefulSet; set OnFailure or Never in a Job.',
    },
    'service-ports': {
      severity: 'error',
      server: 'refuses',
      reason:
        'Ports of a Service are told apart by name, and by port and protocol: the API server refuses two alike, and several without names. Only a headless or external Service has none.',
      remedy: 'Name every port, each differently.',
    },
    'replicas-owned-twice': {
      severity: 'error',
      server: 'accepts',
      reason: 'Every apply would set the size back that the autoscaler has chosen.',
      remedy: 'Leave spec.replicas out of what an autoscaler scales.',
    },
  },
  object(object, cluster, found) {
    if (object.kind === 'Service') servicePorts(object, found);
    if (object.kind === 'HorizontalPodAutoscaler') scaled(object, cluster, found);
  },
  pod(pod, _cluster, found) {
    for (const container of pod.containers) requests(container, found);
    restartPolicy(pod, found);
  },
});

type LimitRule = 'request-above-limit' | 'unknown-resource' | 'restart-policy' | 'service-ports' | 'replicas-owned-twice';

function requests({ spec, path }: Container, found: Found<LimitRule>): void {
  const limits = within(spec, 'resources', 'limits');
  for (const list of ['requests', 'limits']) {
    for (const name of Object.keys(within(spec, 'resources', list))) {
      if (!RESOURCE.test(name))
        found('unknown-resource', join(`${path}.resources.${list}`, name), `a container can't ask for ${shown(name)}`);
    }
  }
  for (const [resource, request] of Object.entries(within(spec, 'resources', 'requests'))) {
    const limit = limits[resource];
    const [asked, most] = [amount(request), amount(limit)];
    if (asked !== undefined && most !== undefined && asked > most) {
      found(
        'request-above-limit',
        `${path}.resources.requests${resource.includes('/') ? `["${resource}"]` : `.${resource}`}`,
        `request is ${shown(request)} and limit ${shown(limit)}`,
      );
    }
  }
}

const RESOURCE = /^(?:cpu|memory|ephemeral-storage|hugepages-.+|.+\/.+)$/;

/** What is no quantity is a wrong type, told by the family `fields`. */
function amount(quantity: unknown): number | undefined {
  if (typeof quantity !== 'number' && typeof quantity !== 'string') return undefined;
  try {
    return toNumber(quantity);
  } catch {
    return undefined;
  }
}

const ALWAYS: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController']);

function restartPolicy({ owner, spec, path }: Pod, found: Found<LimitRule>): void {
  const policy = spec.restartPolicy;
  if (ALWAYS.has(owner.kind) && policy !== undefined && policy !== 'Always')
    found('restart-policy', `${path}.restartPolicy`, `restartPolicy is ${shown(policy)}; a ${owner.kind} takes Always`);
  const ends = owner.apiVersion.startsWith('batch/') && (owner.kind === 'Job' || owner.kind === 'CronJob');
  if (ends && policy !== 'OnFailure' && policy !== 'Never')
    found(
      'restart-policy',
      `${path}.restartPolicy`,
      `restartPolicy is ${shown(policy ?? 'Always')}; a ${owner.kind} takes OnFailure or Never`,
    );
}

function servicePorts(service: KubeObject, found: Found<LimitRule>): void {
  const { ports, clusterIP, type } = within(service, 'spec');
  const list = items(ports);
  if (list.length === 0 && clusterIP !== 'None' && type !== 'ExternalName')
    found('service-ports', 'spec.ports', 'ports is empty or missing, and the Service is neither headless nor external');
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const { item, index } of list) {
    const name = text(item.name);
    const number = `${item.port}/${item.protocol ?? 'TCP'}`;
    const path = `spec.ports[${index}]`;
    if (name === undefined && list.length > 1) found('service-ports', `${path}.name`, `one of ${list.length} ports has no name`);
    if (name !== undefined && names.has(name)) found('service-ports', `${path}.name`, `port name ${shown(name)} stands here twice`);
    if (numbers.has(number)) found('service-ports', path, `port ${number} stands here twice`);
    if (name !== undefined) names.add(name);
    numbers.add(number);
  }
}

function scaled(autoscaler: KubeObject, cluster: ClusterView, found: Found<LimitRule>): void {
  const { kind, name } = fields(within(autoscaler, 'spec').scaleTargetRef);
  const target = cluster.rendered(String(kind), autoscaler.metadata.namespace, String(name));
  const { replicas } = within(target, 'spec');
  if (replicas !== undefined)
    found('replicas-owned-twice', 'spec.scaleTargetRef', `${kind} ${name} is rendered with replicas ${shown(replicas)}`);
}
