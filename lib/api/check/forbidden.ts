/**
 * Addresses that no pod may have, whoever's range they are in: gateways, the routers of static routes, and API servers. A pod with the router's address
 * takes the whole VLAN down. Nor is an API server a gateway. Within a definition (vlans.ts) and across the fleet (fleet.ts).
 */
import { type Range, toAddress } from '../range.ts';
import type { ApiServer } from './api-server.ts';
import type { Report } from './draft.ts';
import type { Claim } from './overlaps.ts';

export interface ClaimedApiServer extends ApiServer {
  readonly owner: string;
  /** How a message to another owner names the definition; empty in its own. */
  readonly where: string;
  readonly report: Report;
}

interface Forbidden {
  readonly address: number;
  readonly kind: 'gateway' | 'router' | 'API server';
  readonly owner: string;
  readonly where: string;
}

/** What an owner's range holds of its own is passed over: the owner has been told (in a definition each VLAN is one). */
export function checkForbidden(claims: readonly Claim[], apiServers: readonly ClaimedApiServer[]): void {
  const forbidden = new Table(claims, apiServers);
  for (const { placed, owner, report } of claims) {
    if (placed.addresses === undefined) continue;
    for (const found of forbidden.within(placed.addresses, owner))
      report({
        path: `${placed.path}.addresses`,
        what: `addresses ${placed.vlan.addresses} hold the ${found.kind} ${toAddress(found.address)}${found.where && ` of ${found.where}`}`,
        got: placed.vlan.addresses,
        allowed: `pods never have the address of ${found.kind === 'API server' ? 'the API server' : 'a router'}`,
        remedy: 'Leave it out of the range.',
      });
  }
  for (const { address, owner, host, report } of apiServers) {
    if (address === undefined) continue;
    const [gateway] = forbidden.within({ first: address, last: address }, owner, 'gateway');
    if (gateway !== undefined)
      report({
        path: 'apiServer',
        what: `API server is ${host}, the gateway of ${gateway.where}`,
        got: host,
        allowed: 'a router is no API server',
        remedy: 'Give the address that the API server answers on, or correct the gateway.',
      });
  }
}

/** All forbidden addresses, in order. */
class Table {
  readonly #byAddress = new Map<number, Forbidden[]>();
  readonly #addresses: readonly number[];

  constructor(claims: readonly Claim[], apiServers: readonly ClaimedApiServer[]) {
    for (const { placed, owner, where } of claims) {
      this.#add({ address: placed.gateway, kind: 'gateway', owner, where });
      for (const address of placed.routers) this.#add({ address, kind: 'router', owner, where });
    }
    for (const { address, owner, where } of apiServers) this.#add({ address, kind: 'API server', owner, where });
    this.#addresses = [...this.#byAddress.keys()].sort((a, b) => a - b);
  }

  #add({ address, ...rest }: Omit<Forbidden, 'address'> & { readonly address: number | undefined }): void {
    if (address === undefined) return;
    const here = this.#byAddress.get(address) ?? [];
    this.#byAddress.set(address, here);
    // One of each owner and kind is enough: two pools of a file name the same gateway.
    if (!here.some(({ owner, kind }) => owner === rest.owner && kind === rest.kind)) here.push({ address, ...rest });
  }

  /** One for each address of the range that is forbidden by others and not by `owner` itself. */
  within(range: Range, owner: string, kind?: Forbidden['kind']): Forbidden[] {
    const found: Forbidden[] = [];
    for (let i = this.#from(range.first); i < this.#addresses.length && this.#addresses[i]! <= range.last; i++) {
      const here = this.#byAddress.get(this.#addresses[i]!)!.filter((it) => kind === undefined || it.kind === kind);
      if (here.length > 0 && !here.some((it) => it.owner === owner)) found.push(here[0]!);
    }
    return found;
  }

  /** Index of the first address at or above. */
  #from(address: number): number {
    let [low, high] = [0, this.#addresses.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#addresses[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
