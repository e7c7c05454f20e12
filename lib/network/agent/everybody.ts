/**
 * Everybody: who answers for every address of a VLAN, as long as that is so. Told once, and again when it is another machine; over
 * once an address of the VLAN was found free.
 */
import type { Finding } from '../probing/finding.ts';

export interface Everybody {
  /** MAC address by VLAN. */
  readonly byVlan: ReadonlyMap<number, string>;
  note(finding: Finding): void;
}

export function everybody(tell: (vlan: number, mac: string) => void): Everybody {
  const byVlan = new Map<number, string>();
  return {
    byVlan,
    note({ vlan, everybody: mac, condition }) {
      if (vlan === undefined) return;
      if (mac === undefined) {
        // That an address has a conflict, or that the gateway is silent, says nothing of it.
        if (condition.status === 'True') byVlan.delete(vlan);
        return;
      }
      if (byVlan.get(vlan) === mac) return;
      byVlan.set(vlan, mac);
      tell(vlan, mac);
    },
  };
}
