/**
 * Volume claims: what is known of the PersistentVolumeClaims that a pod names, so that it gets a slot where its volumes are. Pure;
 * watch-claims.ts reads them. Once a pod is pinned anywhere else kube-scheduler refuses it for good ("node(s) had volume node affinity
 * conflict"; kubernetes, plugins/volumebinding/binder.go).
 */
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { Manifest } from '../../api/manifest.ts';
import type { PodFacts } from '../facts.ts';
import { onNode } from '../node-terms.ts';
import type { NodeTerm } from '../types.ts';
import { type Claim, claimOf } from '../volumes.ts';
import { type Refusal, sayClaimLeaves, sayClaimsUnread, sayNoClaim, sayNotBound, sayNoVolume } from './refusal.ts';

/** As much of a claim as is kept. */
export interface ClaimFacts extends Omit<Claim, 'nodeTerms'> {
  /** `spec.volumeName`. */
  readonly volume?: string;
  /** Its deletion has begun. */
  readonly leaving?: boolean;
}

export interface VolumeClaims {
  /** Asked for the first time, it begins to read. */
  hasSynced(): boolean;
  /** @param key `<namespace>/<name>` */
  claim(key: string): ClaimFacts | undefined;
  /** Node affinity of a PersistentVolume. Empty: reachable from everywhere. */
  volume(name: string): readonly NodeTerm[] | undefined;
}

/** The claims of a pod, in the order of its volumes; or why it has to wait for one of them. */
export function claimsOf({ namespace, claims = [] }: PodFacts, known: VolumeClaims): readonly Claim[] | Refusal {
  if (claims.length === 0) return [];
  if (!known.hasSynced()) return sayClaimsUnread();
  const found: Claim[] = [];
  for (const name of claims) {
    const key = `${namespace}/${name}`;
    const claim = known.claim(key);
    if (claim === undefined) return sayNoClaim(key);
    const { volume, leaving, selectedNode, ...facts } = claim;
    // "persistentvolumeclaim %q is being deleted": kube-scheduler has no node for its pods (plugins/volumebinding, podHasPVCs).
    if (leaving) return sayClaimLeaves(key);
    // "Prebound PVCs are treated as unbound immediate binding": kube-scheduler waits for the binding, wherever the pod is pinned
    // (kubernetes, plugins/volumebinding/binder.go, GetPodVolumeClaims).
    if (volume !== undefined && !claim.bound) return sayNotBound(key, volume);
    if (volume === undefined) {
      // Its volume is being made for that node, and kube-scheduler takes no other (binder.go, FindPodVolumes: "selectedNode != node.Name").
      found.push({ ...facts, nodeTerms: selectedNode === undefined ? [] : [onNode(selectedNode)], selectedNode });
      continue;
    }
    const nodeTerms = known.volume(volume);
    if (nodeTerms === undefined) return sayNoVolume(key, volume);
    found.push({ ...facts, nodeTerms });
  }
  return found;
}

/** kube-scheduler writes it where a volume is to be made, and takes it away where that fails (k8s.io/component-helpers/storage/volume). */
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** Nodes that volumes are being made for: a pod that has one of these claims may be on that node alone. */
export const selectedNodes = (claims: readonly Claim[]): readonly string[] => claims.flatMap(({ selectedNode }) => selectedNode ?? []);

export function claimFacts(claim: Manifest<V1PersistentVolumeClaim>): ClaimFacts {
  const { storageClassName, bytes, bound } = claimOf(claim);
  const { annotations, deletionTimestamp } = claim.metadata ?? {};
  return {
    ...{ storageClassName, bytes, bound },
    volume: claim.spec?.volumeName || undefined,
    selectedNode: annotations?.[SELECTED_NODE] || undefined,
    leaving: deletionTimestamp !== undefined && deletionTimestamp !== null,
  };
}

export const volumeTerms = (volume: Manifest<V1PersistentVolume>): readonly NodeTerm[] => claimOf({}, volume).nodeTerms;

/** Where nobody reads them. */
export const NO_CLAIMS: VolumeClaims = { hasSynced: () => true, claim: () => undefined, volume: () => undefined };
