/**
 * Labels and taints a node registers with, and which of them a kubelet may set at all.
 * Labels are no field of KubeletConfiguration: they go in by `--node-labels`, which a kubelet refuses for most of
 * Kubernetes' own prefixes (ValidateKubeletFlags in cmd/kubelet/app/options; the NodeRestriction admission plugin says the
 * same on the other side).
 */
import { spell } from '../../lib/api/issue.ts';
import { POOL_LABEL, RACK_LABEL } from '../../lib/api/model.ts';
import type { Problem } from '../../lib/api/problem.ts';

import { type KubeletProfileProps, problemOf } from './profile.ts';

export const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** The labels of a pool's nodes; `rack` adds its own. In alphabetical order. */
export function nodeLabels(props: KubeletProfileProps, rack?: string): Readonly<Record<string, string>> {
  const all = { ...props.labels, ...ownLabels(props, rack) };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => byKey(a, b)));
}

function ownLabels(props: KubeletProfileProps, rack?: string): Record<string, string> {
  return {
    [POOL_LABEL]: props.pool,
    ...(rack === undefined ? {} : { [RACK_LABEL]: rack }),
    ...(props.datacenter === undefined ? {} : { [ZONE_LABEL]: props.datacenter }),
  };
}

/** `--node-labels`' value. Label syntax has neither comma nor blank nor quote, so none is needed. */
export function nodeLabelsFlag(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** By code point: the same in every locale. */
export function byKey(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash === -1) return NAME.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && PREFIX.test(prefix) && NAME.test(key.slice(slash + 1));
}

const isLabelValue = (value: string) => value === '' || NAME.test(value);

/** Kubernetes' own labels that a kubelet may set (k8s.io/kubelet/pkg/apis/well_known_labels.go). */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

/** Whether a kubelet may give its own node this label. */
export function kubeletMaySet(key: string): boolean {
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const within = (domain: string) => prefix === domain || prefix.endsWith(`.${domain}`);
  if (!within('kubernetes.io') && !within('k8s.io')) return true;
  return KUBELET_LABELS.has(key) || within('kubelet.kubernetes.io') || within('node.kubernetes.io');
}

export function checkLabels(props: KubeletProfileProps): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const racked = Object.keys(props.racks ?? {}).length > 0;
  const own: Record<string, string | undefined> = { ...ownLabels(props), ...(racked ? { [RACK_LABEL]: undefined } : {}) };
  for (const [key, value] of Object.entries(props.labels ?? {}).sort(([a], [b]) => byKey(a, b))) {
    const path = `labels.${key}`;
    if (!isQualifiedName(key))
      problems.push(
        problem(
          path,
          key,
          `label key is ${spell(key)}`,
          'an optional DNS prefix with /, then at most 63 letters, digits, -, _ and .',
          'Mend the key.',
        ),
      );
    else if (!kubeletMaySet(key))
      problems.push(
        problem(
          path,
          key,
          `label ${key} is one a kubelet may not set`,
          'of *.kubernetes.io and *.k8s.io only kubelet.kubernetes.io/*, node.kubernetes.io/* and a few known ones',
          'Use a prefix of your own, or label the nodes with kubectl.',
        ),
      );
    if (!isLabelValue(value))
      problems.push(
        problem(
          path,
          value,
          `label value is ${spell(value)}`,
          'at most 63 letters, digits, -, _ and ., starting and ending with a letter or digit',
          'Mend the value.',
        ),
      );
    if (Object.hasOwn(own, key) && own[key] !== value)
      problems.push(
        problem(path, value, `label ${key} is ${spell(value)}, but the pool sets it`, own[key] ?? 'the name of the rack', 'Leave it out.'),
      );
  }
  for (const [index, { key, value, effect }] of (props.taints ?? []).entries()) {
    const path = `taints[${index}]`;
    if (!isQualifiedName(key) || !isLabelValue(value ?? ''))
      problems.push(
        problem(
          path,
          `${key}=${value ?? ''}`,
          `taint is ${spell(`${key}=${value ?? ''}`)}`,
          'key and value as of a label',
          'Mend key or value.',
        ),
      );
    if (!EFFECTS.includes(effect))
      problems.push(problem(`${path}.effect`, effect, `taint effect is ${spell(effect)}`, EFFECTS.join(', '), 'Use one of these.'));
  }
  const named = (props.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  for (const twice of new Set(named.filter((name, index) => named.indexOf(name) !== index)))
    problems.push(problem('taints', twice, `taint ${twice} stands here twice`, 'one taint for each key and effect', 'Keep one.'));
  return problems;
}
