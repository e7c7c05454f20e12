import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { leaderBy, leaderOf, leadersOf } from '../../lib/cli/leader.ts';
import { poolsAmiss } from '../../lib/cli/pools-amiss.ts';
import { exitCodeOf, type KindSeen, type Status, statusText, wrongWith } from '../../lib/cli/status-text.ts';
import { apiOf } from '../../lib/kube/client.ts';

const AT = '2027-02-16T19:58:02.000Z';
const ago = (seconds: number) => new Date(Date.parse(AT) - seconds * 1000).toISOString();
const lease = (name: string, holder: string, seconds: number) =>
  leaderOf({ metadata: { name }, spec: { holderIdentity: holder, renewTime: ago(seconds), leaseDurationSeconds: 15 } }, Date.parse(AT));

const KINDS: readonly KindSeen[] = [
  { name: 'hostpools.gala.internal', there: true, objects: 1 },
  { name: 'nodenetworks.gala.internal', there: true, objects: 40 },
  { name: 'locks.gala.internal', there: true, objects: 3, phases: { Failed: 1, Ready: 2 } },
  { name: 'iplocks.gala.internal', there: true, objects: 426, phases: { Held: 26, Locked: 400 } },
];
type Seen = Pick<Status, 'programs' | 'leaders' | 'kinds'>;
const SEEN: Seen = {
  programs: [
    { name: 'gala-controller', kind: 'Deployment', wanted: 2, ready: 2, restarts: 0 },
    {
      name: 'gala-scheduler',
      kind: 'Deployment',
      wanted: 2,
      ready: 2,
      restarts: 1,
      lastError: { at: ago(7500), message: 'gala-scheduler ended with 137 (OOMKilled)' },
    },
  ],
  leaders: [lease('gala-controller', 'cp2_1d90', 0.8), lease('gala-lock-writer', 'cp1_8f2c', 1.2)],
  kinds: KINDS,
};
const page = (seen: Seen, more: Partial<Status> = {}) =>
  statusText({
    server: 'https://10.8.0.10:6443',
    kubernetes: '1.37.2',
    at: AT,
    pools: [],
    nodes: 43,
    podsWaiting: 0,
    unseen: [],
    wrong: wrongWith(seen),
    ...seen,
    ...more,
  });

test('a cluster in which everything works is one page', () => {
  expect(page(SEEN)).toBe(`https://10.8.0.10:6443 · Kubernetes 1.37.2 · read at 19:58:02 UTC
  PROGRAM           READY   RESTARTS   LAST ERROR
  gala-controller   2/2            0   none
  gala-scheduler    2/2            1   2 h 5 m ago: gala-scheduler ended with 137 (OOMKilled)
  LEASE              LEADS      RENEWED
  gala-controller    cp2_1d90   0.8 s ago
  gala-lock-writer   cp1_8f2c   1.2 s ago
  KIND                         OBJECTS   BY PHASE
  hostpools.gala.internal            1
  nodenetworks.gala.internal        40
  locks.gala.internal                3   Failed 1 · Ready 2
  iplocks.gala.internal            426   Held 26 · Locked 400
  43 nodes · 0 pods behind the gate
All is well.`);
});

test('what does not work is told in sentences, with what to do', () => {
  const [controller, scheduler] = SEEN.programs;
  const seen = {
    programs: [controller!, { ...scheduler!, ready: 1 }],
    leaders: [lease('gala-lock-writer', 'cp1_8f2c', 42), leaderOf({ metadata: { name: 'gala-controller' } }, Date.parse(AT))],
    kinds: [...KINDS.slice(0, 3), { name: 'iplocks.gala.internal', there: false }],
  };
  expect(page(seen).split('\n').slice(-4)).toEqual([
    'Deployment gala-scheduler: 1 of 2 ready. kubectl -n gala-system describe deployment gala-scheduler says why.',
    'Lease gala-lock-writer: cp1_8f2c has not renewed it for 42 s; Locks, and pods behind the gate, wait until another takes over. Where none has within a minute: kubectl -n gala-system get pods says which replicas run.',
    'Lease gala-controller: nobody leads; NodeNetworks, and the status of pools, wait. gala controller leads only as system:serviceaccount:gala-system:gala-controller; its log, and /readyz on port 10272 of its host, say what keeps it.',
    'iplocks.gala.internal: there is no such kind; what needs it is off. Apply 10-crds.yaml.',
  ]);
});

test('a program that is installed and has no Lease yet has no leader', () => {
  const leaders = leadersOf(['gala-scheduler'], [{ metadata: { name: 'of-somebody-else' } }], Date.parse(AT));
  expect(leaders).toEqual([
    { lease: 'gala-lock-writer', leads: false },
    { lease: 'gala-scheduler', leads: false },
  ]);
  const seen = { programs: [SEEN.programs[1]!], leaders, kinds: KINDS };
  expect(page(seen)).toContain('\n  LEASE              LEADS    RENEWED\n  gala-lock-writer   nobody   -\n');
  expect(wrongWith(seen)).toEqual([
    'Lease gala-lock-writer: nobody leads; Locks, and pods behind the gate, wait. gala scheduler leads only as system:serviceaccount:gala-system:gala-scheduler; its log, and /readyz on port 10270 of its host, say what keeps it.',
    'Lease gala-scheduler: nobody leads; pods that have their slot wait to be bound. The kube-scheduler beside gala scheduler leads by it; its log says what keeps it.',
  ]);
});

test('a lock writer that was started by hand leads like any other', () => {
  const spec = { holderIdentity: 'here', renewTime: ago(1), leaseDurationSeconds: 15 };
  expect(leadersOf([], [{ metadata: { name: 'gala-lock-writer' }, spec }], Date.parse(AT))).toEqual([
    { lease: 'gala-lock-writer', holder: 'here', renewedMsAgo: 1000, leads: true },
  ]);
});

test('a cluster without Gala has nothing that could fail', () => {
  const kinds = KINDS.map(({ name }) => ({ name, there: false }));
  const text = page({ programs: [], leaders: [], kinds });
  expect(text).toContain('  No programs of Gala: stock can be asked for, locks cannot.\n');
  expect(text).toContain('  locks.gala.internal                -   not installed: off\n');
  expect(text).toMatch(/\nAll is well\.$/);
});

test('what may not be looked at is named', () => {
  expect(
    page({ programs: [], leaders: [], kinds: [{ name: 'locks.gala.internal', there: true }] }, { unseen: ['leases is forbidden'] }),
  ).toMatch(/locks\.gala\.internal {9}\?\n(?:.*\n)*Not seen: leases is forbidden\nWhat could be seen is well\.$/);
});

test('a Lease is judged by the API server’s clock, however wrong one’s own is', async () => {
  const spec = { holderIdentity: 'cp1_8f2c', renewTime: '2001-02-03T04:05:04.500000Z', leaseDurationSeconds: 15 };
  const server = createServer((_asked, answer) => {
    answer.setHeader('content-type', 'application/json').setHeader('date', 'Sat, 03 Feb 2001 04:05:06 GMT');
    answer.end(JSON.stringify({ metadata: { name: 'gala-lock-writer' }, spec }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api = apiOf({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    expect(await leaderBy('gala-lock-writer', api, 'gala-system')).toMatchObject({ leads: true, renewedMsAgo: 1_500 });
  } finally {
    api.close();
    server.close();
  }
});

test('a Lease that was renewed in the second that the server names is as new as can be', () => {
  expect(lease('gala-lock-writer', 'cp1_8f2c', -0.9)).toMatchObject({ leads: true, renewedMsAgo: 0 });
});

test('who could not look at everything is not told that all is well', () => {
  expect(exitCodeOf({ wrong: [], unseen: [], pools: [] })).toBe(0);
  expect(exitCodeOf({ wrong: [], unseen: ['leases is forbidden'], pools: [] })).toBe(3);
  expect(exitCodeOf({ wrong: ['nobody leads'], unseen: ['leases is forbidden'], pools: [] })).toBe(4);
});

const condition = (type: string, status: 'True' | 'False', message?: string) => ({
  ...{ type, status, reason: 'X', lastTransitionTime: ago(7500) },
  ...(message === undefined ? {} : { message }),
});
const WEB = { metadata: { name: 'web' }, status: { conditions: [] } };

test('what is amiss with a pool is on the page, and no program is blamed for it', () => {
  const outside = 'Nodes with the label gala.internal/pool=web that stand in none of its racks (1): h-r99-01.';
  const missing = 'Hosts without a Node (1 of 40): bj-a-r12-03.';
  const conditions = [condition('NodesOutsideRacks', 'True', outside), condition('HostsMissing', 'True', missing)];
  const pools = poolsAmiss([{ ...WEB, status: { conditions } }]);
  expect(page(SEEN, { pools }).split('\n').slice(-5)).toEqual([
    '  POOL   AMISS               FOR       WHAT, AND WHAT TO DO',
    `  web    HostsMissing        2 h 5 m   ${missing}`,
    `  web    NodesOutsideRacks   2 h 5 m   ${outside}`,
    '  43 nodes · 0 pods behind the gate',
    'All that is installed works; 2 things about pools are amiss.',
  ]);
  expect(exitCodeOf({ wrong: [], unseen: [], pools })).toBe(3);
  expect(exitCodeOf({ wrong: ['nobody leads'], unseen: [], pools })).toBe(4);
});

test('conditions that are False say that all is well, and those of others are theirs', () => {
  const conditions = [condition('HostsMissing', 'False'), condition('Launched', 'True', 'three instances are there')];
  expect(poolsAmiss([{ ...WEB, status: { conditions } }, { metadata: { name: 'new' } }])).toEqual([]);
});
