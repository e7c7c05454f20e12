import { expect, test } from '@jest/globals';
import { explainHandler } from '../../../lib/scheduling/http/explain.ts';
import { ExplainAnswer } from '../../../lib/scheduling/http/schemas.ts';
import { type Inventory, inventory } from '../../../lib/scheduling/inventory.ts';
import { type APod, aLock, aNode, aPod } from '../builders.ts';

const NOW = 100_000;

/** Two hosts of 4 CPUs, and a pod behind the gate. */
function aCluster(pod: APod = {}): Inventory {
  const there = inventory();
  for (const name of ['r12-01', 'r12-02']) there.set('Node', name, aNode(name, { rack: 'r12' }));
  const waiting = aPod({ name: 'feed-api-0', gated: true, createdMs: NOW - 42_000, cpu: 2, ...pod });
  there.set('Pod', waiting.key, waiting);
  return there;
}

function asked(there: Inventory, name = 'feed-api-0', snapshotMs = 400) {
  const handler = explainHandler({ inventory: there, ages: () => ({ snapshotMs }), now: () => NOW });
  const params = { namespace: 'feed', name };
  const nobody = { caller: { username: 'ci', groups: [] }, mayNot: async () => undefined };
  return handler.handle({ params, query: {}, body: undefined, ...nobody, signal: new AbortController().signal });
}

test('a pod that hosts would take is told that it is its turn', async () => {
  const { status, body } = await asked(aCluster());
  expect(status).toBe(200);
  expect(ExplainAnswer.parse(body)).toMatchObject({
    ...{ pod: 'feed/feed-api-0', state: 'Waits', ageMs: 42_000, wants: { cpu: 2 }, snapshotAgeSeconds: 0.4 },
    ...{ looked: { hosts: 2, fit: 4 }, rows: [], because: expect.stringMatching(/^there is a slot for it: /) },
  });
});

test('a pod that no host takes is told what they have against it, and what to do', async () => {
  const { body } = await asked(aCluster({ cpu: 8 }));
  expect(ExplainAnswer.parse(body)).toMatchObject({
    looked: { hosts: 2, fit: 0 },
    rows: [
      { nodes: 2, limit: 'cpu', reason: 'NoCpu', message: 'asks 8; the most free on one of these is 4 of 4', remedy: expect.any(String) },
    ],
    because: expect.stringMatching(/^no host could ever take it/),
  });
});

test('a pod of a Lock is told of its slot there', async () => {
  const there = aCluster({ lock: 'feed-1188', cpu: 1 });
  expect((await asked(there)).body).toMatchObject({ reason: 'NoSuchLock', lock: 'feed/feed-1188' });
  there.set(
    'Lock',
    'feed/feed-1188',
    aLock('feed-1188', {
      slots: [
        { slot: 0, node: 'r12-01' },
        { slot: 1, node: 'r12-02' },
      ],
    }),
  );
  const other = aPod({ name: 'feed-api-1', lock: 'feed-1188', slot: '0', node: 'r12-01' });
  there.set('Pod', other.key, other);
  expect(ExplainAnswer.parse((await asked(there)).body)).toMatchObject({
    node: 'r12-02',
    because: expect.stringMatching(/^there is slot 1 of Lock feed\/feed-1188 on r12-02 for it: /),
  });
});

test('its claims are not looked at, and that is said', async () => {
  const { body } = await asked(aCluster({ claims: ['data-redis-0'] }));
  expect(body).toMatchObject({ because: expect.stringContaining('Its claims were not looked at (data-redis-0): the API reads none; ') });
});

test('a pod that is not there, and a cluster that was not heard of for long, are problems', async () => {
  expect(await asked(aCluster(), 'nobody')).toMatchObject({ status: 404, body: { detail: 'There is no pod feed/nobody.' } });
  expect(await asked(aCluster(), 'feed-api-0', 200_000)).toMatchObject({ status: 503 });
});

test('it takes the right to get the pod', () => {
  const { access } = explainHandler({ inventory: aCluster(), ages: () => ({ snapshotMs: 0 }) });
  expect(access?.({ params: { namespace: 'feed', name: 'feed-api-0' }, query: {}, body: undefined })).toEqual({
    ...{ resource: 'pods', verb: 'get', namespace: 'feed', name: 'feed-api-0' },
  });
});
