/**
 * Reads PersistentVolumeClaims and PersistentVolumes, a few words of each, from the first pod on that names a claim: where none does
 * there is nothing to follow. Only in the replica that leads.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../../kube/client.ts';
import { PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES } from '../../kube/kinds.ts';
import type { Log } from '../../kube/log.ts';
import { type Reflector, reflect } from '../../kube/reflector.ts';
import { type ClaimFacts, claimFacts, type VolumeClaims, volumeTerms } from './volume-claims.ts';

export interface WatchClaimsOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** A pod that waited may have its place now. */
  readonly onChange: () => void;
}

export function watchClaims(api: Api, { onChange, ...watching }: WatchClaimsOptions): VolumeClaims {
  let begun: ReturnType<typeof begin> | undefined;

  function begin() {
    const claims = reflect(api, PERSISTENTVOLUMECLAIMS, { ...watching, keep: (claim): ClaimFacts => claimFacts(claim) });
    const volumes = reflect(api, PERSISTENTVOLUMES, { ...watching, keep: volumeTerms });
    follow(claims);
    follow(volumes);
    Promise.all([claims.synced, volumes.synced]).then(onChange, () => {
      // Leading ended before.
    });
    return { claims, volumes };
  }

  function follow<T>(reflector: Reflector<T>): void {
    const told = () => {
      if (reflector.hasSynced()) onChange();
    };
    // One that is gone makes no room by itself: its storage says so.
    reflector.on({ added: told, updated: (old, now) => (isDeepStrictEqual(old, now) ? undefined : told()) });
  }

  return {
    hasSynced() {
      begun ??= begin();
      return begun.claims.hasSynced() && begun.volumes.hasSynced();
    },
    claim: (key) => begun?.claims.get(key),
    volume: (name) => begun?.volumes.get(name),
  };
}
