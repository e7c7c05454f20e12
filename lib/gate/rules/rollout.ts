/** Rollouts and disruption budgets that can never move. */
import type { KubeObject } from '../../api/manifest.ts';
import type { ClusterView } from '../cluster-view.ts';
import { hostPorts } from '../host-port.ts';
import type { Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { isEmpty, selects } from '../selector.ts';
import { fields, shown, within } from '../shape.ts';

export const rolloutRules = family({
  name: 'rollouts',
  rules: {
    'rollout-stuck': {
      severity: 'error',
      server: 'refuses',
      reason: 'With maxUnavailable and maxSurge both zero no pod may go and none may come: the API server refuses it.',
      remedy: 'Allow at least one: maxUnavailable: 1.',
    },
    'rollout-surge-on-host': {
      severity: 'error',
      server: 'either',
      reason:
        'The API server refuses maxSurge beside maxUnavailable, and where the pod holds ports of the host, a second one is never scheduled beside the first.',
      remedy: 'Set maxSurge to 0 and maxUnavailable to at least 1.',
    },
    'pdb-on-daemonset': {
      severity: 'error',
      server: 'accepts',
      reason: 'A PodDisruptionBudget on a DaemonSet blocks evictions that the DaemonSet undoes anyway; drains skip its pods.',
      remedy: "Use the DaemonSet's maxUnavailable instead.",
    },
    'pdb-blocks-eviction': {
      severity: 'error',
      server: 'accepts',
      reason: 'A budget that allows no eviction at all makes every drain hang.',
      remedy: 'Set maxUnavailable: 1.',
    },
    'pdb-invalid': {
      severity: 'error',
      server: 'either',
      reason: 'The API server refuses minAvailable beside maxUnavailable; with neither, the budget protects nothing.',
      remedy: 'Set maxUnavailable alone.',
    },
  },
  object(object, cluster, found) {
    if (object.kind === 'DaemonSet') daemonSet(object, cluster.podOf(object), found);
    if (object.kind === 'Deployment') deployment(object, found);
    if (object.kind === 'PodDisruptionBudget') budget(object, cluster, found);
  },
});

type RolloutRule = 'rollout-stuck' | 'rollout-surge-on-host' | 'pdb-on-daemonset' | 'pdb-blocks-eviction' | 'pdb-invalid';

function isZero(value: unknown): boolean {
  return value === 0 || value === '0%' || value === '0';
}

function daemonSet(object: KubeObject, pod: Pod | undefined, found: Found<RolloutRule>): void {
  const path = 'spec.updateStrategy.rollingUpdate';
  const { maxUnavailable, maxSurge } = within(object, 'spec', 'updateStrategy', 'rollingUpdate');
  const surges = maxSurge !== undefined && !isZero(maxSurge);
  if (isZero(maxUnavailable) && !surges)
    found('rollout-stuck', path, `maxUnavailable is ${shown(maxUnavailable)} and maxSurge ${shown(maxSurge ?? 0)}`);
  if (!surges) return;
  // maxUnavailable is 1 when it is left out.
  if (!isZero(maxUnavailable))
    found('rollout-surge-on-host', path, `maxSurge is ${shown(maxSurge)} while maxUnavailable is ${shown(maxUnavailable ?? 1)}`);
  else if (pod !== undefined && hostPorts(pod).length > 0)
    found(
      'rollout-surge-on-host',
      path,
      `maxSurge is ${shown(maxSurge)} and the pod holds host ports ${shown(hostPorts(pod).map(({ port }) => port))}`,
    );
}

function deployment(object: KubeObject, found: Found<RolloutRule>): void {
  const { maxUnavailable, maxSurge } = within(object, 'spec', 'strategy', 'rollingUpdate');
  // Each is 25% when it is left out, so both must be said to be zero.
  if (isZero(maxUnavailable) && isZero(maxSurge))
    found('rollout-stuck', 'spec.strategy.rollingUpdate', `maxUnavailable is ${shown(maxUnavailable)} and maxSurge ${shown(maxSurge)}`);
}

function budget(object: KubeObject, cluster: ClusterView, found: Found<RolloutRule>): void {
  const { minAvailable, maxUnavailable, selector } = within(object, 'spec');
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    found('pdb-invalid', 'spec', `minAvailable is ${shown(minAvailable)} and maxUnavailable ${shown(maxUnavailable)}; only one may be set`);
  if (minAvailable === undefined && maxUnavailable === undefined)
    found('pdb-invalid', 'spec', 'neither minAvailable nor maxUnavailable is set');
  if (isZero(maxUnavailable)) found('pdb-blocks-eviction', 'spec.maxUnavailable', `maxUnavailable is ${shown(maxUnavailable)}`);
  if (minAvailable === '100%') found('pdb-blocks-eviction', 'spec.minAvailable', 'minAvailable is 100%');
  if (isEmpty(selector)) return;
  const pods = cluster
    .candidates(object.metadata.namespace ?? '', fields(selector).matchLabels)
    .filter((pod) => selects(selector, pod.labels));
  for (const pod of pods) {
    if (pod.owner.kind === 'DaemonSet')
      found('pdb-on-daemonset', 'spec.selector', `selector takes the pods of DaemonSet ${pod.owner.metadata.name}`);
  }
  const replicas = pods.map((pod) => within(pod.owner, 'spec').replicas);
  // Sure only where one workload of a fixed size is all there is; a Deployment without replicas may be scaled by something else.
  if (
    pods.length === 1 &&
    typeof minAvailable === 'number' &&
    typeof replicas[0] === 'number' &&
    replicas[0] > 0 &&
    minAvailable >= replicas[0]
  ) {
    found('pdb-blocks-eviction', 'spec.minAvailable', `minAvailable is ${minAvailable} of ${replicas[0]} replicas`);
  }
}
