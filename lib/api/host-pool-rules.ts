/**
 * What may not change of a HostPool while addresses are taken (Locked, Bound or Held): a pod is wired, or is about to be, by
 * what the spec said then. CEL for the API server; it compares old and new spec under what status last said.
 *
 * Only what gets worse is refused: what is astray already (an address outside its range, kept until its pod goes) must not
 * make every other change of the pool impossible, nor the writing of status itself.
 */
import type { Rule } from './field.ts';

/** An address as a number: the IP library of the API server tells equal from unequal, not lower from higher. */
export const number = (ip: string) =>
  `[${ip}.split('.')].map(octet, ((int(octet[0]) * 256 + int(octet[1])) * 256 + int(octet[2])) * 256 + int(octet[3]))[0]`;

/** Whether the `addresses` (text, `a-b` or a CIDR) hold an address. */
const holds = (addresses: string, ip: string) =>
  `(${addresses}.contains('/') ? cidr(${addresses}).containsIP(${ip}) : ` +
  `${number(`${addresses}.split('-')[0]`)} <= ${number(ip)} && ${number(ip)} <= ${number(`${addresses}.split('-')[1]`)})`;

// Where each VLAN stands, by its id. Looking for it would cost the length of the list each time, and 256 × 256 × the rest is
// over what one rule may cost (StaticEstimatedCostLimit: 10 million). An index, not the VLAN itself: only through the list
// does the estimate know how long its texts are.
const at = (spec: string) => `${spec}.spec.intranet.vlans.transformMapEntry(i, vlan, {vlan.id: i})`;
const OLD = 'oldSelf.spec.intranet.vlans[was[seen.id]]';
const NOW = 'self.spec.intranet.vlans[is[seen.id]]';
const COUNT = 'seen.taken.locked + seen.taken.bound + seen.taken.held';

/** CEL in CRDs has no `bind`: a list of one item gives a value a name. `all` for a yes or no, `map` for anything else. */
const named = (how: 'all' | 'map', body: string) =>
  `[${at('oldSelf')}].${how}(was, [${at('self')}].${how}(is, [${racks('oldSelf')}].${how}(allOld, [${racks('self')}].${how}(allNow, ` +
  `[${GONE}].${how}(gone, ${body})))))`;

const COUNTED = 'has(self.spec.intranet) && has(oldSelf.spec.intranet) && has(oldSelf.status) && has(oldSelf.status.vlans)';

/** `says` has places for the VLAN's id, the count of its taken addresses, and `more`. */
function whileTaken(broken: string, message: string, says: string, more = ''): Rule {
  const wrong = `seen, has(seen.taken) && seen.id in was && (${broken})`;
  const words = `'${says}'.format([seen.id, ${COUNT}${more}])`;
  return {
    rule: `!(${COUNTED}) || ${named('all', `!oldSelf.status.vlans.exists(${wrong})`)}`,
    message,
    messageExpression: `${named('map', `oldSelf.status.vlans.filter(${wrong}).map(seen, ${words})[0]`)}[0][0][0][0][0]`,
    fieldPath: '.spec.intranet.vlans',
  };
}

/** All racks of a pool. */
const racks = (spec: string) => `${spec}.spec.intranet.racks.transformMapEntry(i, rack, {rack.name: true})`;
/** The racks a VLAN is trunked to; `all` is what it has when it names none. */
const reach = (vlan: string, all: string) => `(has(${vlan}.racks) ? ${vlan}.racks.transformMapEntry(i, rack, {rack: true}) : ${all})`;
/**
 * A rack with taken addresses that the VLAN reached before and does not now. What did not change is told apart first: looking
 * at every rack of every VLAN is more than one evaluation may cost in a pool of many (PerCallLimit: a million).
 */
const LEFT_OUT =
  `has(${NOW}.racks) && has(${OLD}.racks) && ${NOW}.racks == ${OLD}.racks ? false : ` +
  `!has(${NOW}.racks) && !has(${OLD}.racks) ? gone.size() > 0 && seen.taken.racks.exists(rack, rack in gone) : ` +
  `[${reach(NOW, 'allNow')}].exists(after, [seen.taken.racks.filter(rack, !(rack in after))].exists(away, ` +
  `away.size() > 0 && [${reach(OLD, 'allOld')}].exists(before, away.exists(rack, rack in before))))`;
const GONE = 'oldSelf.spec.intranet.racks.transformMapEntry(i, rack, !(rack.name in allNow), {rack.name: true})';

export const WHILE_TAKEN: readonly Rule[] = [
  {
    rule: `!(${COUNTED}) || self.spec.intranet.trunk == oldSelf.spec.intranet.trunk || !oldSelf.status.vlans.exists(seen, has(seen.taken))`,
    message:
      'trunk is immutable while addresses are taken: pods are wired on it. Make a pool of another name for the hosts with the other trunk',
    fieldPath: '.spec.intranet.trunk',
  },
  whileTaken(
    `!(seen.id in is) || ${NOW}.subnet != ${OLD}.subnet || ${NOW}.gateway != ${OLD}.gateway`,
    'a VLAN keeps its subnet and gateway while addresses are taken. Add another VLAN, move the pods to it, then drop this one',
    'vlans[%d] keeps its subnet and gateway while %d addresses are taken. Add another VLAN, move the pods to it, then drop this one',
  ),
  whileTaken(
    `seen.id in is && ${NOW}.addresses != ${OLD}.addresses && !(${holds(`${NOW}.addresses`, 'seen.taken.lowest')} && ${holds(`${NOW}.addresses`, 'seen.taken.highest')})`,
    'addresses may grow and shrink around those that are taken. Keep them in, or move their pods first',
    'vlans[%d].addresses must keep the %d addresses that are taken, from %s to %s. Keep them in, or move their pods first',
    ', seen.taken.lowest, seen.taken.highest',
  ),
  whileTaken(
    `seen.id in is && (${LEFT_OUT})`,
    'a VLAN stays trunked to the racks where its addresses are taken, and these racks stay. Drain the rack first',
    'vlans[%d] stays trunked to the racks where its %d taken addresses are, and these racks stay. Drain the rack first',
  ),
];
