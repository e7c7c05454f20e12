/**
 * Tags of pod ENIs: by them any process knows whose an ENI is, which instance it was made for and which slot of it. Pure.
 *
 * A cluster is known by its name and by the UID of its namespace `kube-system`: two clusters of one name in an account, or one that
 * was built anew under its old name, never take or delete each other's.
 */
export interface ClusterTags {
  /** As the definition names it: what the IAM policy can ask for. */
  readonly cluster: string;
  /** Of its namespace `kube-system`. */
  readonly clusterUid: string;
}

export const CLUSTER_TAG = 'gala.internal/cluster';
export const CLUSTER_UID_TAG = 'gala.internal/cluster-uid';
const INSTANCE_TAG = 'gala.internal/instance';
const SLOT_TAG = 'gala.internal/slot';

export type Tags = Readonly<Record<string, string>>;

/** @param slot the number of the pod ENI on its instance, from 0 */
export const tagsOf = ({ cluster, clusterUid }: ClusterTags, instanceId: string, slot: number): Tags => ({
  [CLUSTER_TAG]: cluster,
  [CLUSTER_UID_TAG]: clusterUid,
  [INSTANCE_TAG]: instanceId,
  [SLOT_TAG]: String(slot),
  // What people see in the console.
  Name: `${cluster} pod ${instanceId} ${slot}`,
});

/** What the tags of one of ours say. A tag that somebody has changed makes it nobody's: it is left alone. */
export function madeFor(
  tags: Tags,
  { cluster, clusterUid }: ClusterTags,
): { readonly instanceId: string; readonly slot: number } | undefined {
  const { [INSTANCE_TAG]: instanceId = '', [SLOT_TAG]: slot = '' } = tags;
  if (tags[CLUSTER_TAG] !== cluster || tags[CLUSTER_UID_TAG] !== clusterUid) return undefined;
  return /^i-[0-9a-f]+$/.test(instanceId) && /^\d{1,3}$/.test(slot) ? { instanceId, slot: Number(slot) } : undefined;
}
