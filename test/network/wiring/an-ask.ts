/** Builders: a pod that is to be wired, of which a test says only what matters. */
import type { Ask, Link, Options, Plan } from '../../../lib/network/wiring/plan.ts';
import { plan } from '../../../lib/network/wiring/plan.ts';
import { isRefusal, type Refusal } from '../../../lib/network/wiring/refusal.ts';
import { INTRANET } from '../a-pool.ts';

export const POD_UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
export const aLink = (name: string, over: Partial<Link> = {}): Link => ({ name, mac: '52:54:00:00:00:01', carrier: true, ...over });

interface Over {
  readonly ask?: Partial<Ask>;
  readonly options?: Options;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly lock?: Partial<NonNullable<Ask['lock']>['spec']>;
  readonly ip?: string;
}

/** Pod feed/feed-api-0 with 10.110.0.130 on h-r12-01, which has its trunk and no VLAN yet. */
export function anAsk({ ask, options = {}, annotations = {}, lock, ip = '10.110.0.130' }: Over = {}): Ask {
  return {
    node: 'h-r12-01',
    pod: { uid: POD_UID, namespace: 'feed', name: 'feed-api-0', annotations },
    sandbox: { containerId: 'f2a4c0e1', ifname: 'eth0', netns: '/var/run/netns/cni-1' },
    lock: {
      metadata: { name: ip },
      spec: { phase: 'Locked', node: 'h-r12-01', mac: '02:67:0a:6e:00:82', owner: 'feed/feed-api', podUID: POD_UID, ...lock },
    },
    network: { pool: 'web', trunk: 'bond0' },
    pool: { shape: 'intranet', intranet: INTRANET },
    nodeIP: '10.8.1.11',
    subnets: {},
    links: { host: [aLink('lo'), aLink('bond0')], pod: [aLink('lo')] },
    options,
    ...ask,
  };
}

export const ENI_MAC = '06:3f:aa:00:00:01';

/** The same pod on an instance, with the ENI of slot 1. */
export function anEniAsk({ ask, lock, ...over }: Over = {}): Ask {
  return anAsk({
    ip: '10.16.4.21',
    lock: { mac: ENI_MAC, ...lock },
    ...over,
    ask: {
      network: {
        pool: 'burst',
        eniSlots: [{ networkCardIndex: 0, deviceIndex: 1, eniId: 'eni-0a1', mac: ENI_MAC, ip: '10.16.4.21', subnetId: 'subnet-0d1' }],
      },
      pool: { shape: 'ec2' },
      subnets: { 'subnet-0d1': '10.16.4.0/24' },
      links: { host: [aLink('lo'), aLink('ens5'), aLink('ens6', { mac: ENI_MAC })], pod: [aLink('lo')] },
      ...ask,
    },
  });
}

export function planned(ask: Ask): Plan {
  const made = plan(ask);
  if (isRefusal(made)) throw new Error(made.details);
  return made;
}

export function refused(ask: Ask): Refusal {
  const made = plan(ask);
  if (!isRefusal(made)) throw new Error('it was planned');
  return made;
}
