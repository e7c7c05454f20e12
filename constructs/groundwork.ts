/** Groundwork: what every cluster gets before any concern: CRDs, the system namespace, priorities, user roles, host pools. */
import { Construct } from 'constructs';
import { crd } from '../lib/api/crd.ts';
import { KINDS } from '../lib/api/kinds.ts';
import { HostPool } from './host-pool.ts';
import { addNamespaces } from './namespaces.ts';
import { add, Platform } from './platform.ts';
import { addPriorityClasses } from './priority-classes.ts';
import { addUserRoles } from './roles.ts';

export class Groundwork extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const { cluster } = Platform.of(this);
    for (const kind of KINDS) add(this, 'crds', crd(kind));
    addNamespaces(this);
    addPriorityClasses(this);
    addUserRoles(this, KINDS);
    for (const pool of cluster.pools) new HostPool(this, pool.name, { pool });
  }
}
