/**
 * What `gala scheduler` may do at the API server, rule by rule; docs/stock-api.md has the same list for those who run it. What
 * the kube-scheduler in the same pod may do is upstream's own roles.
 */
import { HostPool, IPLock, Lock, NodeNetwork } from '../../lib/api/kinds.ts';
import { API_CA, WRITER_LEASE } from '../../lib/api/scheduling.ts';
import type { Permission, Target, Verb } from '../permission.ts';
import { SYSTEM_NAMESPACE } from '../platform.ts';

const FOLLOW: readonly Verb[] = ['get', 'list', 'watch'];
const of = (group: string, resource: string): Target => ({ group, resource });

/** What there is and what is promised. */
const FOLLOWED: readonly Permission[] = [
  { verbs: FOLLOW, on: of('', 'nodes'), because: 'stock is counted and pods are placed node by node' },
  { verbs: FOLLOW, on: of('', 'pods'), because: 'what pods ask for is what nodes have no more; it places those behind the gate' },
  { verbs: FOLLOW, on: of('', 'namespaces'), because: 'affinity may select the namespaces of other pods by labels' },
  { verbs: FOLLOW, on: of('apps', 'statefulsets'), because: 'an ordinal that may come back keeps its address; podFrom may name one' },
  { verbs: FOLLOW, on: of('storage.k8s.io', 'csistoragecapacities'), because: 'local volumes fit where there is space for them' },
  {
    verbs: ['list', 'watch'],
    on: of('', 'persistentvolumeclaims'),
    because: 'a pod is pinned where the volumes of its claims are; followed from the first waiting pod on that names one',
  },
  {
    verbs: ['list', 'watch'],
    on: of('', 'persistentvolumes'),
    because: 'a volume says which nodes reach it; followed together with the claims',
  },
  { verbs: FOLLOW, on: HostPool, because: 'a pool says whose addresses its nodes have, and which' },
  { verbs: FOLLOW, on: NodeNetwork, because: 'an instance has the addresses of its ENIs' },
  { verbs: FOLLOW, on: Lock, because: 'a Lock is what is asked for' },
  { verbs: FOLLOW, on: IPLock, because: 'an address that has one is taken' },
];

const WRITTEN: readonly Permission[] = [
  {
    verbs: ['patch', 'delete'],
    on: of('', 'pods'),
    because: 'it pins a pod and lets it through the gate; one that its node refuses it deletes',
  },
  { verbs: ['update', 'patch'], on: Lock, subresource: 'status', because: 'it says which slots it found, and why not more' },
  {
    verbs: ['create', 'patch', 'delete'],
    on: Lock,
    because: 'its API makes, renews and deletes them for those who may; it clears away what expired',
  },
  { verbs: ['create', 'update', 'patch', 'delete'], on: IPLock, because: 'an address is locked by creating one and freed by deleting it' },
  { verbs: ['create', 'patch'], on: of('events.k8s.io', 'events'), because: 'why a pod waits is told in its events' },
];

/** Kinds that a Lock may name by podFrom, beyond those that are followed. */
const TEMPLATES: readonly Permission[] = [
  { verbs: ['get'], on: of('', 'podtemplates'), because: 'the podFrom of a Lock may name one' },
  { verbs: ['get'], on: of('apps', 'deployments'), because: 'the podFrom of a Lock may name one' },
  { verbs: ['get'], on: of('apps', 'replicasets'), because: 'the podFrom of a Lock may name one' },
  { verbs: ['get'], on: of('batch', 'jobs'), because: 'the podFrom of a Lock may name one' },
];

const CALLERS: readonly Permission[] = [
  { verbs: ['create'], on: of('authentication.k8s.io', 'tokenreviews'), because: 'it asks the API server who calls its own API' },
  {
    verbs: ['create'],
    on: of('authorization.k8s.io', 'subjectaccessreviews'),
    because: 'it asks whether the caller may do that to Locks himself',
  },
];

/** @param apiCertificate Secret that the site brings; without one it makes an authority of its own */
export function schedulerMay(apiCertificate: string | undefined): readonly Permission[] {
  const here = { namespace: SYSTEM_NAMESPACE };
  const [secrets, configMaps, leases] = [of('', 'secrets'), of('', 'configmaps'), of('coordination.k8s.io', 'leases')];
  const certificate: readonly Permission[] =
    apiCertificate === undefined
      ? [
          {
            ...here,
            verbs: [...FOLLOW, 'update'],
            on: secrets,
            resourceNames: [API_CA],
            because: 'the authority of its API, which it renews',
          },
          // `create` can't be limited to a name; the namespace is Gala's own.
          { ...here, verbs: ['create'], on: secrets, because: `it makes the authority of its API, Secret ${API_CA}` },
        ]
      : [
          {
            ...here,
            verbs: FOLLOW,
            on: secrets,
            resourceNames: [apiCertificate],
            because: 'the certificate of its API, which the site renews',
          },
        ];
  return [
    ...FOLLOWED,
    ...WRITTEN,
    ...TEMPLATES,
    ...CALLERS,
    // `create` comes with the Lease of kube-scheduler, in the same namespace.
    {
      ...here,
      verbs: ['get', 'update'],
      on: leases,
      resourceNames: [WRITER_LEASE],
      because: `one lock writer leads by the Lease ${WRITER_LEASE}`,
    },
    ...certificate,
    {
      ...here,
      verbs: [...FOLLOW, 'update'],
      on: configMaps,
      resourceNames: [API_CA],
      because: 'it tells callers which authority to trust',
    },
    { ...here, verbs: ['create'], on: configMaps, because: `it makes the ConfigMap ${API_CA} for callers` },
  ];
}
