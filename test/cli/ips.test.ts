/** `gala ips` of a definition and of what was saved, and what it says where something is mistyped; ips.bed.test.ts asks clusters. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type Freeable, freeText, losesText, mayBeFreed, refusal, warningsOf } from '../../lib/cli/ips-freeing.ts';
import { saveSnapshot } from '../../lib/scheduling/snapshot.ts';
import { aNight } from './a-night.ts';
import { gala } from './gala.ts';

const folder = mkdtempSync(join(tmpdir(), 'gala-ips-'));
afterAll(() => rmSync(folder, { recursive: true }));

const READ = Date.parse('2027-02-16T19:58:02Z');
function aSnapshot(taken = 0): string {
  const file = join(folder, `monday-${taken}.json`);
  writeFileSync(
    file,
    saveSnapshot({ inventory: aNight(taken), readAtMs: READ, unread: [], statefulSets: [], cluster: 'https://10.8.0.10:6443' }),
  );
  return file;
}
const json = async (...args: string[]) => JSON.parse((await gala('ips', ...args, '-o', 'json')).out);

test('of a definition everything is free, and no cluster is asked', async () => {
  expect(await gala('ips', '--definition', 'bj-a', '--by', 'pool')).toEqual({
    code: 0,
    out: [
      'definition bj-a · nothing is taken',
      '  POOL   TOTAL   FREE   LOCKED   BOUND   HELD   QUARANTINED   USED   FIRST FREE',
      '  web      920    920        0       0      0             0    0 %   10.110.1.0',
      '',
    ].join('\n'),
    err: '',
  });
});

test('of a snapshot it is as it was, and says when and by whose clock', async () => {
  const { code, out } = await gala('ips', '--snapshot', aSnapshot());
  expect({ code, lines: out.split('\n').slice(0, 3) }).toEqual({
    code: 0,
    lines: [
      `snapshot ${aSnapshot()} · read at 2027-02-16 19:58:02 UTC, by the clock of who saved it`,
      '  POOL   VLAN / SUBNET   TOTAL   FREE   LOCKED   BOUND   HELD   QUARANTINED   USED   FIRST FREE',
      '  web    110               480    394       60       0     26             0   18 %   10.110.1.86',
    ],
  });
});

test('JSON and YAML say the same', async () => {
  const file = aSnapshot();
  for (const args of [[], ['--by', 'node'], ['list', '--held']])
    expect(parse((await gala('ips', ...args, '--snapshot', file, '-o', 'yaml')).out)).toEqual(await json(...args, '--snapshot', file));
});

test('Held addresses are listed with whom they wait for; how many, and of when, is said beside them', async () => {
  const { code, out, err } = await gala('ips', 'list', '--held', '--snapshot', aSnapshot());
  const [header, first, ...more] = out.trimEnd().split('\n');
  expect({ code, header, first, rest: more.length }).toEqual({
    code: 0,
    header: 'ADDRESS       STATE   POOL   VLAN / SUBNET   NODE          OWNER           POD   SINCE   AGE',
    first: '10.110.1.60   Held    web    110             bj-a-r12-01   feed/feed-old   -     -       -',
    rest: 25,
  });
  expect(err).toMatch(/^26 of snapshot \S+ · read at 2027-02-16 19:58:02 UTC, by the clock of who saved it · SINCE: /);
});

test('several states are listed together', async () => {
  const { addresses } = await json('list', '--held', '--locked', '--snapshot', aSnapshot());
  expect(Map.groupBy(addresses as { state: string }[], ({ state }) => state).size).toBe(2);
  expect(addresses).toHaveLength(86);
});

test('an empty list is one, with what would list more', async () => {
  expect(await gala('ips', 'list', '--quarantined', '--snapshot', aSnapshot())).toMatchObject({
    code: 0,
    out: 'No address is so. gala ips counts them.\n',
  });
});

test.each([
  [['lst'], "gala ips: there is no 'lst'. Did you mean 'list'?"],
  [['10.110.2.37'], 'It is list, free, move or rebuild; gala who tells of one address.'],
  [['--by', 'host', '--definition', 'bj-a'], 'Allowed choices are vlan, pool, rack, node.'],
  [['--pool', 'wev', '--definition', 'bj-a'], "--pool wev: there is no such pool with addresses. Did you mean 'web'?"],
  [['list', '--vlan', '5000', '--definition', 'bj-a'], 'VLAN id is 5000; it is 1 to 4094.'],
  [['list', '--vlan', '111', '--definition', 'bj-a'], '--vlan 111: there is no such VLAN with addresses. There are 110, 120, 130.'],
  [['list', '--node', 'bj-a-r12-0', '--definition', 'bj-a'], "Did you mean 'bj-a-r12-01'?"],
  [['--definition', 'bj-a', '--snapshot', 'x'], 'facts come from one of the two. Leave one out.'],
  [['free'], 'gala ips free: which addresses? For example gala ips free 10.110.2.37'],
  [['free', '10.110.2'], '10.110.2: it is no IPv4 address.'],
  [['free', '--pool', 'web'], '--pool: which of its addresses? Add --held or --quarantined.'],
  [['free', '10.110.2.37', '--pool', 'web'], '--pool: addresses that are named lie where they lie.'],
  [['move'], 'gala ips move: which addresses? For example gala ips move 10.110.2.37'],
  [['move', '10.110.2'], '10.110.2: it is no IPv4 address.'],
  [['move', '10.110.2.37', '--from', 'r12-01'], '--from: addresses that are named lie where they lie.'],
  [['move', '--from', 'r12-01', '--to', 'r12-01'], '--to is r12-01, and so is --from: they are there.'],
  [['free', '--held', '--timeout', 'soon'], "--timeout is 'soon'; it is a duration. For example 30s or 2m."],
])('gala ips %j is bad input', async (args, says) => {
  expect(await gala('ips', ...args)).toEqual({ code: 2, out: '', err: expect.stringContaining(says) });
});

const aHeld = (more: Partial<Freeable> = {}): Freeable => ({
  ...{ address: '10.110.2.37', uid: 'u', resourceVersion: '1', state: 'Held', node: 'r12-01', owner: 'feed/feed-old' },
  ...more,
});

test('only Held and Quarantined ones may be freed', () => {
  expect((['Locked', 'Bound', 'Held', 'Quarantined'] as const).filter((state) => mayBeFreed({ state }))).toEqual(['Held', 'Quarantined']);
});

test.each([
  [
    { state: 'Bound', pod: 'feed/feed-0611' },
    /^10\.110\.2\.37: it is Bound, wired in pod feed\/feed-0611 on r12-01; .*kubectl delete pod feed-0611 -n feed/,
  ],
  [{ state: 'Locked', pod: 'feed/feed-0611' }, /it is Locked, given to pod feed\/feed-0611; no address is freed under a pod/],
  [
    { state: 'Locked', lock: 'feed/feed-1188' },
    /for a slot of Lock feed\/feed-1188, whose pod may come any time\. gala unlock feed-1188 -n feed /,
  ],
  [{ state: 'Locked' }, /it is Locked for feed\/feed-old, whose pod may have it\. gala who 10\.110\.2\.37 /],
  [{ state: 'Held' }, /it is Held, for feed\/feed-old; you asked for others\. gala ips free 10\.110\.2\.37 frees it\./],
] satisfies [Partial<Freeable>, RegExp][])('%j is refused with what to do instead', (more, says) => {
  expect(refusal(aHeld(more))).toMatch(says);
});

test('who loses an address is told before it goes; many are told by owner', () => {
  expect(losesText([aHeld({ sinceMs: READ - 60_000 })], READ)).toBe(
    '  ADDRESS       STATE   LOSES IT        LAST ON   SINCE\n  10.110.2.37   Held    feed/feed-old   r12-01    1 m',
  );
  const many = Array.from({ length: 26 }, (_, at) => aHeld({ address: `10.110.2.${at}`, owner: at < 20 ? 'feed/feed-old' : 'shop/shop' }));
  expect(losesText(many, READ)).toBe(
    '  LOSES THEM      STATE   ADDRESSES   FIRST\n  feed/feed-old   Held           20   10.110.2.0 …\n  shop/shop       Held            6   10.110.2.20 …',
  );
});

test('that slots go too, and that another machine may still answer, is said first', () => {
  expect(warningsOf([aHeld()], new Map([['feed/feed-1187', 1]]))).toEqual(['Lock feed/feed-1187 loses 1 slot with it.']);
  expect(warningsOf([aHeld({ state: 'Quarantined', conflict: '3c:fd:fe:11:22:33 answers.' })], new Map())).toEqual([
    'What was Quarantined is given to pods again: find the machine that answered first (10.110.2.37: 3c:fd:fe:11:22:33 answers.). While it answers, the next probe puts the address back.',
  ]);
});

test('what became of it is one sentence each', () => {
  const row = (address: string, owner = 'feed/feed-old') => ({ address, state: 'Held' as const, owner, node: 'r12-01' });
  const nothing = { dryRun: false, freed: [], taken: [], waiting: [] };
  expect(freeText({ ...nothing, freed: [row('10.110.2.37')] })).toBe('10.110.2.37 is free: feed/feed-old loses it.');
  expect(freeText({ ...nothing, dryRun: true, freed: [row('10.110.2.37'), row('10.110.2.38')] })).toBe(
    '2 addresses would be free: feed/feed-old loses them; nothing is changed.',
  );
  expect(freeText({ ...nothing, freed: [row('10.110.2.37'), row('10.110.2.38', 'shop/shop')], taken: [row('10.110.2.39')] })).toBe(
    '2 addresses are free: feed/feed-old 1, shop/shop 1 lose them.\n10.110.2.39: not freed; a pod of feed/feed-old has taken it meanwhile.',
  );
  expect(freeText({ ...nothing, waiting: [row('10.110.2.37')] })).toBe('Asked for, and not free yet: 10.110.2.37.');
});
