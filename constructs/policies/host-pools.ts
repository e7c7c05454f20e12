/** HostPools: rules of the kind guard what changes; they are not asked when one is deleted. */
import type { Construct } from 'constructs';
import { addValidatingPolicy } from './policy.ts';

export function addHostPoolGuard(scope: Construct): void {
  const taken = 'oldObject.?status.vlans.orValue([]).filter(vlan, has(vlan.taken))';
  addValidatingPolicy(scope, {
    name: 'gala-host-pools',
    because: 'the addresses of a pool are known by its VLANs, so it stays while some are taken',
    on: [{ operations: ['DELETE'], gala: ['hostpools'] }],
    must: [
      {
        hold: `${taken} == []`,
        orSay: `'status.vlans of HostPool ' + oldObject.metadata.name + ' says that addresses of VLAN ' + ${taken}.map(vlan, string(vlan.id)).join(', ') + ' are taken. Move or delete the pods that have them first; kubectl get iplocks names them.'`,
      },
    ],
  });
}
