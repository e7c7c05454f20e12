/** Ports of hosts that pods have taken, by row (plugins/nodeports). An address of the host stands against itself and against all. */
import type { Demand } from '../types.ts';

export interface HostPorts {
  change(row: number, demand: Demand, sign: 1 | -1): void;
  /** Whether one of the demand's ports is taken there. */
  areTaken(row: number, demand: Demand): boolean;
  /** Changes whenever an answer may. */
  readonly version: number;
}

/** `TCP/8080@10.0.0.1` → `TCP/8080` and `10.0.0.1`; every address of the host: empty. */
function split(port: string): readonly [string, string] {
  const at = port.indexOf('@');
  return at === -1 ? [port, ''] : [port.slice(0, at), port.slice(at + 1)];
}

export function hostPorts(): HostPorts {
  /** By port, by row: how many pods have it, by address. */
  const taken = new Map<string, Map<number, Map<string, number>>>();
  let version = 0;

  return {
    get version() {
      return version;
    },
    change(row, demand, sign) {
      for (const [port, address] of demand.hostPorts.map(split)) {
        const rows = taken.get(port) ?? new Map<number, Map<string, number>>();
        const addresses = rows.get(row) ?? new Map<string, number>();
        const left = (addresses.get(address) ?? 0) + sign;
        if (left === 0) addresses.delete(address);
        else addresses.set(address, left);
        if (addresses.size === 0) rows.delete(row);
        else rows.set(row, addresses);
        if (rows.size === 0) taken.delete(port);
        else taken.set(port, rows);
        version++;
      }
    },
    areTaken: (row, demand) =>
      demand.hostPorts.some((port) => {
        const [name, address] = split(port);
        const addresses = taken.get(name)?.get(row);
        return addresses !== undefined && (address === '' || addresses.has('') || addresses.has(address));
      }),
  };
}
