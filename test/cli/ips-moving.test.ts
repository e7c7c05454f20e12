/** Which addresses `gala ips move` moves, and what it says of the others. */
import { expect, test } from '@jest/globals';
import type { Place } from '../../lib/cli/address-place.ts';
import type { Freeable } from '../../lib/cli/ips-freeing.ts';
import { moveRow, moveText, stayRow, stays } from '../../lib/cli/ips-moving.ts';

const aSlot = (more: Partial<Freeable> = {}): Freeable => ({
  ...{ address: '10.110.2.37', uid: 'u', resourceVersion: '1', state: 'Held', node: 'r12-01', owner: 'feed/feed-api' },
  ...{ lock: 'feed/feed-1188', ...more },
});
const aPods = (more: Partial<Freeable> = {}) => aSlot({ podUID: 'p', pod: 'feed/feed-0611', ...more });
const ofNoLock = { lock: undefined } as unknown as Partial<Freeable>;
const AN_ENI: Place = { is: 'eni', pool: 'burst', node: 'r12-01', eniId: 'eni-0a', mac: '02:00:00:00:00:01' };

test('those of slots that no pod has are moved', () => {
  for (const state of ['Held', 'Locked'] as const)
    expect([state, stays(aSlot({ state }), undefined, 'r12-02')]).toEqual([state, undefined]);
});

test.each([
  [
    aPods({ state: 'Bound' }),
    /wired in pod feed\/feed-0611 on r12-01; no address leaves its node under a pod\. Delete the pod \(kubectl delete pod feed-0611 -n feed\) and move its slot while it is Held; or kubectl drain r12-01/,
  ],
  [aPods({ state: 'Locked' }), /it is Locked, given to pod feed\/feed-0611 on r12-01;/],
  [
    aPods({ state: 'Bound', ...ofNoLock }),
    /the next one of feed\/feed-api has it on whichever node of its VLAN that gets, and on another one if r12-01 is cordoned first\./,
  ],
  [aSlot({ podUID: 'p', state: 'Bound' }), /wired in a pod of feed\/feed-api on r12-01; .* When that pod is gone/],
  [aSlot(ofNoLock), /it is Held for feed\/feed-api, and of no Lock: .* Nothing needs to be moved\./],
  [aSlot({ state: 'Quarantined' }), /for nobody before it is freed: gala ips free 10\.110\.2\.37/],
  [aSlot({ node: 'r12-02' }), /it is on r12-02 already\./],
] satisfies [Freeable, RegExp][])('%j stays, with what to do instead', (one, says) => {
  expect(stays(one, undefined, 'r12-02')).toMatch(says);
});

test('one of an ENI lives and dies with its instance', () => {
  expect(stays(aSlot(), AN_ENI, undefined)).toMatch(
    /that of ENI eni-0a, which lives and dies with the instance of r12-01\. .*kubectl cordon r12-01/,
  );
});

test('what stays is told with its pods, and what was not moved by its address', () => {
  const text = moveText({
    dryRun: false,
    moved: [moveRow(aSlot(), 'r12-02')],
    stay: [
      stayRow(aPods({ address: '10.110.2.38' }), 'why'),
      stayRow(aSlot({ address: '10.110.2.39', ...ofNoLock }), '10.110.2.39: of no Lock.'),
    ],
    taken: [moveRow(aSlot({ address: '10.110.2.40' }))],
    waiting: [moveRow(aSlot({ address: '10.110.2.41' }))],
  });
  expect(text.split('\n')).toEqual([
    '  ADDRESS       STATE   LOCK             FROM     TO',
    '  10.110.2.37   Held    feed/feed-1188   r12-01   r12-02',
    '10.110.2.40: not moved; a pod has got it on r12-01 meanwhile, or it was freed.',
    'Asked for, and not moved yet: 10.110.2.41.',
    'With their pods stay, until these are gone: feed/feed-0611.',
    '10.110.2.39: of no Lock.',
    '1 address is on another node, 2 stay.',
  ]);
  expect(moveText({ dryRun: true, moved: [moveRow(aSlot())], stay: [], taken: [], waiting: [] })).toContain(
    '  r12-01   any other\n1 address would go elsewhere; nothing is changed.',
  );
});
