/** Result: what ADD answers for a plan that was done, in the words of the version that was asked. Pure. */
import { type Plan, VETH, vethNames } from './plan.ts';

/** "Success" of the CNI specification; 0.4.0 also has the family of each address. */
export interface CniResult {
  readonly cniVersion: string;
  readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly mtu?: number; readonly sandbox?: string }[];
  readonly ips: readonly {
    readonly version?: '4' | '6';
    readonly address: string;
    readonly gateway?: string;
    readonly interface: number;
  }[];
  readonly routes: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns: Readonly<Record<string, never>>;
}

interface Sandbox {
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
}

export function resultOf({ steps, place }: Plan, { containerId, ifname, netns }: Sandbox, cniVersion: string): CniResult {
  const { host, hostMac, podMac } = vethNames(containerId, ifname);
  const on = (link: string) =>
    steps.flatMap((step) => ('where' in step && step.where === 'pod' && 'link' in step && step.link === link ? [step] : []));
  const routes = on(ifname).flatMap((step) =>
    step.do === 'route' ? [{ dst: step.to, ...(step.via === undefined ? {} : { gw: step.via }) }] : [],
  );
  // The router of a family is the one that everything goes by.
  const gateway = (everything: string) => routes.find(({ dst }) => dst === everything)?.gw;
  const ips = steps.flatMap((step) => {
    if (step.do !== 'address') return [];
    const isIPv6 = step.address.includes(':');
    const by = gateway(isIPv6 ? '::/0' : '0.0.0.0/0');
    return [
      {
        ...(cniVersion === '0.4.0' ? { version: isIPv6 ? ('6' as const) : ('4' as const) } : {}),
        ...{ address: step.address, ...(by === undefined ? {} : { gateway: by }), interface: 0 },
      },
    ];
  });
  const mtu = on(ifname).flatMap((step) => (step.do === 'mtu' ? [step.bytes] : []))[0];
  return {
    cniVersion,
    interfaces: [
      // `mtu` of an interface came with 1.1.0.
      { name: ifname, mac: place.mac, ...(mtu === undefined || cniVersion !== '1.1.0' ? {} : { mtu }), sandbox: netns },
      { name: host, mac: hostMac },
      { name: VETH, mac: podMac, sandbox: netns },
    ],
    ips,
    routes,
    dns: {},
  };
}
