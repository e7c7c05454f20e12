/**
 * What the API server refuses to change, as far as it is known without asking it.
 * Sources: the Validate…Update functions in pkg/apis/<group>/validation of Kubernetes; for custom kinds the CRD's own
 * transition rules (x-kubernetes-validations with oldSelf).
 */
import type { KubeObject } from '../../api/manifest.ts';
import { toNumber } from '../../api/quantity.ts';
import { fields, items, text, within } from '../shape.ts';
import type { Leaf } from './leaves.ts';

interface Fixed {
  /** Dotted paths; what lies below one is fixed too. */
  readonly paths: readonly string[];
  /** Paths below these that may change after all. */
  readonly except?: readonly string[];
  readonly remedy: string;
}

const DELETE_FIRST = 'Delete the object and apply again; nothing that runs depends on it.';
const KEEP_PODS = 'Give it a new name, or `kubectl delete --cascade=orphan` it first so that its pods stay.';

const FIXED: Readonly<Record<string, Fixed>> = {
  DaemonSet: { paths: ['spec.selector'], remedy: KEEP_PODS },
  Deployment: { paths: ['spec.selector'], remedy: KEEP_PODS },
  ReplicaSet: { paths: ['spec.selector'], remedy: KEEP_PODS },
  StatefulSet: {
    paths: ['spec.selector', 'spec.volumeClaimTemplates', 'spec.serviceName', 'spec.podManagementPolicy'],
    remedy: KEEP_PODS,
  },
  Job: {
    paths: ['template', 'selector', 'completionMode', 'podFailurePolicy', 'successPolicy', 'backoffLimitPerIndex', 'managedBy'].map(
      (field) => `spec.${field}`,
    ),
    remedy: 'Give the Job a new name.',
  },
  Pod: {
    paths: ['spec'],
    except: ['spec.activeDeadlineSeconds', 'spec.terminationGracePeriodSeconds', 'spec.tolerations', 'spec.schedulingGates'],
    remedy: 'Delete the Pod and apply again.',
  },
  PersistentVolumeClaim: {
    paths: ['spec'],
    except: ['spec.resources', 'spec.volumeAttributesClassName'],
    remedy: 'Make a new claim and move the data.',
  },
  StorageClass: {
    paths: ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'],
    remedy: 'Delete the object and apply again; bound volumes stay as they are.',
  },
  CSIDriver: { paths: ['spec.attachRequired', 'spec.volumeLifecycleModes'], remedy: DELETE_FIRST },
  PriorityClass: {
    paths: ['value', 'preemptionPolicy'],
    remedy: 'Delete the object and apply again; running pods keep the priority they have.',
  },
  RoleBinding: { paths: ['roleRef'], remedy: 'Delete the binding and apply again; in between its subjects have no permission.' },
  ClusterRoleBinding: { paths: ['roleRef'], remedy: 'Delete the binding and apply again; in between its subjects have no permission.' },
  RuntimeClass: { paths: ['handler'], remedy: 'Give it a new name.' },
  IngressClass: { paths: ['spec.controller'], remedy: DELETE_FIRST },
  Secret: { paths: ['type'], remedy: DELETE_FIRST },
  CustomResourceDefinition: {
    paths: ['spec.scope', 'spec.group', 'spec.names.plural', 'spec.names.kind'],
    remedy: 'Add a new kind beside it and move the objects: deleting a CRD deletes every object of it.',
  },
};

export interface Refusal {
  readonly leaf: Leaf;
  readonly note: string;
}

/** Differences that the API server refuses. `crd`: of the object's kind, where it is known. */
export function refusals(before: KubeObject, changed: readonly Leaf[], crd: KubeObject | undefined): Refusal[] {
  return changed.flatMap((leaf): Refusal[] => {
    const note =
      fixedField(before.kind, leaf) ??
      unchangeableData(before, leaf) ??
      clusterAddress(before, leaf) ??
      shrunkClaim(before, leaf) ??
      transition(before, leaf, crd, 'always');
    return note === undefined ? [] : [{ leaf, note }];
  });
}

/** A rule of the CRD that may refuse the difference, depending on what the live object's status says. */
export function conditional(before: KubeObject, leaf: Leaf, crd: KubeObject | undefined): string | undefined {
  return transition(before, leaf, crd, 'sometimes');
}

function fixedField(kind: string, leaf: Leaf): string | undefined {
  const fixed = Object.hasOwn(FIXED, kind) ? FIXED[kind] : undefined;
  if (fixed === undefined || !fixed.paths.some((path) => isBelow(leaf, path)) || fixed.except?.some((path) => isBelow(leaf, path)))
    return undefined;
  // A Pod's images may be patched in place; that is how releases keep sandbox and address.
  if (kind === 'Pod' && leaf.path.at(-1) === 'image') return undefined;
  return `${fixed.paths.find((path) => isBelow(leaf, path))} is immutable. ${fixed.remedy}`;
}

function isBelow({ path }: Leaf, of: string): boolean {
  return of.split('.').every((key, index) => path[index] === key);
}

function unchangeableData(before: KubeObject, { path }: Leaf): string | undefined {
  if ((before.kind !== 'ConfigMap' && before.kind !== 'Secret') || before.immutable !== true || path[0] === 'metadata') return undefined;
  return 'the object is immutable. Give it a new name (a hash of its data in the name does that), or delete it first.';
}

/** A Service keeps its address while it lives; giving one that had none, or letting the server choose, is no change of it. */
function clusterAddress(before: KubeObject, { path, before: old, after: now }: Leaf): string | undefined {
  if (before.kind !== 'Service' || path.join('.') !== 'spec.clusterIP') return undefined;
  if (old === undefined && now !== 'None') return undefined;
  return 'spec.clusterIP is immutable. Delete the Service and apply again; its address is gone in between.';
}

function shrunkClaim(before: KubeObject, { path, before: old, after: now }: Leaf): string | undefined {
  if (before.kind !== 'PersistentVolumeClaim' || path.join('.') !== 'spec.resources.requests.storage') return undefined;
  const [was, is] = [bytes(old), bytes(now)];
  return was !== undefined && is !== undefined && is < was
    ? 'a claim can grow, not shrink. Make a new claim and move the data.'
    : undefined;
}

/** What is no quantity is left to the API server. */
function bytes(quantity: unknown): number | undefined {
  try {
    return toNumber(String(quantity));
  } catch {
    return undefined;
  }
}

/** `self == oldSelf`, `self.mac == oldSelf.mac`, or the same with has() on both sides for an optional field. */
const NEVER_CHANGES =
  /^(?:has\(self\.(\w+)\) == has\(oldSelf\.\1\) && \(!has\(self\.\1\) \|\| self\.\1 == oldSelf\.\1\)|self(?:\.(\w+))? == oldSelf(?:\.\2)?)$/;

/** Walks the CRD's schema down to the difference and reads the transition rules on the way. */
function transition(before: KubeObject, leaf: Leaf, crd: KubeObject | undefined, when: 'always' | 'sometimes'): string | undefined {
  const version = before.apiVersion.split('/')[1];
  const served = items(within(crd, 'spec').versions).find(({ item }) => item.name === version);
  let schema = within(served?.item, 'schema', 'openAPIV3Schema');
  for (const [depth, key] of leaf.path.entries()) {
    for (const { item } of items(schema['x-kubernetes-validations'])) {
      const rule = text(item.rule) ?? '';
      if (!rule.includes('oldSelf') || item.optionalOldSelf === true) continue;
      const said = text(item.message) ?? 'the CRD has a rule against it';
      const never = NEVER_CHANGES.exec(rule);
      const field = never?.[1] ?? never?.[2];
      if (when === 'always' && never !== null && (field === undefined || field === key)) return `${said}.`;
      const below = leaf.path.slice(depth).filter((step) => !step.startsWith('['));
      if (when === 'sometimes' && never === null && below.every((step) => new RegExp(`\\.${step}\\b`).test(rule)))
        return `may be refused: ${said}`;
    }
    schema = key.startsWith('[') ? fields(schema.items) : fields(fields(schema.properties)[key] ?? schema.additionalProperties);
  }
  return undefined;
}
