/**
 * Every kind of the group `gala.internal`. Synth (CRDs), `npm run imports` (bindings, editor schemas, reference pages) and
 * the tests walk this one list: a kind that stands here has all of them.
 */
import { HostPool } from './host-pool.ts';
import { IPLock } from './ip-lock.ts';
import { Lock } from './lock.ts';
import { NodeNetwork } from './node-network.ts';
import type { Resource } from './resource.ts';

export const KINDS: readonly Resource[] = [HostPool, NodeNetwork, Lock, IPLock];

export { HostPool, IPLock, Lock, NodeNetwork };
