/** Names that a pattern lets through and the machinery underneath does not; a cluster with nothing in it. */
import type { Draft, Report } from './draft.ts';
import { poolsOf, rackedPools } from './draft.ts';

export function checkNames(draft: Draft, report: Report): void {
  for (const { name, path, pool } of poolsOf(draft)) {
    refuseReserved(name, path, report);
    for (const volume of Object.keys(pool.volumes ?? {})) refuseReserved(volume, `${path}.volumes.${volume}`, report);
  }
  for (const { path, pool } of rackedPools(draft)) {
    for (const rack of Object.keys(pool.racks ?? {})) refuseReserved(rack, `${path}.racks.${rack}`, report);
    if (pool.trunk === 'lo')
      report({
        path: `${path}.trunk`,
        what: 'trunk is lo',
        got: 'lo',
        allowed: 'a link that the switch is at the other end of',
        remedy: 'Name the bond or the NIC.',
      });
  }
}

/** Every JavaScript object has a `constructor` already; the one such word that is also a DNS label. */
function refuseReserved(name: string, path: string, report: Report): void {
  if (name === 'constructor')
    report({
      path,
      what: 'name is constructor',
      got: name,
      allowed: 'any other name: this one is a word of JavaScript',
      remedy: 'Rename it.',
    });
}

/** A cluster with nothing in it is a slip, unless it says that its nodes are somebody else's. */
export function checkSomePool(draft: Draft, report: Report): void {
  if (draft.pools === undefined || Object.keys(draft.pools).length > 0 || draft.existing !== undefined || draft.concerns !== undefined)
    return;
  report({
    path: 'pools',
    what: 'pools is empty',
    got: {},
    allowed: 'a cluster has a pool, or says what it stands beside',
    remedy: 'Add a pool, or existing: { … } and concerns: [ … ] for a slice beside what is there.',
  });
}
