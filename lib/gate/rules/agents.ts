/** Agents (DaemonSets): a leak on one host must end in a restart of the agent, not in an eviction of its neighbours. */
import { family } from '../rule.ts';
import { shown, within } from '../shape.ts';

export const agentRules = family({
  name: 'agents',
  rules: {
    'agent-memory-limit': {
      severity: 'error',
      server: 'accepts',
      reason: "A DaemonSet without a memory limit can take a whole host's memory, on every host at once.",
      remedy: 'Set resources.limits.memory on every container.',
    },
    'agent-cpu-limit': {
      severity: 'error',
      server: 'accepts',
      reason: 'A CPU limit throttles an agent exactly when the host is busy, and what waits for it (pod starts, probes) waits too.',
      remedy: 'Remove resources.limits.cpu; a request gives it its share.',
    },
  },
  pod(pod, _cluster, found) {
    if (pod.owner.kind !== 'DaemonSet') return;
    for (const { spec, path, name } of pod.containers) {
      const limits = within(spec, 'resources', 'limits');
      if (limits.memory === undefined)
        found('agent-memory-limit', `${path}.resources.limits.memory`, `container ${name} has no memory limit`);
      if (limits.cpu !== undefined)
        found('agent-cpu-limit', `${path}.resources.limits.cpu`, `container ${name} has a CPU limit of ${shown(limits.cpu)}`);
    }
  },
});
