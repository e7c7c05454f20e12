/** The PersistentVolumeClaims of one pod and their volumes, read once, with the rights of whoever asks. */
import type { Api } from '../kube/client.ts';
import { ApiError, isNotFound } from '../kube/error.ts';
import { type AnyObject, type Id, type Kind, PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES } from '../kube/kinds.ts';
import type { ClaimsUnread } from '../scheduling/explain-pod.ts';
import type { PodFacts } from '../scheduling/facts.ts';
import type { NodeTerm } from '../scheduling/types.ts';
import { type ClaimFacts, claimFacts, type VolumeClaims, volumeTerms } from '../scheduling/writer/volume-claims.ts';

export async function readClaims(api: Api, { namespace, claims: names = [] }: PodFacts): Promise<VolumeClaims | ClaimsUnread> {
  const claims = new Map<string, ClaimFacts>();
  const volumes = new Map<string, readonly NodeTerm[]>();
  try {
    for (const name of names) {
      const claim = await got(api, PERSISTENTVOLUMECLAIMS, { namespace, name });
      if (claim !== undefined) claims.set(`${namespace}/${name}`, claimFacts(claim));
    }
    for (const { volume: name } of claims.values()) {
      const volume = name === undefined ? undefined : await got(api, PERSISTENTVOLUMES, { name });
      if (name !== undefined && volume !== undefined) volumes.set(name, volumeTerms(volume));
    }
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return { unread: 'you may not get PersistentVolumeClaims or PersistentVolumes' };
    throw error;
  }
  return { hasSynced: () => true, claim: (key) => claims.get(key), volume: (name) => volumes.get(name) };
}

async function got<T extends AnyObject>(api: Api, kind: Kind<T>, id: Id): Promise<T | undefined> {
  try {
    return await api.get(kind, id);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
