/**
 * Needs: the privileges that a pod asks of its node, each with the reason why. What is not asked for is not given, and
 * what is given stands in the pod template as an annotation, `because.gala.internal/<privilege>: <reason>`: the summary,
 * the policy exception and the reader at 3 a.m. find the same sentence.
 */
import { BECAUSE } from '../lib/api/manifest.ts';
import type { Nonsense } from './nonsense.ts';

/** Linux 6.1, include/uapi/linux/capability.h, without `CAP_`, as Kubernetes spells them. */
export const CAPABILITIES = [
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'AUDIT_WRITE',
  'BLOCK_SUSPEND',
  'BPF',
  'CHECKPOINT_RESTORE',
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'IPC_LOCK',
  'IPC_OWNER',
  'KILL',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'MKNOD',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_RAW',
  'PERFMON',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_CHROOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

export type HostPathType = 'Directory' | 'DirectoryOrCreate' | 'File' | 'FileOrCreate' | 'Socket' | 'CharDevice' | 'BlockDevice';

export interface CapabilityNeed {
  /** Without `CAP_`. Takes effect for root only (Kubernetes sets no ambient capabilities), so the container runs as root. */
  readonly capability: Capability;
  readonly because: string;
}
/** The host's network namespace. NodeAgents and Programs have it anyway; this need gives it a reason of its own. */
export interface HostNetworkNeed {
  readonly hostNetwork: true;
  readonly because: string;
}
/** The host's process ids. */
export interface HostPidNeed {
  readonly hostPid: true;
  readonly because: string;
}
/** Everything: all capabilities, all devices, no seccomp. The last resort. */
export interface PrivilegedNeed {
  readonly privileged: true;
  readonly because: string;
}
/** User 0 without any other privilege: for images that read what only root may read. */
export interface RootNeed {
  readonly root: true;
  readonly because: string;
}
/** A path of the host. */
export interface HostPathNeed {
  /** Absolute, on the host. */
  readonly hostPath: string;
  /** Where the container sees it. @default the same path */
  readonly mountPath?: string;
  /** What the kubelet checks or makes before the pod starts. @default 'Directory': it must be there */
  readonly type?: HostPathType;
  /** `false` lets the container write, as root. @default true, submounts included */
  readonly readOnly?: boolean;
  /** Whether mounts made later are seen on the other side. @default neither way */
  readonly propagation?: 'HostToContainer' | 'Bidirectional';
  /** The volume's name. @default made of the path: `/var/lib/gala` is `var-lib-gala` */
  readonly name?: string;
  readonly because: string;
}
/** A port of the host that the pod listens on. Two pods that ask for the same one never share a node: the scheduler sees to it. */
export interface HostPortNeed {
  readonly hostPort: number;
  /** @default 'TCP' */
  readonly protocol?: 'TCP' | 'UDP';
  /** The address it listens on: `127.0.0.1` for what only this host asks. @default every address of the host */
  readonly hostIP?: string;
  readonly because: string;
}
export type Need = CapabilityNeed | HostNetworkNeed | HostPidNeed | PrivilegedNeed | RootNeed | HostPathNeed | HostPortNeed;

/** A volume's name may be this long and its annotation key, `host-path.<name>`, still fit in 63 characters. */
const MAX_VOLUME_NAME = 63 - 'host-path.'.length;

/** The name of the volume for a path of the host. */
export function volumeNameOf(need: HostPathNeed): string {
  if (need.name !== undefined) return need.name;
  const words = need.hostPath.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-|-$/g, '') || 'host-root';
}

/** `capability.BPF`, `host-path.var-lib-gala`: the annotation key's name part. */
export function privilegeOf(need: Need): string {
  if ('capability' in need) return `capability.${need.capability}`;
  if ('hostNetwork' in need) return 'host-network';
  if ('hostPid' in need) return 'host-pid';
  if ('privileged' in need) return 'privileged';
  if ('root' in need) return 'root';
  if ('hostPath' in need) return `host-path.${volumeNameOf(need)}`;
  return `host-port.${need.hostPort}`;
}

/** The reasons as annotations of the pod template, in the order of their keys. */
export function reasons(needs: readonly Need[]): Record<string, string> {
  const entries = needs.map((need) => [`${BECAUSE}/${privilegeOf(need)}`, need.because.trim()] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Whether the container runs as user 0. Writing to a path of the host counts (the kubelet gives it no other owner), as do
 * capabilities; a port, the host's network or its process ids don't.
 */
export function asRoot(needs: readonly Need[]): boolean {
  return needs.some(
    (need) => 'privileged' in need || 'capability' in need || 'root' in need || ('hostPath' in need && need.readOnly === false),
  );
}

/** What cannot work about these needs; the API server would refuse it, or the pod would not do what is written. */
export function nonsenseOfNeeds(needs: readonly Need[]): Nonsense[] {
  const found: Nonsense[] = [];
  const seen = new Set<string>();
  const privileged = needs.some((need) => 'privileged' in need);
  needs.forEach((need, index) => {
    const path = `needs[${index}]`;
    const privilege = privilegeOf(need);
    if (typeof need.because !== 'string' || need.because.trim() === '')
      found.push({
        path: `${path}.because`,
        what: `is ${JSON.stringify(need.because)}`,
        got: need.because,
        allowed: `every privilege has its reason in words, ${privilege} too`,
        remedy: 'Say what it does with it; if nothing comes to mind, leave the privilege out.',
      });
    if (seen.has(privilege))
      found.push({
        path,
        what: `repeats ${privilege}`,
        got: privilege,
        allowed: 'each privilege once',
        remedy: 'Join the two reasons.',
      });
    seen.add(privilege);
    if ('capability' in need) found.push(...nonsenseOfCapability(need, path, privileged));
    if ('hostPath' in need) found.push(...nonsenseOfHostPath(need, path, privileged));
    if ('hostPort' in need && !(Number.isInteger(need.hostPort) && need.hostPort >= 1 && need.hostPort <= 65535))
      found.push({
        path: `${path}.hostPort`,
        what: `is ${need.hostPort}`,
        got: need.hostPort,
        allowed: 'a port is 1 to 65535',
        remedy: 'Take one that nothing on the hosts listens on.',
      });
  });
  return found;
}

function nonsenseOfCapability(need: CapabilityNeed, path: string, privileged: boolean): Nonsense[] {
  const { capability } = need;
  if (!CAPABILITIES.includes(capability)) {
    const bare = String(capability).toUpperCase().replace(/^CAP_/, '') as Capability;
    const remedy = CAPABILITIES.includes(bare) ? `Write '${bare}'.` : 'See capabilities(7).';
    return [
      { path: `${path}.capability`, what: `is '${capability}'`, got: capability, allowed: 'a Linux capability without CAP_', remedy },
    ];
  }
  if (!privileged) return [];
  return [
    {
      path,
      what: `asks for ${capability} beside privileged`,
      got: capability,
      allowed: 'privileged has every capability already',
      remedy: 'Drop privileged and name the capabilities, or drop this one.',
    },
  ];
}

function nonsenseOfHostPath(need: HostPathNeed, path: string, privileged: boolean): Nonsense[] {
  const found: Nonsense[] = [];
  for (const field of ['hostPath', 'mountPath'] as const) {
    const value = need[field];
    if (value === undefined || (value.startsWith('/') && !value.split('/').includes('..') && !value.includes(':'))) continue;
    found.push({
      path: `${path}.${field}`,
      what: `is '${value}'`,
      got: value,
      allowed: 'an absolute path without .. and :',
      remedy: 'Write the whole path, /dev for example.',
    });
  }
  const name = volumeNameOf(need);
  if (name.length > MAX_VOLUME_NAME || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))
    found.push({
      path: `${path}.name`,
      what: `is '${name}'`,
      got: name,
      allowed: `lower-case letters, digits and -, at most ${MAX_VOLUME_NAME}`,
      remedy: `Give the volume of ${need.hostPath} a short name.`,
    });
  // The API server refuses it otherwise (core/validation: "Bidirectional mount propagation is available only to privileged containers").
  if (need.propagation === 'Bidirectional' && !privileged)
    found.push({
      path: `${path}.propagation`,
      what: "is 'Bidirectional' in a container that is not privileged",
      got: need.propagation,
      allowed: 'HostToContainer, or a privileged container',
      remedy: 'Add { privileged: true, because: … } if its mounts must reach the host.',
    });
  return found;
}
