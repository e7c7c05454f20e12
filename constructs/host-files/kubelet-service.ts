/**
 * How the kubelet is told of its drop-ins and labels: flags, because neither is a field of KubeletConfiguration. One
 * systemd drop-in for all hosts, one environment file a rack: the overlay is what differs, not the unit.
 */
import { commented, type HostFile } from './host-file.ts';
import { CONFIG_DIR } from './kubelet-configuration.ts';
import { byKey, nodeLabels, nodeLabelsFlag } from './labels.ts';
import type { KubeletProfileProps } from './profile.ts';
import { swapUnitOf } from './swap-units.ts';

/** Read by the systemd drop-in; what a host's rack decides. */
export const ENVIRONMENT_FILE = '/etc/default/gala-kubelet';
export const SERVICE_DROP_IN = 'etc/systemd/system/kubelet.service.d/50-gala.conf';

/** The kubelet of a host that kubeadm joined: its variables stay, ours come last. */
export function kubeadmService(props: KubeletProfileProps): HostFile {
  const because = [
    "Beside kubeadm's 10-kubeadm.conf, whose variables are kept. A kubelet that is started otherwise: leave this file out and",
    `add ${ENVIRONMENT_FILE}'s flags to its command line.`,
  ];
  return service(props, because, '$KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS');
}

/** `flags`: the command line before Gala's own flags. */
export function service(props: KubeletProfileProps, because: readonly string[], flags: string): HostFile {
  const swap = swapUnitOf(props);
  const lines = [
    // The kubelet looks for swap once, when it starts.
    ...(swap === undefined ? [] : ['[Unit]', `Wants=${swap}`, `After=${swap}`, '']),
    '[Service]',
    `EnvironmentFile=${ENVIRONMENT_FILE}`,
    'ExecStart=',
    `ExecStart=/usr/bin/kubelet ${flags} $GALA_KUBELET_ARGS`,
  ];
  return { path: SERVICE_DROP_IN, text: commented(props, because, lines) };
}

/** The flags Gala adds, of the hosts of one rack or of all. */
export function kubeletFlags(props: KubeletProfileProps, rack?: string): string {
  return `--config-dir=${CONFIG_DIR} --node-labels=${nodeLabelsFlag(nodeLabels(props, rack))}`;
}

/** `etc/default/gala-kubelet`, under `racks/<rack>/` where the pool has racks. */
export function environmentFiles(props: KubeletProfileProps): readonly HostFile[] {
  const racks = rackNames(props);
  const because = ['Labels count when a node registers; on a node that is there already, use `kubectl label`.'];
  const file = (path: string, rack?: string): HostFile => ({
    path,
    text: commented(props, because, [`GALA_KUBELET_ARGS="${kubeletFlags(props, rack)}"`]),
  });
  const own = ENVIRONMENT_FILE.slice(1);
  return racks.length === 0 ? [file(own)] : racks.map((rack) => file(`racks/${rack}/${own}`, rack));
}

/** An Ansible inventory: which host takes which rack's overlay. */
export function inventory(props: KubeletProfileProps): readonly HostFile[] {
  const racks = rackNames(props);
  if (racks.length === 0) return [];
  const group = inventoryGroup(props);
  const hosts = racks.flatMap((rack) => [...(props.racks?.[rack] ?? [])].sort(byKey).map((host) => `${host} gala_rack=${iniText(rack)}`));
  return [{ path: 'inventory.ini', text: commented(props, [], [`[${group}]`, ...hosts]) }];
}

/** Ansible reads such a value as a Python literal where it is one: a rack `1e3` would become 1000.0. */
function iniText(name: string): string {
  return /^[0-9]/.test(name) ? `'"${name}"'` : name;
}

/** Ansible takes letters, digits and _ in group names. */
export function inventoryGroup({ pool }: KubeletProfileProps): string {
  return `gala_${pool.replaceAll('-', '_')}`;
}

export function rackNames({ racks }: KubeletProfileProps): readonly string[] {
  return Object.keys(racks ?? {}).sort(byKey);
}
