/** Presumed: what a pod's address says from the moment it is given, where its node says afterwards when nothing of it is left (locks.md, S17). */
import type { Draft } from '../../kube/kinds.ts';
import type { IPLockObject } from './books.ts';
import type { Desk } from './desk.ts';
import { givenToNode } from './ip-lock.ts';

export const presumed = ({ planner, options }: Pick<Desk, 'planner' | 'options'>, ipLock: Draft<IPLockObject>): Draft<IPLockObject> =>
  planner.releases(ipLock.spec?.node ?? '') ? givenToNode(ipLock, options.wallClock?.() ?? new Date()) : ipLock;
