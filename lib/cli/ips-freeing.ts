/** Which addresses may be freed, who loses them, and what to do about those that may not be. Pure. */
import type { IPLock } from '../api/kinds.ts';
import { PROBED } from '../api/network.ts';
import { POD_ANNOTATION } from '../api/scheduling.ts';
import { namespaceOf } from './address-book.ts';
import { ageOf, counted } from './amount.ts';
import { table } from './table.ts';

/** An IPLock, as much of it as freeing looks at. */
export interface Freeable {
  readonly address: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly state: IPLock['spec']['phase'];
  readonly node: string;
  /** `<namespace>/<name>`: who loses it. */
  readonly owner: string;
  /** `<namespace>/<name>` */
  readonly lock?: string;
  /** UID of the pod that it is for, or has it. */
  readonly podUID?: string;
  /** `<namespace>/<name>` */
  readonly pod?: string;
  /** Unix milliseconds. */
  readonly sinceMs?: number;
  /** What a probe said of who else answers. */
  readonly conflict?: string;
}

interface IPLockStored {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly time?: string | Date }[];
  };
  readonly spec: IPLock['spec'];
  readonly status?: IPLock['status'];
}

export function freeableOf({ metadata, spec, status }: IPLockStored): Freeable {
  const { name: address, uid, resourceVersion, annotations = {}, managedFields = [] } = metadata;
  const { phase: state, node, owner, lock, podUID } = spec;
  const times = managedFields.flatMap(({ time }) => (time === undefined ? [] : [Date.parse(String(time))]));
  const pod = podUID === undefined ? undefined : annotations[POD_ANNOTATION];
  const conflict = status?.conditions?.find(({ type, status: holds }) => type === PROBED && holds === 'False')?.message;
  return {
    ...{ address, uid, resourceVersion, state, node, owner },
    ...(lock === undefined ? {} : { lock: `${lock.namespace}/${lock.name}` }),
    ...(podUID === undefined ? {} : { podUID }),
    ...(pod === undefined ? {} : { pod: `${namespaceOf(owner)}/${pod}` }),
    ...(times.length === 0 ? {} : { sinceMs: Math.max(...times) }),
    ...(conflict === undefined ? {} : { conflict }),
  };
}

/** Nobody uses a Held or Quarantined one; under a pod none is freed. */
export const mayBeFreed = ({ state }: Pick<Freeable, 'state'>): boolean => state === 'Held' || state === 'Quarantined';

/** Why an address is not freed, and what frees it. */
export function refusal({ address, state, pod, lock, owner, node }: Freeable): string {
  const [namespace, name] = (pod ?? '').split('/');
  const [lockNamespace, lockName] = (lock ?? '').split('/');
  if (state === 'Held' || state === 'Quarantined')
    return `${address}: it is ${state}, ${state === 'Held' ? `for ${owner}` : `for nobody before it is freed`}; you asked for others. gala ips free ${address} frees it.`;
  if (pod !== undefined) {
    const has = state === 'Bound' ? `wired in pod ${pod} on ${node}` : `given to pod ${pod}`;
    return `${address}: it is ${state}, ${has}; no address is freed under a pod. Delete the pod (kubectl delete pod ${name} -n ${namespace}), and free the address when it is Held.`;
  }
  if (lock !== undefined)
    return `${address}: it is ${state} for a slot of Lock ${lock}, whose pod may come any time. gala unlock ${lockName} -n ${lockNamespace} gives the slots back.`;
  return `${address}: it is ${state} for ${owner}, whose pod may have it. gala who ${address} says more; it is freed when it is Held.`;
}

export interface FreeAnswer {
  readonly dryRun: boolean;
  /** Or, of a dry run, what would be. */
  readonly freed: readonly FreeRow[];
  /** Taken by the owner's next pod in the same moment. */
  readonly taken: readonly FreeRow[];
  /** Asked for, and not yet free. */
  readonly waiting: readonly FreeRow[];
}

export interface FreeRow {
  readonly address: string;
  readonly state: Freeable['state'];
  /** Who loses it. */
  readonly owner: string;
  readonly node: string;
  readonly lock?: string;
}

export const freeRow = ({ address, state, owner, node, lock }: Freeable): FreeRow => ({
  ...{ address, state, owner, node },
  ...(lock === undefined ? {} : { lock }),
});

/** More than that are told by owner. */
const FEW = 10;

/** Who loses what, before it is asked for. @param nowMs Unix milliseconds */
export function losesText(freeable: readonly Freeable[], nowMs: number): string {
  if (freeable.length > FEW) {
    const owners = [...Map.groupBy(freeable, ({ owner, state }) => JSON.stringify([owner, state])).values()].sort(
      (a, b) => b.length - a.length,
    );
    const rows = owners.slice(0, FEW).map((of) => [of[0]!.owner, of[0]!.state, String(of.length), `${of[0]!.address} …`]);
    const rest = owners.length - rows.length;
    return [
      table([['LOSES THEM', 'STATE', 'ADDRESSES', 'FIRST'], ...rows], { right: [2] }),
      ...(rest > 0 ? [`  … and ${counted(rest, 'more owner')}: --dry-run -o json`] : []),
    ].join('\n');
  }
  const rows = freeable.map(({ address, state, owner, node, sinceMs }) => [
    ...[address, state, owner, node],
    sinceMs === undefined ? '-' : ageOf(nowMs - sinceMs),
  ]);
  return table([['ADDRESS', 'STATE', 'LOSES IT', 'LAST ON', 'SINCE'], ...rows]);
}

/** What goes with them, and what freeing does not mend. @param listed slots that go, by Lock */
export function warningsOf(freeable: readonly Freeable[], listed: ReadonlyMap<string, number>): string[] {
  const quarantined = freeable.filter(({ state }) => state === 'Quarantined');
  const said = quarantined.find(({ conflict }) => conflict !== undefined);
  const who = said === undefined ? '' : ` (${said.address}: ${said.conflict})`;
  return [
    ...[...listed].map(([lock, slots]) => `Lock ${lock} loses ${counted(slots, 'slot')} with ${slots === 1 ? 'it' : 'them'}.`),
    ...(quarantined.length === 0
      ? []
      : [
          `What was Quarantined is given to pods again: find the machine that answered first${who}. While it answers, the next probe puts the address back.`,
        ]),
  ];
}

export function freeText({ dryRun, freed, taken, waiting }: FreeAnswer): string {
  const isOne = freed.length === 1;
  const which = isOne ? freed[0]!.address : counted(freed.length, 'address', 'addresses');
  const are = dryRun ? 'would be' : isOne ? 'is' : 'are';
  return [
    ...(freed.length === 0 ? [] : [`${which} ${are} free: ${losersOf(freed)}${dryRun ? '; nothing is changed' : ''}.`]),
    ...taken.map(({ address, owner }) => `${address}: not freed; a pod of ${owner} has taken it meanwhile.`),
    ...(waiting.length === 0 ? [] : [`Asked for, and not free yet: ${some(waiting.map(({ address }) => address))}.`]),
  ].join('\n');
}

/** `feed/feed-old loses them`, `feed/feed-old 26, shop/shop 3 lose them` */
function losersOf(freed: readonly FreeRow[]): string {
  const owners = [...Map.groupBy(freed, ({ owner }) => owner)].sort(([, a], [, b]) => b.length - a.length);
  const told = owners.map(([owner, of]) => (owners.length === 1 ? owner : `${owner} ${of.length}`));
  return `${some(told)} ${owners.length === 1 ? 'loses' : 'lose'} ${freed.length === 1 ? 'it' : 'them'}`;
}

const some = (names: readonly string[]): string =>
  names.length <= FEW ? names.join(', ') : `${names.slice(0, FEW).join(', ')} and ${names.length - FEW} more`;
