import { expect, test } from '@jest/globals';
import type { IPLock } from '../../../lib/api/kinds.ts';
import { nodeStatus } from '../../../lib/network/agent/node-status.ts';
import { unlocked } from '../../../lib/network/agent/unlocked.ts';

const attachment = (ip: string, uid: string) => ({ ip, mac: '02:67:0a:6e:00:82', pod: { namespace: 'feed', name: 'a', uid } });
const locked = (locks: Readonly<Record<string, string | undefined>>) => (ip: string) =>
  ip in locks ? { spec: { podUID: locks[ip] } as IPLock['spec'] } : undefined;

test('what its IPLock says is wired is not told again', () => {
  expect(unlocked([attachment('10.110.0.130', 'pod-a')], locked({ '10.110.0.130': 'pod-a' }))).toEqual([]);
});

test('an address whose IPLock is missing, or names no pod or another, is told with its pod and MAC', () => {
  const wired = { ip: '10.110.0.130', mac: '02:67:0a:6e:00:82', pod: 'feed/a', podUID: 'pod-a' };
  const all = [attachment('10.110.0.130', 'pod-a')];
  expect(unlocked(all, locked({}))).toEqual([wired]);
  expect(unlocked(all, locked({ '10.110.0.130': undefined }))).toEqual([wired]);
  expect(unlocked(all, locked({ '10.110.0.130': 'pod-b' }))).toEqual([wired]);
});

test('the status is written when an address is told, when a rebuild is answered, and not again', () => {
  const seen = { links: [], attachments: [], conflicts: [], wired: [], now: new Date(0) };
  const first = nodeStatus(seen);
  expect(nodeStatus({ ...seen, before: first })).toBeUndefined();
  const wired = unlocked([attachment('10.110.0.130', 'pod-a')], locked({}));
  const told = nodeStatus({ ...seen, wired, rebuilt: 'r1', before: first });
  expect(told).toMatchObject({ wired, rebuilt: 'r1' });
  expect(nodeStatus({ ...seen, wired, rebuilt: 'r1', before: told })).toBeUndefined();
  expect(nodeStatus({ ...seen, rebuilt: 'r1', before: told })).toMatchObject({ wired: [] });
});
