/**
 * Volume claims: what is known of the PersistentVolumeClaims that a pod names, so that it gets a slot where its volumes are. Pure;
 * watch-claims.ts reads them. Once a pod is pinned anywhere else kube-scheduler refuses it for good ("node(s) had volume node affinity
 * conflict"; kubernetes, plugins/volumebinding/binder.go).
 */
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { Manifest } from '../../api/manifest.ts';
import type { PodFacts } from '../facts.ts';
import type { NodeTerm } from '../types.ts';
import { type Claim, claimOf } from '../volumes.ts';
import { type Refusal, sayClaimsUnread, sayNoClaim, sayNotBound, sayNoVolume } from './refusal.ts';

/** As much of a claim as is kept. */
export interface ClaimFacts extends Omit<Claim, 'nodeTerms'> {
  /** `spec.volumeName`. */
  readonly volume?: string;
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
    const { volume, ...facts } = claim;
    // "Prebound PVCs are treated as unbound immediate binding": kube-scheduler waits for the binding, wherever the pod is pinned
    // (kubernetes, plugins/volumebinding/binder.go, GetPodVolumeClaims).
    if (volume !== undefined && !claim.bound) return sayNotBound(key, volume);
    const nodeTerms = volume === undefined ? [] : known.volume(volume);
    if (nodeTerms === undefined) return sayNoVolume(key, volume);
    found.push({ ...facts, nodeTerms });
  }
  return found;
}

export function claimFacts(claim: Manifest<V1PersistentVolumeClaim>): ClaimFacts {
  const { storageClassName, bytes, bound } = claimOf(claim);
  return { storageClassName, bytes, bound, volume: claim.spec?.volumeName || undefined };
}

export const volumeTerms = (volume: Manifest<V1PersistentVolume>): readonly NodeTerm[] => claimOf({}, volume).nodeTerms;

/** Where nobody reads them. */
export const NO_CLAIMS: VolumeClaims = { hasSynced: () => true, claim: () => undefined, volume: () => undefined };
