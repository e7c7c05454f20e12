/**
 * Cluster definitions: what an operator types. Pure data; `intranet` and `ec2` only tag it.
 * The schema is the single source for the checks, the editor's JSON Schema and the reference page; the types below add
 * what a schema can't say: that a VLAN's racks and the capacity order name things that are there.
 */
import * as z from 'zod';
import { facts, list, object, oneOf, record, text } from './field.ts';
import { cidr, dnsLabel, httpsEndpoint, ipv4 } from './fields.ts';
import { kubelet } from './kubelet.ts';
import * as pool from './pool.ts';

/** Options of concerns, by name. A concern adds its own: `declare module 'cdk8s-gala' { interface ConcernOptions { ddos?: … } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the concerns
export interface ConcernOptions {}

const common = {
  machine: pool.machine.optional(),
  volumes: record(
    { doc: 'Local filesystems that quota volumes are cut from, by name.', max: 16 },
    pool.volumeName,
    object({ doc: 'A filesystem.' }, pool.volumeFields),
  ).optional(),
  lends: pool.lends.optional(),
  locks: pool.locks,
  cni: dnsLabel(
    'Who wires the pods of this pool: `gala`, or another CNI, which owns their addresses then. When left out: `existing.cni`, and Gala where there is none.',
    'gala',
  ).optional(),
  swap: oneOf(['none', 'limited'], {
    doc: 'Whether containers may swap, each in proportion to its memory request; `limited` where the machine has swap, when left out.',
    example: 'limited',
  }).optional(),
  swapOn: oneOf(['file', 'zram'], { doc: 'What the swap lives on; a file when left out.', example: 'zram' }).optional(),
  kubelet: kubelet.optional(),
};

const racked = object(
  { doc: 'Racked hosts behind VLAN trunks.' },
  {
    shape: z.literal('intranet'),
    datacenter: pool.datacenter.optional(),
    racks: record(
      { doc: 'Racks by name, each with its hosts as a nodeset.', noun: 'one rack or more', min: 1, max: 256 },
      pool.rackName,
      pool.rackHosts,
    ),
    trunk: pool.trunk,
    vlans: record(
      { doc: 'VLANs by 802.1Q id.', noun: 'one VLAN or more', min: 1, max: 256 },
      pool.vlanKey,
      object({ doc: 'A VLAN.' }, pool.vlanFields),
    ),
    macsPerPort: pool.macsPerPort,
    ...common,
  },
);

const launched = object(
  { doc: 'EC2 instances with one ENI a pod.' },
  {
    shape: z.literal('ec2'),
    ...pool.ec2Fields,
    zones: record(
      { doc: 'Availability zones by name.', noun: 'one zone or more', min: 1, max: 16 },
      pool.zoneName,
      object({ doc: 'A zone.' }, pool.zoneFields),
    ),
    ...common,
  },
);

const shaped = z.discriminatedUnion('shape', [racked, launched]);
facts.add(shaped, { doc: 'A pool of hosts.', noun: 'intranet({ … }) or ec2({ … })', remedy: 'Say which of the two the hosts are.' });

const word = (doc: string, example: string) => dnsLabel(doc, example).optional();

/** Everything of a definition but the options of concerns, which each concern describes itself. */
export const definition = object(
  { doc: 'One cluster.' },
  {
    name: dnsLabel('Name of the cluster and of its folder under `dist/`.', 'bj-a', 40),
    kubernetes: oneOf(pool.MINORS, { doc: 'Minor version of Kubernetes.', example: '1.37' }),
    apiServer: httpsEndpoint(
      "URL of the API server as hosts reach it: Gala's programs start before there is a Service.",
      'https://10.8.0.10:6443',
    ),
    services: oneOf(['none', 'kube-proxy'], { doc: 'Who makes ClusterIPs work: nobody, or kube-proxy.', default: 'none', example: 'none' }),
    serviceCidr: cidr(
      "The range of the ClusterIPs: the API server's `--service-cluster-ip-range`, kubeadm's `serviceSubnet`. Needed where Gala wires pods beside kube-proxy: they reach it through their node.",
      '10.96.0.0/12',
    ).optional(),
    dns: object(
      { doc: 'Names of the cluster, where there is no kube-proxy.' },
      {
        upstream: list(
          {
            doc: "Addresses that cluster DNS answers on, on port 53, and that nodes reach: CoreDNS on the control plane's host network. With them each node that Gala wires pods on runs a DNS cache that asks them, and pods ask the cache.",
            noun: '1 to 15 addresses',
            min: 1,
            // CoreDNS' plugin forward takes no more.
            max: 15,
            set: 'ordered',
          },
          ipv4('Address of a cluster DNS.', '10.8.0.10'),
        ),
      },
    ).optional(),
    registry: text({
      doc: 'The mirror that all images are pulled from.',
      max: 253,
      pattern: /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(\/[a-z0-9]([-a-z0-9._]*[a-z0-9])?)*$/,
      noun: 'host[:port][/path], without https://',
      example: 'harbor.bj.intra/gala',
    }).optional(),
    metrics: object(
      { doc: 'Where numbers go.' },
      {
        remoteWrite: text({
          doc: 'Prometheus remote-write endpoint.',
          max: 1024,
          pattern: /^https?:\/\/[^\s@?#]+$/,
          noun: 'a URL without user, password or query',
          remedy: 'Secrets never stand in a definition.',
          example: 'https://prom.bj.intra/api/v1/write',
        }).optional(),
      },
    ).optional(),
    existing: object(
      { doc: 'What the cluster has already and who owns it.' },
      {
        cni: word('Another CNI owns the addresses, on all pools that do not say otherwise.', 'calico'),
        monitoring: word('Gala adds only what it lacks.', 'kube-prometheus'),
        nodes: word('Who launches nodes.', 'karpenter'),
        gitops: word('Who applies the manifests.', 'argo-cd'),
      },
    ).optional(),
    concerns: list(
      { doc: 'Which concerns to install; all when left out.', max: 64, set: true },
      dnsLabel('A concern.', 'scheduling'),
    ).optional(),
    pools: record({ doc: 'Host pools by name. `{}`: whatever nodes exist.', max: 256 }, pool.poolName, shaped),
    capacityOrder: list(
      { doc: 'Which pool is asked for capacity first; by name when left out.', max: 256, set: 'ordered' },
      pool.poolName,
    ).optional(),
  },
);

/** A checked definition with its defaults, still in the form it was typed. */
export type Checked = z.output<typeof definition>;
export type CheckedPool = Checked['pools'][string];

type Data<T> = T extends (infer I)[] ? readonly Data<I>[] : T extends object ? { readonly [K in keyof T]: Data<T[K]> } : T;
type Typed = Data<z.input<typeof definition>>;
type Racked = Data<z.input<typeof racked>>;
type Launched = Data<z.input<typeof launched>>;
type VlanOf<Rack extends string> = Omit<Racked['vlans'][string], 'racks'> & { readonly racks?: readonly NoInfer<Rack>[] };

/** An intranet pool as typed; `Rack` are the names of its racks. */
export type IntranetDefinition<Rack extends string = string> = Omit<Racked, 'shape' | 'racks' | 'vlans'> & {
  readonly racks: { readonly [R in Rack]: string };
  readonly vlans: { readonly [id: number]: VlanOf<Rack> };
};
/** An EC2 pool as typed. */
export type Ec2Definition = Omit<Launched, 'shape'>;
export type PoolDefinition = ({ readonly shape: 'intranet' } & IntranetDefinition) | ({ readonly shape: 'ec2' } & Ec2Definition);

/** A cluster as typed; `Pool` are the names of its pools. */
export type ClusterDefinition<Pool extends string = string> = Omit<Typed, 'pools' | 'capacityOrder' | 'concerns'> &
  ConcernOptions & {
    readonly pools: { readonly [P in Pool]: PoolDefinition };
    readonly capacityOrder?: readonly NoInfer<Pool>[];
    readonly concerns?: readonly string[];
  };

/**
 * A pool of racked hosts behind VLAN trunks. Only tags the data.
 * @example intranet({ racks: { r12: 'bj-a-r12-[01-16]' }, trunk: 'bond0', vlans: { 110: { … } } })
 */
export function intranet<const Rack extends string>(
  pool: IntranetDefinition<Rack>,
): { readonly shape: 'intranet' } & IntranetDefinition<Rack> {
  return { shape: 'intranet', ...pool };
}

/** A pool of EC2 instances, one ENI a pod. Only tags the data. */
export function ec2(pool: Ec2Definition): { readonly shape: 'ec2' } & Ec2Definition {
  return { shape: 'ec2', ...pool };
}

/**
 * A cluster definition. Returns its input: nothing is checked until it is rendered, so that every problem of every
 * definition comes in one list.
 */
export function defineCluster<const Pool extends string>(cluster: ClusterDefinition<Pool>): ClusterDefinition<Pool> {
  return cluster;
}
