/** Options of a pod's links that the definition gives: of its address's VLAN, or of the zone that its ENI's subnet is in. Pure. */
import type { HostPool, NodeNetwork } from '../../api/kinds.ts';
import { toNumber } from '../../api/range.ts';
import { layoutOf } from '../layout.ts';
import type { Options } from './plan.ts';

type Said = Omit<Options, 'throughNode'>;

/**
 * @param ip the pod's address; undefined: none is locked yet
 * @param slots ENIs of the node
 */
export function optionsOf(
  { intranet, ec2 }: Pick<HostPool['spec'], 'intranet' | 'ec2'>,
  ip: string | undefined,
  slots: NodeNetwork['spec']['eniSlots'],
): Said {
  if (ip === undefined) return {};
  if (intranet !== undefined) {
    const at = layoutOf(intranet).vlanOf(toNumber(ip));
    const vlan = intranet.vlans.find(({ id }) => id === at?.id);
    return said({ mtu: vlan?.mtu, routes: vlan?.routes, ipv6Prefix: vlan?.ipv6Prefix });
  }
  // Which zone a node is in is said nowhere nearer: a subnet lies in one (vpc/latest/userguide, "Subnets for your VPC").
  const subnet = slots?.find((slot) => slot.ip === ip)?.subnetId;
  return said({ mtu: ec2?.mtu, routes: ec2?.zones.find(({ podSubnetId }) => podSubnetId === subnet)?.routes });
}

const said = (options: { readonly [Key in keyof Said]: Said[Key] | undefined }): Said =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
