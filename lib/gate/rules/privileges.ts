/**
 * Privileges: each has a written reason on the pod template, which SUMMARY.md shows and admission policies take as the
 * exception: because.gala.internal/host-network, /host-pid, /host-ipc, /privileged, /capability.<NAME>, /host-path.<volume>.
 */
import { BECAUSE } from '../../api/manifest.ts';
import { reasons } from '../cluster-view.ts';
import type { Pod } from '../pod.ts';
import { family } from '../rule.ts';
import { fields, texts, within } from '../shape.ts';

export const privilegeRules = family({
  name: 'privileges',
  rules: {
    'privilege-without-reason': {
      severity: 'error',
      server: 'accepts',
      reason: 'A privilege nobody can give a reason for is one to take away.',
      remedy: `Write the reason on the pod template (annotation ${BECAUSE}/<privilege>), or drop the privilege.`,
    },
    'privileged-no-escalation': {
      severity: 'error',
      server: 'refuses',
      reason: 'A privileged container cannot forbid privilege escalation: the API server refuses the pod.',
      remedy: 'Leave allowPrivilegeEscalation out, or drop privileged.',
    },
  },
  pod(pod, _cluster, found) {
    const because = reasons(pod.annotations, BECAUSE);
    for (const { privilege, path } of privilegesOf(pod)) {
      if (!because.has(privilege)) found('privilege-without-reason', path, `annotation ${BECAUSE}/${privilege} is missing`);
    }
    for (const { spec, path } of pod.containers) {
      const context = fields(spec.securityContext);
      if (context.privileged === true && context.allowPrivilegeEscalation === false) {
        found('privileged-no-escalation', `${path}.securityContext`, 'privileged is true and allowPrivilegeEscalation false');
      }
    }
  },
});

/** What a pod may do beyond its own containers, each named as its annotation is. */
export function privilegesOf(pod: Pod): { readonly privilege: string; readonly path: string }[] {
  const list: { privilege: string; path: string }[] = [];
  const { spec, path } = pod;
  if (pod.hostNetwork) list.push({ privilege: 'host-network', path: `${path}.hostNetwork` });
  if (spec.hostPID === true) list.push({ privilege: 'host-pid', path: `${path}.hostPID` });
  if (spec.hostIPC === true) list.push({ privilege: 'host-ipc', path: `${path}.hostIPC` });
  for (const volume of pod.volumes) {
    if (volume.spec.hostPath !== undefined) list.push({ privilege: `host-path.${volume.name}`, path: `${volume.path}.hostPath` });
  }
  for (const container of pod.containers) {
    const at = `${container.path}.securityContext`;
    if (within(container.spec, 'securityContext').privileged === true) list.push({ privilege: 'privileged', path: `${at}.privileged` });
    texts(within(container.spec, 'securityContext', 'capabilities').add).forEach((name, index) => {
      list.push({ privilege: `capability.${name.replace(/^CAP_/, '')}`, path: `${at}.capabilities.add[${index}]` });
    });
  }
  return list;
}
