/** bj-a at 20:00, as small as the pages need it: a release that is over holds addresses, another team has locked slots. */
import bjA from '../../clusters/bj-a.ts';
import type { IPLock, Lock } from '../../lib/api/kinds.ts';
import { parseCluster } from '../../lib/api/parse.ts';
import { toAddress, toNumber } from '../../lib/api/range.ts';
import { podsIn } from '../../lib/cli/pod-file.ts';
import type { Inventory } from '../../lib/scheduling/inventory.ts';
import { planned } from '../../lib/scheduling/planned.ts';
import { aLock, anIPLock } from '../scheduling/builders.ts';

export const FEED = podsIn(
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'feed-api', namespace: 'feed', annotations: { 'deployment.kubernetes.io/revision': '1188' } },
    spec: {
      selector: { matchLabels: { app: 'feed-api' } },
      template: {
        metadata: { labels: { app: 'feed-api' }, annotations: { 'kubernetes.io/egress-bandwidth': '200M' } },
        spec: {
          schedulerName: 'gala-scheduler',
          containers: [{ name: 'feed', image: 'r.example/feed:1188', resources: { requests: { cpu: '2', memory: '4Gi' } } }],
          volumes: [
            {
              name: 'log',
              ephemeral: {
                volumeClaimTemplate: {
                  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'gala-log', resources: { requests: { storage: '20Gi' } } },
                },
              },
            },
          ],
        },
      },
    },
  }),
  'feed.yaml',
);

/** @param taken further addresses that others have, so that so many fewer are free */
export function aNight(taken = 0): Inventory {
  const { inventory } = planned(parseCluster(bjA, [{ name: 'scheduling' }]).cluster!);
  const nodes = [...inventory.objects('Node').keys()];
  const first = toNumber('10.110.1.0');
  const set = (at: number, ipLock: IPLock) => inventory.set('IPLock', toAddress(first + at), ipLock);
  const address = (at: number) => toAddress(first + at);
  const slots = Array.from({ length: 60 }, (_, slot) => ({ slot, node: nodes[slot % nodes.length]!, address: address(slot) }));
  const shop: Lock = aLock('shop-31', { namespace: 'shop', owner: 'shop', slots });
  inventory.set('Lock', 'shop/shop-31', shop);
  for (const { slot, node } of slots) set(slot, anIPLock(address(slot), { node, owner: 'shop/shop', lock: 'shop-31' }));
  for (let at = 60; at < 86; at++)
    set(at, anIPLock(address(at), { phase: 'Held', node: nodes[0]!, owner: 'feed/feed-old', lock: 'feed-old-1187' }));
  for (let at = 86; at < 86 + taken; at++) set(at, anIPLock(address(at), { node: nodes[at % nodes.length]!, owner: 'shop/other' }));
  const small = toNumber('10.130.0.64');
  for (let at = 0; at < Math.min(120, Math.max(0, taken - 394)); at++)
    inventory.set(
      'IPLock',
      toAddress(small + at),
      anIPLock(toAddress(small + at), { node: nodes[at % nodes.length]!, owner: 'shop/other' }),
    );
  return inventory;
}
