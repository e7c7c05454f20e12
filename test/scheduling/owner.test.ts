import { expect, test } from '@jest/globals';
import { lockOwner, looseOwner } from '../../lib/scheduling/owner.ts';
import { aLock } from './builders.ts';

const pod = { namespace: 'feed', name: 'feed-api-5d9f-x2x' };

test('all pods of a Deployment have one owner, over all its releases', () => {
  const of = (hash: string) =>
    looseOwner({ ...pod, labels: { 'pod-template-hash': hash }, controller: { kind: 'ReplicaSet', name: `feed-api-${hash}` } });
  expect([of('5d9f'), of('77c4')]).toEqual(['feed/feed-api', 'feed/feed-api']);
});

test('an ordinal of a StatefulSet owns its address', () =>
  expect(looseOwner({ namespace: 'feed', name: 'redis-3', controller: { kind: 'StatefulSet', name: 'redis' } })).toBe('feed/redis-3'));

test("pods of another controller are the controller's, a bare pod is its own", () => {
  expect(looseOwner({ ...pod, controller: { kind: 'Job', name: 'import-7' } })).toBe('feed/import-7');
  expect(looseOwner({ ...pod, controller: { kind: 'ReplicaSet', name: 'handmade' } })).toBe('feed/handmade');
  expect(looseOwner({ ...pod, labels: { 'pod-template-hash': 'x' }, controller: { kind: 'ReplicaSet', name: '-x' } })).toBe('feed/-x');
  expect(looseOwner(pod)).toBe('feed/feed-api-5d9f-x2x');
});

test("a Lock's pods are for whom the Lock says, in its own namespace", () =>
  expect(lockOwner('feed', aLock('any', { owner: 'feed-api' }))).toBe('feed/feed-api'));
