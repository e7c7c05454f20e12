/**
 * Fields that may change to some values and not to others, or only while the live object is in some state.
 * Sources as in fixed.ts, and asked of a real API server by the same test.
 */
import type { KubeObject } from '../../api/manifest.ts';
import { toNumber } from '../../api/quantity.ts';
import { fields, items, texts, within } from '../shape.ts';
import type { Leaf } from './leaves.ts';

export interface Verdict {
  /** `perhaps`: it depends on live state. `kept`: accepted, and the old value stays. */
  readonly is: 'refused' | 'perhaps' | 'kept';
  readonly note: string;
}

interface OneWay {
  /** Dotted; empty for the whole object. */
  readonly path: string;
  verdict(leaf: Leaf, before: KubeObject, after: KubeObject): Verdict | undefined;
}

const refused = (note: string): Verdict => ({ is: 'refused', note });
const perhaps = (note: string): Verdict => ({ is: 'perhaps', note });

export const ONE_WAY: Readonly<Record<string, readonly OneWay[]>> = {
  ConfigMap: [{ path: '', verdict: immutableData }],
  Secret: [{ path: '', verdict: immutableData }],
  Service: [
    { path: 'spec.clusterIP', verdict: clusterAddress },
    { path: 'spec.clusterIPs', verdict: clusterAddress },
    { path: 'spec.ipFamilies', verdict: firstFamily },
    { path: 'spec.loadBalancerClass', verdict: whileLoadBalancer },
    { path: 'spec.healthCheckNodePort', verdict: whileLoadBalancer },
  ],
  PersistentVolume: [
    {
      path: 'spec.nodeAffinity',
      verdict: (_, before) =>
        within(before, 'spec').nodeAffinity === undefined
          ? undefined
          : refused('spec.nodeAffinity is immutable once it is set. Make a new volume.'),
    },
  ],
  PersistentVolumeClaim: [
    { path: 'spec.resources.requests.storage', verdict: claimSize },
    {
      path: 'spec.volumeAttributesClassName',
      verdict: () => perhaps('only a bound claim takes another volumeAttributesClassName'),
    },
    {
      path: 'spec.storageClassName',
      verdict: ({ before }) =>
        before === undefined
          ? perhaps('storageClassName can be given to a claim that has none, and the default StorageClass may have been filled in')
          : refused('spec.storageClassName is immutable. Make a new claim and move the data.'),
    },
  ],
  Job: [
    { path: 'spec.completions', verdict: completions },
    ...['metadata', 'spec.affinity', 'spec.nodeSelector', 'spec.schedulingGates', 'spec.tolerations', 'spec.containers'].map(
      (field): OneWay => ({ path: `spec.template.${field}`, verdict: suspendedTemplate }),
    ),
  ],
  Pod: [
    { path: 'spec.activeDeadlineSeconds', verdict: deadline },
    { path: 'spec.tolerations', verdict: tolerations },
    { path: 'spec.schedulingGates', verdict: gates },
    { path: 'spec.nodeSelector', verdict: whileGated },
    { path: 'spec.affinity', verdict: whileGated },
    ...['containers', 'initContainers'].map((list): OneWay => ({ path: `spec.${list}`, verdict: image })),
  ],
  StatefulSet: [{ path: 'spec.updateStrategy', verdict: leftoverRollingUpdate }],
  Deployment: [{ path: 'spec.strategy', verdict: leftoverRollingUpdate }],
  CustomResourceDefinition: [{ path: 'spec.versions', verdict: storedVersion }],
};

function immutableData({ path }: Leaf, before: KubeObject): Verdict | undefined {
  if (before.immutable !== true || path[0] === 'metadata') return undefined;
  return refused('the object is immutable. Give it a new name (a hash of its data in the name does that), or delete it first.');
}

/** A Service keeps its address while it lives. Left out, it stays as it is, which no port of a node can lead to when it is None. */
function clusterAddress({ path, before: old, after: now }: Leaf, before: KubeObject, after: KubeObject): Verdict | undefined {
  // A Service of this type has no address, so that both ways are free.
  if (within(before, 'spec').type === 'ExternalName' || within(after, 'spec').type === 'ExternalName') return undefined;
  // clusterIPs[1] is of the second family, which may come and go.
  if (path[1] === 'clusterIPs' && path[2] !== undefined && path[2] !== '[0]') return undefined;
  if (now !== undefined || (old === 'None' && NODE_PORTS.has(within(after, 'spec').type))) {
    return refused('spec.clusterIP is immutable. Delete the Service and apply again; its address is gone in between.');
  }
  return { is: 'kept', note: `the Service keeps ${path[1]} ${old} while it lives; delete it to be given another` };
}
const NODE_PORTS: ReadonlySet<unknown> = new Set(['NodePort', 'LoadBalancer']);

function firstFamily(_: Leaf, before: KubeObject, after: KubeObject): Verdict | undefined {
  const [was, is] = [before, after].map((service) => texts(within(service, 'spec').ipFamilies)[0]);
  if (is === undefined || was === is) return undefined;
  if (was === undefined) return perhaps("the first of ipFamilies is the cluster's own, and immutable");
  return refused('the first of spec.ipFamilies is immutable. Delete the Service and apply again.');
}

function whileLoadBalancer({ path }: Leaf, before: KubeObject, after: KubeObject): Verdict | undefined {
  const both = [before, after].every((service) => within(service, 'spec').type === 'LoadBalancer');
  return both ? refused(`${path.join('.')} is immutable while the type is LoadBalancer. Delete the Service and apply again.`) : undefined;
}

function claimSize({ before: old, after: now }: Leaf): Verdict | undefined {
  const [was, is] = [bytes(old), bytes(now)];
  if (was === is) return undefined;
  if (was !== undefined && is !== undefined && is > was)
    return perhaps('a claim grows once it is bound, and where its StorageClass has allowVolumeExpansion');
  return refused('a claim can grow, not shrink. Make a new claim and move the data.');
}

/** What is no quantity is left to the API server. */
function bytes(quantity: unknown): number | undefined {
  try {
    return toNumber(String(quantity));
  } catch {
    return undefined;
  }
}

function completions(_: Leaf, before: KubeObject, after: KubeObject): Verdict | undefined {
  const [was, is] = [within(before, 'spec'), within(after, 'spec')];
  const elastic = was.completionMode === 'Indexed' && was.completions !== undefined && is.completions !== undefined;
  if (elastic && is.completions === is.parallelism) return undefined;
  return refused('spec.completions is immutable, but for an Indexed Job whose parallelism changes to the same. Give the Job a new name.');
}

/** KEP-2926: directives for the scheduler, and resources since 1.35, while the Job waits for its first start. */
function suspendedTemplate({ path }: Leaf, before: KubeObject): Verdict | undefined {
  const ofContainer = path[3] === 'containers';
  const mutable = within(before, 'spec').suspend === true && (!ofContainer || path.includes('resources'));
  return mutable
    ? perhaps('where its pods go can change only before a suspended Job has started')
    : refused('spec.template is immutable. Give the Job a new name.');
}

function deadline({ before: old, after: now }: Leaf): Verdict | undefined {
  if (old === undefined || (typeof now === 'number' && now <= Number(old))) return undefined;
  return refused('spec.activeDeadlineSeconds can be set or shortened, not lengthened or taken away. Delete the Pod and apply again.');
}

function tolerations({ path, before: old }: Leaf): Verdict | undefined {
  if (path.at(-1) === 'tolerationSeconds' || (old === undefined && path.length <= 3)) return undefined;
  return refused('spec.tolerations can be added, not changed or taken away. Delete the Pod and apply again.');
}

function gates({ after: now }: Leaf): Verdict | undefined {
  return now === undefined || (Array.isArray(now) && now.length === 0)
    ? undefined
    : refused('spec.schedulingGates can be taken away, not added. Delete the Pod and apply again.');
}

function whileGated({ path }: Leaf, before: KubeObject): Verdict | undefined {
  return items(within(before, 'spec').schedulingGates).length > 0
    ? perhaps(`${path[1]} can be narrowed only while the Pod has scheduling gates`)
    : refused(`spec.${path[1]} is immutable. Delete the Pod and apply again.`);
}

/** A Pod's images may be patched in place; that is how releases keep sandbox and address. */
function image({ path }: Leaf): Verdict | undefined {
  return path.length === 4 && path[3] === 'image'
    ? undefined
    : refused(`spec.${path[1]} is immutable but for images. Delete the Pod and apply again.`);
}

/** Server-side apply leaves alone what the API server has filled in: a rollingUpdate beside a type that takes none. */
function leftoverRollingUpdate({ path }: Leaf, before: KubeObject, after: KubeObject): Verdict | undefined {
  const [, strategy = ''] = path;
  const [was, is] = [within(before, 'spec', strategy), within(after, 'spec', strategy)];
  if ((is.type !== 'OnDelete' && is.type !== 'Recreate') || was.type === is.type || was.rollingUpdate !== undefined) return undefined;
  const patch = JSON.stringify({ spec: { [strategy]: { type: is.type, rollingUpdate: null } } });
  return refused(
    `server-side apply keeps the ${strategy}.rollingUpdate that the API server filled in, and ${is.type} takes none. Run \`kubectl patch --type=merge -p '${patch}'\` on it first.`,
  );
}

/** The version that objects were stored in stays until they are migrated and status.storedVersions says so. */
function storedVersion({ path, before: old, after: now }: Leaf): Verdict | undefined {
  if (path.length !== 3 || now !== undefined) return undefined;
  return fields(old).storage === true
    ? refused('objects are stored in this version. Keep it beside the new one, served or not, until they are migrated.')
    : perhaps('a version goes only when status.storedVersions does not name it');
}
