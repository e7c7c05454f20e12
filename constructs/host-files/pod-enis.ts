/**
 * Pod ENIs are no business of the host's own network configuration: systemd-networkd and NetworkManager would ask DHCP for an address on
 * each that is attached, and take routes of pods and of the host along. Whoever gives ENIs to pods on EC2 has met it:
 * aws/amazon-vpc-cni-k8s issues 3162 and 3524 (Amazon Linux 2023), amazonlinux/amazon-ec2-net-utils issue 100, cilium pull request 16186.
 *
 * What they have in common is the driver, and that they are not the instance's own; by which name that is called differs by instance
 * family (kubernetes/kops pull request 18642), so it is found by its MAC address at boot. A file that matched it too would leave the
 * host without a network: where it is not found, none is written. On EKS nodeadm does the same (awslabs/amazon-eks-ami pull request 1738).
 */
import type { KubeletProfileProps } from './profile.ts';

/** Before those of the distribution, of netplan (10-) and of amazon-ec2-net-utils (70-, 80-): the first that matches counts. */
export const NETWORKD_FILE = '/etc/systemd/network/05-gala-pod-enis.network';
export const NETWORK_MANAGER_FILE = '/etc/NetworkManager/conf.d/90-gala-pod-enis.conf';

/** Lines of the script that an instance runs at boot; `fact` is its own. None where another CNI wires the pods. */
export function podEniLines({ wiredBy }: Pick<KubeletProfileProps, 'wiredBy'>): string[] {
  if (wiredBy !== 'gala') return [];
  return [
    'mac=$(fact mac)',
    'nic=',
    'for each in /sys/class/net/*/address; do',
    '  if [ "$(cat "$each")" = "$mac" ]; then nic=$(basename "$(dirname "$each")"); fi',
    'done',
    'if [ -n "$nic" ]; then',
    '  mkdir -p /etc/systemd/network /etc/NetworkManager/conf.d',
    // An indented here-document would keep its blanks.
    `cat > ${NETWORKD_FILE} <<END`,
    '# ENIs of pods: all but the own one of the instance.',
    '[Match]',
    'Driver=ena',
    // Not Name=: its negation looks at alternative names too.
    'Property=!INTERFACE=$nic',
    '[Link]',
    'Unmanaged=yes',
    'END',
    `cat > ${NETWORK_MANAGER_FILE} <<END`,
    '# ENIs of pods: all but the own one of the instance.',
    '[keyfile]',
    'unmanaged-devices=driver:ena,except:mac:$mac',
    'END',
    '  if systemctl --quiet is-active systemd-networkd; then networkctl reload; fi',
    '  if systemctl --quiet is-active NetworkManager; then nmcli general reload conf; fi',
    'else',
    '  echo "no link has the MAC address $mac of this instance: pod ENIs are left to what configures its network" >&2',
    'fi',
  ];
}
