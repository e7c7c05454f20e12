/**
 * What a pod's volumes ask of nodes: space of local-volume classes, as supplies `storage/<class>`, and the nodes that volumes
 * which exist already are tied to. Claims by name are only known to those who can look them up.
 */

import { both, nodeTermsOf } from './node-terms.ts';
import { type Fields, type Reader, reader } from './reading.ts';
import { amountOf } from './requests.ts';
import type { Demand, NodeTerm } from './types.ts';

/** A PersistentVolumeClaim as it stands now. */
export interface Claim {
  readonly storageClassName?: string;
  /** `spec.resources.requests.storage`, in bytes. */
  readonly bytes: number;
  /** It has its volume: nothing is asked any more, but the pod must go where the volume is. */
  readonly bound: boolean;
  /** Node affinity of the bound volume; of one that isn't bound the node that it is being made for. Empty: any node. */
  readonly nodeTerms: readonly NodeTerm[];
  /** Of one that isn't bound: annotation `volume.kubernetes.io/selected-node`. */
  readonly selectedNode?: string;
}

/** The supply of a StorageClass. */
export const storageSupply = (storageClassName: string): string => `storage/${storageClassName}`;

export interface ClaimedVolumes {
  /** Bytes by supply. */
  readonly space: ReadonlyMap<string, number>;
  /** Names of the claims the pod refers to. */
  readonly claims: readonly string[];
}

/** Generic ephemeral volumes, whose claims are made with the pod, and the claims that it names. */
export function volumesOf(list: unknown, defaultClass: string | undefined, read: Reader, path: string): ClaimedVolumes {
  const space = new Map<string, number>();
  const claims: string[] = [];
  for (const { item, path: at } of read.items(list, path)) {
    const claimName = read.text(read.fields(item.persistentVolumeClaim, at).claimName, `${at}.persistentVolumeClaim.claimName`);
    if (claimName !== undefined) claims.push(claimName);
    if (item.ephemeral === undefined || item.ephemeral === null) continue;
    const template = read.fields(read.fields(item.ephemeral, `${at}.ephemeral`).volumeClaimTemplate, `${at}.ephemeral.volumeClaimTemplate`);
    addSpace(space, template, defaultClass, read, `${at}.ephemeral.volumeClaimTemplate`);
  }
  return { space, claims };
}

/** `volumeClaimTemplates` of a StatefulSet: each of its pods has one of each. */
export function templatesOf(list: unknown, defaultClass: string | undefined, read: Reader, path: string): ReadonlyMap<string, number> {
  const space = new Map<string, number>();
  for (const { item, path: at } of read.items(list, path)) addSpace(space, item, defaultClass, read, at);
  return space;
}

/** A class that isn't named is the cluster's default one; where that isn't known, nothing can be counted. */
function addSpace(space: Map<string, number>, claim: Fields, defaultClass: string | undefined, read: Reader, path: string): void {
  const spec = read.fields(claim.spec, `${path}.spec`);
  const name = read.text(spec.storageClassName, `${path}.spec.storageClassName`) ?? defaultClass;
  const at = `${path}.spec.resources.requests`;
  const { storage } = read.fields(read.fields(spec.resources, `${path}.spec.resources`).requests, at);
  const bytes = amountOf('storage', storage, read, `${at}.storage`);
  if (name === undefined || name === '' || bytes === undefined || bytes === 0) return;
  space.set(storageSupply(name), (space.get(storageSupply(name)) ?? 0) + bytes);
}

/**
 * A demand with the claims of its pod looked up: what isn't bound asks for its space, what is bound, or being made for a node, ties
 * the pod to the nodes that reach its volume. For pods whose facts name `claims`.
 */
export function withClaims(demand: Demand, claims: readonly Claim[]): Demand {
  const requests = new Map(demand.requests);
  let { nodeTerms } = demand;
  for (const { bound, storageClassName, bytes, nodeTerms: where } of claims) {
    nodeTerms = both(nodeTerms, where);
    if (!bound && storageClassName !== undefined && storageClassName !== '' && bytes > 0)
      requests.set(storageSupply(storageClassName), (requests.get(storageSupply(storageClassName)) ?? 0) + bytes);
  }
  return { ...demand, requests, nodeTerms };
}

/** A claim from its objects: the PersistentVolumeClaim, and the PersistentVolume it is bound to where it is. */
export function claimOf(claim: unknown, volume?: unknown): Claim {
  const read = reader();
  const { spec, status } = read.fields(claim, '') as Record<string, unknown>;
  const { storageClassName, resources, volumeName } = read.fields(spec, 'spec');
  const asked = read.fields(read.fields(resources, 'spec.resources').requests, 'spec.resources.requests').storage;
  const affinity = read.fields(read.fields(read.fields(volume, '').spec, 'spec').nodeAffinity, 'spec.nodeAffinity');
  return {
    storageClassName: read.text(storageClassName, 'spec.storageClassName'),
    bytes: asked === undefined ? 0 : (amountOf('storage', asked, read, 'spec.resources.requests.storage') ?? 0),
    bound: read.fields(status, 'status').phase === 'Bound' && typeof volumeName === 'string' && volumeName !== '',
    nodeTerms: nodeTermsOf(affinity.required, read, 'spec.nodeAffinity.required'),
  };
}
