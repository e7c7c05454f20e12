/** Groundwork: what every cluster gets before any concern: CRDs, the system namespace, priorities, user roles, host pools. */
import { Construct } from 'constructs';
import { crd } from '../lib/api/crd.ts';
import { KINDS } from '../lib/api/kinds.ts';
import { HostPool } from './host-pool.ts';
import { addNamespaces } from './namespaces.ts';
import { add, Platform } from './platform.ts';
import { addPriorityClasses } from './priority-classes.ts';
import { addUserRoles } from './roles.ts';

let made: ReturnType<typeof crd>[] | undefined;
/** The same for every cluster, so made once: 12 ms. */
function crds(): readonly ReturnType<typeof crd>[] {
  made ??= KINDS.map((kind) => crd(kind));
  return made;
}

export class Groundwork extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const { cluster } = Platform.of(this);
    for (const definition of crds()) add(this, 'crds', definition);
    addNamespaces(this);
    addPriorityClasses(this);
    addUserRoles(this, KINDS);
    for (const pool of cluster.pools) new HostPool(this, pool.name, { pool });
  }
}
