import { expect, test } from '@jest/globals';
import type { Asked } from '../../../lib/scheduling/http/api.ts';
import type { Reply } from '../../../lib/scheduling/http/problem.ts';
import { LockQuestion, StockAnswer, StockQuestion } from '../../../lib/scheduling/http/schemas.ts';
import { stockHandler, unfitLock } from '../../../lib/scheduling/http/stock.ts';
import type { Inventory } from '../../../lib/scheduling/inventory.ts';
import { inventory } from '../../../lib/scheduling/inventory.ts';
import { aNode, aTemplate } from '../builders.ts';

/** Two racks of two nodes, 4 CPUs each. */
function aCluster(): Inventory {
  const there = inventory();
  for (const rack of ['r12', 'r13'])
    for (const number of ['01', '02']) there.set('Node', `${rack}-${number}`, aNode(`${rack}-${number}`, { rack }));
  return there;
}

interface World {
  readonly there?: Inventory;
  readonly snapshotMs?: number;
  readonly samplesMs?: number;
}

async function asked(
  question: object,
  { there = aCluster(), snapshotMs = 400, samplesMs }: World = {},
  query: object = { nodes: true },
): Promise<Reply> {
  const body = StockQuestion.parse({ namespace: 'feed', ...question });
  const signal = new AbortController().signal;
  const handler = stockHandler({
    terrain: there,
    ages: () => ({ snapshotMs, samplesMs }),
    templateOf: async (namespace, { kind, name }) =>
      `${kind}/${namespace}/${name}` === 'Deployment/feed/feed-api' ? aTemplate({ cpu: 2 }) : undefined,
  });
  const caller = { username: 'ci', groups: [] };
  return handler.handle({ body, query: query as Asked['query'], params: {}, caller, mayNot: async () => undefined, signal });
}

test('stock is told with what limits it, in all, by pool and by node, and with its age', async () => {
  const { status, body } = await asked({ template: aTemplate({ cpu: 2 }) }, { samplesMs: 11_000 });
  expect(status).toBe(200);
  expect(StockAnswer.parse(body)).toMatchObject({
    ...{ count: 8, limit: 'cpu', snapshotAgeSeconds: 0.4, samplesAgeSeconds: 11 },
    pools: [{ pool: '', hosts: 4, fit: 8, lockedByOthers: 0 }],
    nodes: ['r12-01', 'r12-02', 'r13-01', 'r13-02'].map((node) => ({ node, fit: 2, limit: 'cpu' })),
  });
});

test('who does not ask for nodes is not told of them', async () => {
  const { body } = await asked({ template: aTemplate({ cpu: 2 }) }, {}, { nodes: false });
  expect(StockAnswer.parse(body)).not.toHaveProperty('nodes');
});

test('a template may be named; one that is not there is a problem', async () => {
  expect((await asked({ podFrom: { kind: 'Deployment', name: 'feed-api' } })).body).toMatchObject({ count: 8 });
  const { status, body } = await asked({ podFrom: { kind: 'Deployment', name: 'other' } });
  expect([status, body]).toEqual([404, expect.objectContaining({ detail: 'There is no Deployment feed/other.' })]);
});

test('a percentage is of the count that is wanted, where one is', async () => {
  const template = aTemplate({ cpu: 2 });
  expect((await asked({ template, maxPer: { rack: '50%' }, count: 4 })).body).toMatchObject({ count: 4 });
  expect((await asked({ template, maxPer: { rack: '50%' } })).body).toMatchObject({ count: 8 });
});

test('who asks for racks is told where the count would lie', async () => {
  const template = aTemplate({ cpu: 2 });
  const { body } = await asked({ template }, {}, { nodes: false, racks: true });
  expect(StockAnswer.parse(body).racks).toEqual(['r12', 'r13'].map((rack) => ({ pool: '', rack, fit: 4 })));
  expect((await asked({ template })).body).not.toHaveProperty('racks');
});

test('a percentage that is less than all on the racks that there are is bad input of a count, and told of stock', async () => {
  const template = aTemplate({ cpu: 2 });
  const maxPer = { rack: '30%' };
  const { status, body } = await asked({ template, maxPer, count: 8 });
  expect([status, body]).toMatchObject([400, { problems: [{ path: 'maxPer.rack', remedy: 'Ask for 50%, or add racks.' }] }]);
  // One may lie so: a percentage is rounded up.
  expect(await asked({ template, maxPer, count: 1 })).toMatchObject({ status: 200 });
  const { body: found } = await asked({ template, maxPer });
  expect(StockAnswer.parse(found)).toMatchObject({ count: 4, tightCaps: [{ level: 'rack', places: 2, most: 4, enough: '50%' }] });
  const unfit = unfitLock({ terrain: aCluster(), ages: () => ({ snapshotMs: 400 }) });
  const lock = (more: object) => {
    const spec = { template, count: 8, owner: 'feed-api', maxPer, ...more };
    return unfit(LockQuestion.parse({ metadata: { name: 'a', namespace: 'feed' }, spec }));
  };
  expect(lock({})).toMatchObject({ status: 400, body: { problems: [{ path: 'spec.maxPer.rack' }] } });
  expect(lock({ allowPartial: true })).toBeUndefined();
});

test('pods to come are those of gala-scheduler: they tolerate the taint of pools', async () => {
  const there = inventory();
  there.set('Node', 'r12-01', aNode('r12-01', { pool: 'web', hard: true }));
  expect((await asked({ template: aTemplate({ cpu: 2 }) }, { there })).body).toMatchObject({ count: 2 });
});

test('none for reasons that pass is an answer; none for ever is a problem that names the rules', async () => {
  const there = aCluster();
  for (const name of [...there.objects('Node').keys()]) there.set('Node', name, aNode(name, { unschedulable: true }));
  expect(await asked({ template: aTemplate({ cpu: 2 }) }, { there })).toMatchObject({ status: 200, body: { count: 0, limit: 'cordoned' } });
  const { status, body } = await asked({ template: aTemplate({ cpu: 400 }) });
  expect([status, body]).toEqual([
    422,
    expect.objectContaining({
      type: '/problems#never-fits',
      detail: 'Refused by cpu on 4 nodes (asks 400, the largest has 4).',
      limits: [{ limit: 'cpu', nodes: 4, asks: 400, most: 4 }],
    }),
  ]);
});

test('all that is wrong with a pod template is told at once, where it stands', async () => {
  const template = aTemplate({ cpu: 'much', spec: { tolerations: [{ operator: 'Sometimes' as never }] } });
  const { status, body } = await asked({ template });
  expect(status).toBe(400);
  const paths = (body as { problems: { path: string }[] }).problems.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^template\.spec\.containers\[0\]/),
      expect.stringMatching(/^template\.spec\.tolerations\[0\]/),
    ]),
  );
});

test('of a cluster that was not heard of for three minutes nothing is told, neither stock nor Locks', async () => {
  const template = aTemplate();
  expect(await asked({ template }, { snapshotMs: 180_000 })).toMatchObject({ status: 200 });
  expect(await asked({ template }, { snapshotMs: 180_001 })).toMatchObject({
    status: 503,
    body: { type: '/problems#stale', snapshotAgeSeconds: 180.001 },
  });
  expect(await asked({ template }, { snapshotMs: Number.POSITIVE_INFINITY })).toMatchObject({ status: 503 });
  const unfit = unfitLock({ terrain: aCluster(), ages: () => ({ snapshotMs: 181_000 }) });
  expect(unfit(aLockQuestion(template))).toMatchObject({ status: 503 });
});

test('a Lock whose pods can never be is refused before it is made', () => {
  const unfit = unfitLock({ terrain: aCluster(), ages: () => ({ snapshotMs: 0 }) });
  expect(unfit(aLockQuestion(aTemplate({ cpu: 2 })))).toBeUndefined();
  expect(unfit(aLockQuestion(aTemplate({ cpu: 400 })))).toMatchObject({ status: 422, body: { type: '/problems#never-fits' } });
  expect(unfit(aLockQuestion(aTemplate({ cpu: 'much' })))).toMatchObject({
    status: 400,
    body: { problems: [{ path: expect.stringMatching(/^spec\.template\./) }] },
  });
});

const aLockQuestion = (template: object) =>
  LockQuestion.parse({ metadata: { name: 'feed-api', namespace: 'feed' }, spec: { template, count: 1, owner: 'feed-api' } });
