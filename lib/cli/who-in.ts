/** Who has an address, in an inventory. Pure. */
import type { PodFacts } from '../scheduling/facts.ts';
import type { Inventory } from '../scheduling/inventory.ts';
import { placeOf } from './address-place.ts';
import { BadInput } from './output.ts';
import { type Clues, type PodSeen, type Who, whoHas } from './who-text.ts';

export function whoIn(inventory: Inventory, address: string): Who {
  const place = placeOf(address, inventory.objects('HostPool').values(), inventory.objects('NodeNetwork').values());
  const ipLock = inventory.objects('IPLock').get(address);
  const pod = ipLock && [...inventory.objects('Pod').values()].find(({ uid }) => uid === ipLock.spec.podUID);
  const node = [...inventory.objects('Node').values()].find(({ internalIP }) => internalIP === address)?.name;
  const clues: Clues = {
    address,
    ...(place && { place }),
    ...(ipLock && { ipLock }),
    ...(pod && { pod: podSeen(pod) }),
    ...(node && { node }),
  };
  return whoHas(clues);
}

/** Of a pod, by its key: only those that Gala gave it are known here. @throws {BadInput} when there is no such pod */
export function addressesIn(inventory: Inventory, key: string): string[] {
  const pod = inventory.objects('Pod').get(key);
  if (pod === undefined)
    throw new BadInput(`${key}: it is no IPv4 address, and no pod of the snapshot. gala explain pod takes the same names.`);
  return [...inventory.objects('IPLock')].filter(([, { spec }]) => spec.podUID === pod.uid).map(([address]) => address);
}

function podSeen({ namespace, name, uid, node, slot, lock, startedMs }: PodFacts): PodSeen {
  return {
    ...{ namespace, name, uid },
    ...(node && { node }),
    ...(slot && { slot }),
    ...(lock && { lock }),
    ...(startedMs === undefined ? {} : { startedAt: new Date(startedMs).toISOString() }),
  };
}
