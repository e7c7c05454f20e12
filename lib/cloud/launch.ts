/**
 * Launch: one place of a pool that an instance is launched for, and what follows from it alone: tags, client token, bootstrap token.
 * Pure: any process comes to the same, so that a launch whose answer was lost is the same launch when it is asked for again.
 */
import { createHash, createHmac } from 'node:crypto';
import { CLUSTER_TAG, CLUSTER_UID_TAG, type ClusterTags, type Tags } from './tags.ts';

/** Which launch: places of a pool are numbered, and each has one living instance at a time. */
export interface Launch {
  readonly pool: string;
  /** From 0. */
  readonly place: number;
  /** How many launches of this place went before. */
  readonly generation: number;
}

/** What an instance is launched as. */
export interface Offer {
  readonly type: string;
  readonly zone: string;
  /** Of the instance's own interface. */
  readonly subnetId: string;
  /** The capacity reservation that it is to run in; on demand when left out. */
  readonly reservationId?: string;
}

export const POOL_TAG = 'gala.internal/pool';
/** `<place>-<generation>` */
const LAUNCH_TAG = 'gala.internal/launch';

export const launchTags = ({ cluster, clusterUid }: ClusterTags, { pool, place, generation }: Launch): Tags => ({
  [CLUSTER_TAG]: cluster,
  [CLUSTER_UID_TAG]: clusterUid,
  [POOL_TAG]: pool,
  [LAUNCH_TAG]: `${place}-${generation}`,
  // What people see in the console.
  Name: `${cluster} ${pool} ${place}`,
});

/** What the tags of an instance of ours say. One whose tags somebody has changed is nobody's: it is neither counted nor ended. */
export function launchedAs(tags: Tags, { cluster, clusterUid }: ClusterTags): Launch | undefined {
  const pool = tags[POOL_TAG];
  if (tags[CLUSTER_TAG] !== cluster || tags[CLUSTER_UID_TAG] !== clusterUid || pool === undefined) return undefined;
  const [, place, generation] = /^(\d{1,4})-(\d{1,9})$/.exec(tags[LAUNCH_TAG] ?? '') ?? [];
  return place === undefined ? undefined : { pool, place: Number(place), generation: Number(generation) };
}

/** Hex digits of a sum. */
const SUM_DIGITS = 12;
/** EC2 takes 64 characters: a pool's name has at most 40, place and generation 13. */
const NAME_ROOM = 36;

/**
 * The token of a RunInstances. Of what EC2 is asked only the offer is in it: the same place of another type is another intent, for of
 * a call that was refused for want of capacity EC2 does not promise to forget the token.
 */
export function launchToken(clusterUid: string, { pool, place, generation }: Launch, offer: Offer, template: string): string {
  const { type, zone, subnetId, reservationId = '' } = offer;
  const sum = sumOf([clusterUid, pool, type, zone, subnetId, reservationId, template]);
  return `${pool.slice(0, NAME_ROOM)}-${place}-${generation}-${sum}`;
}

/** Name of a pool's launch template: what it says is in the name, so that one never changes. */
export const templateName = (cluster: string, pool: string, content: unknown): string => `gala-${cluster}-${pool}-${sumOf(content)}`;

const sumOf = (content: unknown): string => createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, SUM_DIGITS);

/** `abcdef.0123456789abcdef`: the form of bootstrap tokens (kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens). */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
}

/**
 * The bootstrap token of a launch: worked out of a key that only `gala cloud` can read. So it needs no right to read Secrets of
 * `kube-system`, a launch that is asked for again has the same user data, and whose a CSR is can be told from the token's id.
 * @param key secret; 32 random bytes
 */
export function bootstrapToken(key: Uint8Array, clusterUid: string, { pool, place, generation }: Launch): BootstrapToken {
  const sum = createHmac('sha256', key)
    .update(JSON.stringify([clusterUid, pool, place, generation]))
    .digest();
  const letters = (from: number, count: number) => Array.from(sum.subarray(from, from + count), (byte) => LETTERS[byte % 32]).join('');
  return { id: letters(0, ID_LENGTH), secret: letters(ID_LENGTH, SECRET_LENGTH) };
}

/** 32 of the 36 that a token may have: each byte gives one without a bias. Of a secret that makes 80 bits. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const ID_LENGTH = 6;
const SECRET_LENGTH = 16;
