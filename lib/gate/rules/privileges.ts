/**
 * Privileges: each has a written reason on the pod template, which SUMMARY.md shows and admission policies take as the
 * exception. The keys below because.gala.internal/ are those that constructs/need.ts writes: host-network, host-pid,
 * host-ipc, privileged, root, capability.<NAME>, host-path.<volume>, host-port.<port>; beyond these share-process-namespace,
 * seccomp-unconfined, apparmor-unconfined, unmasked-proc and sysctl.<name>.
 */
import { BECAUSE } from '../../api/manifest.ts';
import { reasons } from '../cluster-view.ts';
import type { Container, Pod } from '../pod.ts';
import { family } from '../rule.ts';
import { entries, type Fields, fields, items, join, text, texts, within } from '../shape.ts';

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
    for (const { privilege, path } of [...privilegesOf(pod), ...asRoot(pod)]) {
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

export interface Privilege {
  /** Named as its annotation is. */
  readonly privilege: string;
  readonly path: string;
}

/** What a pod may do beyond its own containers, field by field; its user is looked at as a whole (asRoot). */
export function privilegesOf(pod: Pod): Privilege[] {
  // A privileged container has neither seccomp nor AppArmor: where all are, the pod's word adds nothing.
  const ofAll = pod.containers.every(isPrivileged) ? [] : unconfined(fields(pod.spec.securityContext), `${pod.path}.securityContext`);
  return [...ofPod(pod), ...ofAll, ...ofAnnotations(pod), ...pod.containers.flatMap((container) => ofContainer(container, pod))];
}

function isPrivileged({ spec }: Container): boolean {
  return fields(spec.securityContext).privileged === true;
}

function ofPod({ spec, path, volumes, hostNetwork }: Pod): Privilege[] {
  const list: Privilege[] = [];
  if (hostNetwork) list.push({ privilege: 'host-network', path: `${path}.hostNetwork` });
  if (spec.hostPID === true) list.push({ privilege: 'host-pid', path: `${path}.hostPID` });
  if (spec.hostIPC === true) list.push({ privilege: 'host-ipc', path: `${path}.hostIPC` });
  if (spec.shareProcessNamespace === true) list.push({ privilege: 'share-process-namespace', path: `${path}.shareProcessNamespace` });
  for (const volume of volumes) {
    if (volume.spec.hostPath !== undefined) list.push({ privilege: `host-path.${volume.name}`, path: `${volume.path}.hostPath` });
  }
  for (const { item, index } of items(within(spec, 'securityContext').sysctls)) {
    // Both ways of writing one are taken: net.core.somaxconn and net/core/somaxconn.
    const name = text(item.name)?.replaceAll('/', '.');
    if (name !== undefined && !SAFE_SYSCTLS.has(name))
      list.push({ privilege: `sysctl.${name}`, path: `${path}.securityContext.sysctls[${index}]` });
  }
  return list;
}

/** pkg/kubelet/sysctl/safe_sysctls.go of Kubernetes 1.36: what the kubelet lets every pod set. */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/** What a pod's and a container's security context have in common. */
function unconfined(context: Fields, path: string): Privilege[] {
  const list: Privilege[] = [];
  if (fields(context.seccompProfile).type === 'Unconfined')
    list.push({ privilege: 'seccomp-unconfined', path: `${path}.seccompProfile.type` });
  if (fields(context.appArmorProfile).type === 'Unconfined')
    list.push({ privilege: 'apparmor-unconfined', path: `${path}.appArmorProfile.type` });
  return list;
}

/** AppArmor's old way, an annotation a container. */
function ofAnnotations({ annotations, metadataPath }: Pod): Privilege[] {
  return entries(annotations)
    .filter(([key, value]) => key.startsWith('container.apparmor.security.beta.kubernetes.io/') && value === 'unconfined')
    .map(([key]) => ({ privilege: 'apparmor-unconfined', path: join(`${metadataPath}.annotations`, key) }));
}

function ofContainer(container: Container, pod: Pod): Privilege[] {
  const { spec, path } = container;
  const at = `${path}.securityContext`;
  const context = fields(spec.securityContext);
  const list: Privilege[] = [];
  if (isPrivileged(container)) list.push({ privilege: 'privileged', path: `${at}.privileged` });
  texts(fields(context.capabilities).add).forEach((name, index) => {
    list.push({ privilege: `capability.${name.replace(/^CAP_/, '')}`, path: `${at}.capabilities.add[${index}]` });
  });
  if (!isPrivileged(container)) list.push(...unconfined(context, at));
  if (context.procMount === 'Unmasked') list.push({ privilege: 'unmasked-proc', path: `${at}.procMount` });
  for (const { item, index } of items(spec.ports)) {
    // On the host's network every port is the host's, and the reason for that network covers them.
    if (typeof item.hostPort === 'number' && item.hostPort !== 0 && !pod.hostNetwork)
      list.push({ privilege: `host-port.${item.hostPort}`, path: `${path}.ports[${index}].hostPort` });
  }
  return list;
}

/**
 * User 0, where it is said; beside the host's namespaces also `runAsNonRoot: false` without a user: whatever the image says
 * is then taken. Privileged, capabilities and a path of the host to write to are of use to root alone: their reasons do.
 * A container's word goes before the pod's, which is reported where a container heeds it.
 */
function asRoot(pod: Pod): Privilege[] {
  const shares = pod.hostNetwork || pod.spec.hostPID === true || pod.spec.hostIPC === true;
  const ofAll = fields(pod.spec.securityContext);
  const paths = pod.containers
    .filter((container) => !needsRoot(container, pod))
    .flatMap(({ spec, path }) => {
      const own = fields(spec.securityContext);
      const at = (field: string) => `${own[field] === undefined ? pod.path : path}.securityContext.${field}`;
      const [user, nonRoot] = [own.runAsUser ?? ofAll.runAsUser, own.runAsNonRoot ?? ofAll.runAsNonRoot];
      if (user === 0) return [at('runAsUser')];
      return shares && user === undefined && nonRoot === false ? [at('runAsNonRoot')] : [];
    });
  return [...new Set(paths)].map((path) => ({ privilege: 'root', path }));
}

function needsRoot(container: Container, pod: Pod): boolean {
  const { spec } = container;
  if (isPrivileged(container) || texts(within(spec, 'securityContext', 'capabilities').add).length > 0) return true;
  const ofHost = new Set(pod.volumes.filter((volume) => volume.spec.hostPath !== undefined).map(({ name }) => name));
  return items(spec.volumeMounts).some(({ item }) => item.readOnly !== true && ofHost.has(text(item.name) ?? ''));
}
