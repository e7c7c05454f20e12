/** The screens of docs/cli.md are what the commands print, of bj-a at 20:00. */
import { expect, test } from '@jest/globals';
import { addressBook, takenOf } from '../../lib/cli/address-book.ts';
import { explainText } from '../../lib/cli/explain-text.ts';
import { booksOf, factsOf } from '../../lib/cli/facts-of.ts';
import { freeableOf, freeRow, freeText, losesText, warningsOf } from '../../lib/cli/ips-freeing.ts';
import { moveText } from '../../lib/cli/ips-moving.ts';
import { sourceText } from '../../lib/cli/ips-read.ts';
import { columnsOf, rowsOf } from '../../lib/cli/ips-rows.ts';
import { usageOf } from '../../lib/cli/ips-usage.ts';
import { usageText } from '../../lib/cli/ips-usage-text.ts';
import { leaksText } from '../../lib/cli/leaks-rows.ts';
import { lockSeen, locksText, lockText } from '../../lib/cli/lock-text.ts';
import { moreOf } from '../../lib/cli/more.ts';
import { printRows } from '../../lib/cli/row-stream.ts';
import { type Status, statusText, wrongWith } from '../../lib/cli/status-text.ts';
import { answerFrom, demanded } from '../../lib/cli/stock-answer.ts';
import { stockText } from '../../lib/cli/stock-text.ts';
import { whoIn } from '../../lib/cli/who-in.ts';
import { whoText } from '../../lib/cli/who-text.ts';
import { explainPod } from '../../lib/scheduling/explain-pod.ts';
import type { Inventory } from '../../lib/scheduling/inventory.ts';
import { place } from '../../lib/scheduling/place.ts';
import { reasonsOf, sayNotPlaced } from '../../lib/scheduling/writer/refusal.ts';
import { type AnIPLockOptions, aLock, anIPLock, aPod } from '../scheduling/builders.ts';
import { aNight, FEED } from './a-night.ts';
import { gala } from './gala.ts';
import { shown } from './shown.ts';

const NOW = Date.parse('2027-02-16T19:58:02Z');
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const page = (command: string) => shown('docs/cli.md', command).trimEnd();

test.each(['gala stock --definition hello -f examples/feed.yaml', 'gala stock --definition bj-a -f examples/feed.yaml --without rack=r14'])(
  '%s',
  async (command) => {
    expect((await gala(...command.split(' ').slice(1))).out.trimEnd()).toBe(page(command));
  },
);

test('gala stock feed-api', () => {
  const source = { from: 'cluster', name: '', by: 'stock API', ageSeconds: 0.4, samplesAgeSeconds: 11 } as const;
  const answer = answerFrom(factsOf(aNight()), source, {
    pods: FEED,
    namespace: 'feed',
    how: { strategy: 'spread', maxPer: { rack: '30%' } },
  });
  expect(stockText(answer)).toBe(page('gala stock feed-api -n feed --max-per rack=30%'));
});

/** A Lock as the lock writer would have written it. */
function aReadyLock(count: number) {
  const night = aNight();
  const placed = place(night, { demand: demanded(FEED, 'feed'), strategy: 'spread', maxPer: { rack: '30%' } }, count);
  const slots = ('slots' in placed ? placed.slots : []).map((slot, index) => ({ slot: index, ...slot }));
  const racks = new Map([...night.objects('Node')].map(([name, { labels }]) => [name, labels['gala.internal/rack'] ?? '']));
  const lock = aLock('feed-api-1188', { slots });
  return lockSeen({ ...lock, metadata: { ...lock.metadata, creationTimestamp: ago(40) } } as never, racks);
}

test('gala lock', () => {
  expect(lockText(aReadyLock(200), { dryRun: false })).toBe(
    page('gala lock -f examples/feed.yaml 200 --name feed-api-1188 --max-per rack=30%').replace(/^feed\/feed-api-1188: .*\n/gm, ''),
  );
});

test('gala lock, refused', () => {
  const lock = lockSeen(aLock('feed-api-5000', { phase: 'Failed', count: 5000 }) as never);
  const reasons = reasonsOf([{ limit: 'addresses', nodes: 40 }]);
  const source = { from: 'cluster', name: '', by: 'stock API', ageSeconds: 0.4, samplesAgeSeconds: 11 } as const;
  const how = { strategy: 'spread', count: 5000 } as const;
  const stock = answerFrom(factsOf(aNight()), source, { pods: FEED, namespace: 'feed', how });
  expect(lockText({ ...lock, reasons }, { dryRun: false, stock })).toBe(page('gala lock -f examples/feed.yaml 5000 --name feed-api-5000'));
});

test('gala locks', () => {
  const old = aLock('feed-api-1187', { slots: [] });
  const locks = [{ ...lockSeen(old as never), count: 200, planned: 200, used: 200, createdAt: ago(180_000) }, aReadyLock(200)];
  expect(locksText(locks, NOW, 'feed')).toBe(page('gala locks -n feed'));
});

test('gala who', () => {
  const night = aNight();
  const pod = aPod({
    namespace: 'feed',
    name: 'feed-api-0611',
    uid: 'u',
    lock: 'feed-api-1188',
    slot: '17',
    node: 'bj-a-r12-03',
    startedMs: NOW - 570_000,
  });
  night.set('Pod', pod.key, pod);
  const ipLock = anIPLock('10.110.2.37', { phase: 'Bound', node: 'bj-a-r12-03', lock: 'feed-api-1188', podUID: 'u' });
  const metadata = { ...ipLock.metadata, creationTimestamp: '2027-02-13T16:00:00Z', managedFields: [{ time: ago(540) }] };
  night.set('IPLock', '10.110.2.37', { ...ipLock, metadata });
  expect(whoText(whoIn(night, '10.110.2.37'), NOW)).toBe(page('gala who 10.110.2.37'));
});

/** As `gala ips` would have read it. */
const bookOf = (night: Inventory) =>
  addressBook({
    pools: night.objects('HostPool').values(),
    networks: night.objects('NodeNetwork').values(),
    nodes: night.objects('Node').values(),
    taken: [...night.objects('IPLock').values()].map((ipLock) => takenOf(ipLock)),
  });

test('gala ips', () => {
  const source = sourceText({ source: { from: 'cluster', name: 'https://10.8.0.10:6443' }, readAtMs: NOW });
  expect([source, usageText(usageOf(bookOf(aNight(380)), 'vlan'))].join('\n')).toBe(page('gala ips'));
});

test('gala ips list', async () => {
  const night = aNight();
  const written = (ip: string, seconds: number, days: number, options: AnIPLockOptions, pod?: string) => {
    const { metadata, ...rest } = anIPLock(ip, { node: 'bj-a-r12-03', ...options });
    const annotations: Record<string, string> = pod === undefined ? {} : { 'gala.internal/pod': pod };
    const times = { creationTimestamp: ago(days * 86_400), managedFields: [{ time: ago(seconds) }] };
    return takenOf({ ...rest, metadata: { ...metadata, ...times, annotations } });
  };
  const taken = [
    written('10.110.2.37', 540, 3, { phase: 'Bound', podUID: 'u' }, 'feed-api-0611'),
    written('10.110.2.41', 250, 3, { phase: 'Held', owner: 'feed/feed-old' }),
    written('10.120.0.70', 3_600, 1, { phase: 'Quarantined', owner: 'shop/shop' }),
  ];
  const book = addressBook({ pools: night.objects('HostPool').values(), networks: [], nodes: night.objects('Node').values(), taken });
  let out = '';
  await printRows(
    'text',
    { head: {}, name: '', rows: () => rowsOf(book, { nodes: ['bj-a-r12-03'] }), columns: columnsOf(false, NOW), none: '' },
    async (text) => {
      out += text;
    },
  );
  expect(out.trimEnd()).toBe(page('gala ips list --node bj-a-r12-03'));
});

test('gala ips free', () => {
  const held = [...aNight().objects('IPLock')].filter(([, { spec }]) => spec.phase === 'Held');
  const freeable = held.map(([name, { spec }]) => freeableOf({ metadata: { name, uid: 'u', resourceVersion: '1' }, spec }));
  const text = [
    losesText(freeable, NOW),
    ...warningsOf(freeable, new Map([['feed/feed-old-1187', 26]])),
    freeText({ dryRun: false, freed: freeable.map(freeRow), taken: [], waiting: [] }),
  ];
  expect(text.join('\n')).toBe(page('gala ips free --held feed/feed-old --yes'));
});

test('gala ips move', () => {
  const lock = 'feed/feed-api-1188';
  const common = { owner: 'feed/feed-api', lock, from: 'bj-a-r12-03' };
  const moved = [
    { ...common, address: '10.110.2.41', state: 'Held' as const, to: 'bj-a-r12-04' },
    { ...common, address: '10.110.2.44', state: 'Locked' as const, to: 'bj-a-r13-01' },
  ];
  const stay = [
    {
      address: '10.110.2.37',
      state: 'Bound' as const,
      owner: 'feed/feed-api',
      lock,
      node: 'bj-a-r12-03',
      pod: 'feed/feed-api-0611',
      because: '',
    },
  ];
  const text = moveText({ dryRun: false, moved, stay, taken: [], waiting: [] });
  expect(text).toBe(page('gala ips move --from bj-a-r12-03 --yes'));
});

test('gala explain pod', () => {
  const inventory = aNight(514);
  const pod = aPod({ name: 'feed-api-0611', demand: demanded(FEED, 'feed'), gated: true, createdMs: NOW - 42_000 });
  const { hostPools, nodeNetworks, ipLocks, terrain } = factsOf(inventory);
  const { pools } = answerFrom(
    factsOf(inventory),
    { from: 'cluster', name: '' },
    { pods: FEED, namespace: 'feed', how: { strategy: 'spread' } },
  );
  expect(terrain.rows).toBe(40);
  const more = moreOf({ namespace: 'feed', owner: 'feed/feed-api', pools }, ipLocks, hostPools, nodeNetworks);
  const told = sayNotPlaced({ refused: 'addresses', want: 1, found: 0, limits: [{ limit: 'addresses', nodes: 40 }] });
  const events = [{ ...told, at: ago(12), count: 3 }];
  expect(explainText({ ...explainPod(pod, { inventory, books: booksOf(inventory), nowMs: NOW }), more, events }, NOW)).toBe(
    page('gala explain pod feed/feed-api-0611'),
  );
});

test('gala leaks', () => {
  const row = { leaked: 0, because: [] as string[], names: [] };
  const rows = [
    { ...row, leak: 'lock, no pod' as const, count: 6, oldestMs: 540_000, backInMs: 60_000, because: ['TTL 10 m'] },
    { ...row, leak: 'Held address' as const, count: 3, oldestMs: 250_000, backInMs: 540_000, because: ['for the next pod of its owner'] },
  ];
  expect(leaksText({ readAt: new Date(NOW).toISOString(), leaked: 0, inHand: 9, forPeople: 0, rows })).toBe(page('gala leaks'));
});

test('gala status', () => {
  const leader = (lease: string, holder: string, renewedMsAgo: number) => ({ lease, holder, renewedMsAgo, leads: true });
  const seen: Pick<Status, 'programs' | 'leaders' | 'kinds'> = {
    programs: ['gala-controller', 'gala-scheduler'].map((name) => ({
      name,
      kind: 'Deployment' as const,
      wanted: 2,
      ready: 2,
      restarts: 0,
    })),
    leaders: [
      leader('gala-controller', 'cp2_1d90', 800),
      leader('gala-lock-writer', 'cp1_8f2c', 1200),
      leader('gala-scheduler', 'cp1_0b7e', 400),
    ],
    kinds: [
      { name: 'hostpools.gala.internal', there: true, objects: 1 },
      { name: 'nodenetworks.gala.internal', there: true, objects: 40 },
      { name: 'locks.gala.internal', there: true, objects: 3, phases: { Failed: 1, Ready: 2 } },
      { name: 'iplocks.gala.internal', there: true, objects: 426, phases: { Held: 26, Locked: 400 } },
    ],
  };
  const text = statusText({
    ...{
      server: 'https://10.8.0.10:6443',
      kubernetes: '1.37.2',
      at: new Date(NOW).toISOString(),
      nodes: 43,
      podsWaiting: 0,
      unseen: [],
      pools: [],
    },
    ...{ ...seen, wrong: wrongWith(seen) },
  });
  expect(text).toBe(page('gala status'));
});
