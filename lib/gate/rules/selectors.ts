/** Selectors: workloads must select their own pods, Services and budgets somebody's. */
import type { KubeObject } from '../../api/manifest.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { hasLabels, isEmpty, selects } from '../selector.ts';
import { fields, items, shown, text, within } from '../shape.ts';

export const selectorRules = family({
  name: 'selectors',
  rules: {
    'selector-misses-template': {
      severity: 'error',
      server: 'refuses',
      reason: 'A workload whose selector does not take its own pod template is refused by the API server.',
      remedy: "Put the selector's labels on the pod template.",
    },
    'selects-nothing': {
      severity: 'error',
      server: 'accepts',
      reason: 'A Service or PodDisruptionBudget whose selector takes no pod of this synth does nothing.',
      remedy: 'Select labels that a pod template has, or say who brings the pods: annotation gala.internal/provided: Pod/<name>.',
    },
    'target-port-missing': {
      severity: 'error',
      server: 'accepts',
      reason: 'A Service that targets a port by a name which no selected pod declares gets no endpoint.',
      remedy: "Use a port name of the pod's containers, or its number.",
    },
  },
  object(object, cluster, found) {
    const selector = within(object, 'spec').selector;
    if (OWN_TEMPLATE.has(object.kind)) {
      ownTemplate(object, selector, cluster, found);
      return;
    }
    if (object.kind === 'Service' && Object.keys(fields(selector)).length > 0) {
      const pods = taken(object, selector, (pod) => hasLabels(selector, pod.labels), cluster, found);
      targetPorts(object, pods, found);
    }
    if (object.kind === 'PodDisruptionBudget' && !isEmpty(selector))
      taken(object, fields(selector).matchLabels, (pod) => selects(selector, pod.labels), cluster, found);
  },
});

type SelectorRule = 'selector-misses-template' | 'selects-nothing' | 'target-port-missing';
const OWN_TEMPLATE: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet', 'ReplicaSet', 'Job']);

function ownTemplate(object: KubeObject, selector: unknown, cluster: ClusterView, found: Found<SelectorRule>): void {
  const pod = cluster.podOf(object);
  // Without one: a Job gets its selector from the controller, for the others it is a missing field.
  if (pod === undefined || selector === undefined) return;
  if (isEmpty(selector))
    found('selector-misses-template', 'spec.selector', 'selector is empty; it must name a label', {
      remedy: 'Select a label of the pod template.',
    });
  else if (!selects(selector, pod.labels)) {
    found(
      'selector-misses-template',
      'spec.selector',
      `selector ${shown(selector)} does not take the template's labels ${shown(pod.labels)}`,
    );
  }
}

function taken(
  object: KubeObject,
  labels: unknown,
  takes: (pod: Pod) => boolean,
  cluster: ClusterView,
  found: Found<SelectorRule>,
): readonly Pod[] | undefined {
  if ([...cluster.provided(object)].some((name) => name.startsWith('Pod/'))) return undefined;
  const pods = cluster.candidates(object.metadata.namespace ?? '', labels).filter(takes);
  if (pods.length === 0)
    found(
      'selects-nothing',
      'spec.selector',
      `selector ${shown(within(object, 'spec').selector)} takes no pod template in namespace ${object.metadata.namespace}`,
    );
  return pods;
}

function targetPorts(service: KubeObject, pods: readonly Pod[] | undefined, found: Found<SelectorRule>): void {
  if (pods === undefined || pods.length === 0) return;
  // Ports of sidecars count; those of init containers that end do not, but are harmless to take along.
  const declared = new Set(pods.flatMap((pod) => pod.containers.flatMap(({ spec }) => items(spec.ports).map(({ item }) => item.name))));
  for (const { item, index } of items(within(service, 'spec').ports)) {
    const target = text(item.targetPort);
    if (target !== undefined && !declared.has(target))
      found(
        'target-port-missing',
        `spec.ports[${index}].targetPort`,
        `targetPort is ${shown(target)}; the pods declare ${shown([...declared].filter(Boolean))}`,
      );
  }
}
