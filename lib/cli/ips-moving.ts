/** Which addresses may be moved to another node, and what to do about those that may not be. Pure. */
import type { Place } from './address-place.ts';
import { counted } from './amount.ts';
import type { Freeable } from './ips-freeing.ts';
import { table } from './table.ts';

/**
 * Why an address stays, and what moves it: slots without a pod go, for nothing of theirs is wired.
 * @param place where it lies, as far as that is known @param to where it was asked to, if anywhere
 * @returns undefined: it may be moved
 */
export function stays(one: Freeable, place: Place | undefined, to: string | undefined): string | undefined {
  const { address, state, podUID, lock, owner, node } = one;
  if (state === 'Quarantined') return `${address}: it is Quarantined, and for nobody before it is freed: gala ips free ${address}`;
  if (podUID !== undefined) return withPod(one);
  if (lock === undefined)
    return `${address}: it is ${state} for ${owner}, and of no Lock: the next pod of ${owner} has it on whichever node of its VLAN that gets. Nothing needs to be moved.`;
  if (place?.is === 'eni')
    return `${address}: it is that of ENI ${place.eniId}, which lives and dies with the instance of ${place.node}. To have the slot elsewhere, with another address: a Lock with moveOnDrain replace, or none said, and kubectl cordon ${place.node}; or lock anew under another name.`;
  if (node === to) return `${address}: it is on ${to} already.`;
  return undefined;
}

function withPod({ address, state, pod, lock, owner, node }: Freeable): string {
  const [namespace, name] = (pod ?? '').split('/');
  const has = `${state === 'Bound' ? 'wired in' : 'given to'} ${pod === undefined ? `a pod of ${owner}` : `pod ${pod}`} on ${node}`;
  const gone = pod === undefined ? 'When that pod is gone' : `Delete the pod (kubectl delete pod ${name} -n ${namespace})`;
  const then =
    lock === undefined
      ? `${gone}: the next one of ${owner} has it on whichever node of its VLAN that gets, and on another one if ${node} is cordoned first.`
      : `${gone} and move its slot while it is Held; or kubectl drain ${node}: slots go elsewhere by themselves, pods and all (moveOnDrain).`;
  return `${address}: it is ${state}, ${has}; no address leaves its node under a pod. ${then}`;
}

export interface MoveRow {
  readonly address: string;
  readonly state: Freeable['state'];
  readonly owner: string;
  readonly lock?: string;
  readonly from: string;
  /** Undefined: the lock writer chooses, or has yet to. */
  readonly to?: string;
}

export interface StayRow extends Omit<MoveRow, 'to' | 'from'> {
  readonly node: string;
  readonly pod?: string;
  /** With what to do. */
  readonly because: string;
}

export interface MoveAnswer {
  readonly dryRun: boolean;
  /** Or, of a dry run, what would be. */
  readonly moved: readonly MoveRow[];
  /** Of the node that was to be emptied: what can't leave it, mostly for the pods that have it. */
  readonly stay: readonly StayRow[];
  /** Given to a pod, or freed, in the same moment. */
  readonly taken: readonly MoveRow[];
  /** Asked for, and not yet moved. */
  readonly waiting: readonly MoveRow[];
}

export const moveRow = ({ address, state, owner, lock, node: from }: Freeable, to?: string): MoveRow => ({
  ...{ address, state, owner, from },
  ...(lock === undefined ? {} : { lock }),
  ...(to === undefined ? {} : { to }),
});

export const stayRow = ({ address, state, owner, lock, node, pod }: Freeable, because: string): StayRow => ({
  ...{ address, state, owner, node, because },
  ...(lock === undefined ? {} : { lock }),
  ...(pod === undefined ? {} : { pod }),
});

/** More than that are told by number. */
const FEW = 10;

export function moveText({ dryRun, moved, stay, taken, waiting }: MoveAnswer): string {
  const rows = moved.map(({ address, state, lock = '-', from, to }) => [address, state, lock, from, to ?? 'any other']);
  const more = rows.length - FEW;
  const are = dryRun ? 'would go elsewhere; nothing is changed' : moved.length === 1 ? 'is on another node' : 'are on other nodes';
  const pods = stay.flatMap(({ pod }) => pod ?? []);
  return [
    ...(rows.length === 0 ? [] : [table([['ADDRESS', 'STATE', 'LOCK', 'FROM', 'TO'], ...rows.slice(0, FEW)])]),
    ...(more > 0 ? [`  … and ${counted(more, 'more')}: -o json`] : []),
    ...taken.map(({ address, from }) => `${address}: not moved; a pod has got it on ${from} meanwhile, or it was freed.`),
    ...(waiting.length === 0 ? [] : [`Asked for, and not moved yet: ${some(waiting.map(({ address }) => address))}.`]),
    ...(pods.length === 0 ? [] : [`With their pods stay, until these are gone: ${some(pods)}.`]),
    ...stay.filter(({ pod }) => pod === undefined).map(({ because }) => because),
    `${counted(moved.length, 'address', 'addresses')} ${are}${stay.length === 0 ? '' : `, ${counted(stay.length, 'stays', 'stay')}`}.`,
  ].join('\n');
}

const some = (names: readonly string[]): string =>
  names.length <= FEW ? names.join(', ') : `${names.slice(0, FEW).join(', ')} and ${names.length - FEW} more`;
