/** `etc/sysctl.d/90-gala.conf`: the kernel settings Gala's nodes need, each with its reason; nothing for taste. */
import { commented, type HostFile } from './host-file.ts';
import type { KubeletProfileProps } from './profile.ts';

export const SYSCTL_FILE = '/etc/sysctl.d/90-gala.conf';

interface Setting {
  readonly because: string;
  readonly lines: readonly string[];
}

export function sysctl(props: KubeletProfileProps): HostFile {
  const settings: Setting[] = [
    {
      because: 'kubelet, containerd and log followers watch files as one user: the kernel default of 128 instances ends at some 100 pods.',
      lines: ['fs.inotify.max_user_instances = 8192', 'fs.inotify.max_user_watches = 524288'],
    },
    {
      // net/core/neighbour.c: the table and its limits are the kernel's, not a network namespace's.
      because:
        'The neighbour table is one for all pods of the host, each with its own view of the subnet: 1024 entries overflow, and then pods lose their gateway.',
      lines: [
        'net.ipv4.neigh.default.gc_thresh1 = 8192',
        'net.ipv4.neigh.default.gc_thresh2 = 32768',
        'net.ipv4.neigh.default.gc_thresh3 = 65536',
      ],
    },
  ];
  if (props.services === 'kube-proxy')
    settings.push({
      because: 'Pods reach ClusterIPs through the host, which forwards to the endpoints.',
      lines: ['net.ipv4.ip_forward = 1'],
    });
  const lines = settings.flatMap(({ because, lines }) => ['', `# ${because}`, ...lines]);
  return { path: SYSCTL_FILE.slice(1), text: commented(props, [], lines) };
}
