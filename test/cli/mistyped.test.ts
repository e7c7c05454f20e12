/** What `gala lock`, `locks`, `who` and the others say where something is missing or mistyped; no cluster is asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { locksText } from '../../lib/cli/lock-text.ts';
import { saveSnapshot } from '../../lib/scheduling/snapshot.ts';
import { aPod } from '../scheduling/builders.ts';
import { aNight } from './a-night.ts';
import { gala } from './gala.ts';

const folder = mkdtempSync(join(tmpdir(), 'gala-mistyped-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A way into a cluster that is never asked. */
const kubeconfig = fileOf(
  'kubeconfig',
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x', users: [{ name: 'x', user: { token: 't' } }] },
    clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  }),
);
function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
const FEED = ['-f', 'examples/feed.yaml'];

test.each([
  [[...FEED], 'gala lock: how many slots? It is 1 to 5000. For example gala lock -f examples/feed.yaml 200.'],
  [['feed-api'], 'gala lock: how many slots for feed-api? It is 1 to 5000. For example gala lock feed-api 200.'],
  [['200'], 'gala lock: got 200; it takes whose pods and how many, 1 to 5000.'],
  [[], 'gala lock: got nothing; it takes whose pods and how many, 1 to 5000.'],
  [['feed-api', '200', 'more'], 'gala lock: got feed-api 200 more; it takes whose pods and how many, 1 to 5000.'],
  [['feed-api', '200', ...FEED], 'the file says whose pods, so only the count is left. Leave feed-api out.'],
  [['--renew'], '--renew takes the name of one Lock; got none. gala locks -A lists them.'],
  [[...FEED, '5001'], '<count>: count is 5001; count is 1 to 5000. For example 200.'],
  [[...FEED, '2', '--wait', '5s'], 'It is ready, probed or none; how long to wait is --timeout 5s.'],
  [[...FEED, '2', '--wait', 'redy'], 'It is ready, probed or none.'],
])('gala lock %j is bad input, and says what is missing', async (args, says) => {
  expect(await gala('lock', ...args, '--kubeconfig', kubeconfig)).toEqual({ code: 2, out: '', err: expect.stringContaining(says) });
});

test.each([
  ['stock', '--definition', 'hello'],
  ['lock', '2', '--kubeconfig', kubeconfig],
])('a quantity that is none is told with file and path: gala %s', async (...args) => {
  const text = 'kind: Job\napiVersion: batch/v1\nmetadata: { name: a }\nspec: { template: { spec: { restartPolicy: Never, containers: [';
  const file = fileOf('job.yaml', `${text}{ name: a, image: a, resources: { requests: { cpu: -2 } } }] } } }\n`);
  expect(await gala(...args, '-f', file)).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(`^${file}: spec\\.template\\.spec\\.containers\\[0\\]\\.resources\\.requests\\.cpu: cpu is -2, `),
  });
});

test('where there is no kubeconfig, what answers without a cluster is named', async () => {
  const none = join(folder, 'none');
  expect(await gala('locks', '--kubeconfig', none)).toEqual({
    code: 2,
    out: '',
    err: `no kubeconfig: there is no ${none}. Give --kubeconfig or set KUBECONFIG; in a pod, mount its ServiceAccount's token. No cluster is asked by gala stock and ips with --definition <name>, nor by gala stock, explain pod, who, ips, locks and leaks with --snapshot <file>, which gala snapshot saves.\n`,
  });
  const empty = fileOf('empty', '{}');
  expect((await gala('locks', '--kubeconfig', empty)).err).not.toContain('--snapshot');
});

test('a snapshot that is not there is said to be so, with what saves one', async () => {
  expect(await gala('locks', '--snapshot', 'monday.json')).toEqual({
    code: 2,
    out: '',
    err: 'monday.json: there is no such file. Name a file that gala snapshot has saved: gala snapshot -o monday.json saves one.\n',
  });
});

test('where there are no Locks the namespace is named that was looked into', () => {
  expect(locksText([], 0, 'default')).toBe('No Locks in namespace default. gala locks -A lists those of all.');
  expect(locksText([], 0)).toBe('No Locks in any namespace.');
});

test('that a pod has no address yet is an answer', async () => {
  const inventory = aNight();
  const pod = aPod({ namespace: 'feed', name: 'feed-api-0611', gated: true });
  inventory.set('Pod', pod.key, pod);
  const file = fileOf(
    'monday.json',
    saveSnapshot({ inventory, readAtMs: Date.now(), unread: [], statefulSets: [], cluster: 'https://10.8.0.10:6443' }),
  );
  expect(await gala('who', 'feed/feed-api-0611', '--snapshot', file)).toEqual({
    code: 0,
    out: 'feed/feed-api-0611: it has no address yet. gala explain pod feed/feed-api-0611 says what it waits for.\n',
    err: '',
  });
  expect(await gala('who', 'feed/feed-api-0611', '-o', 'json', '--snapshot', file)).toMatchObject({ code: 0, out: '[]\n' });
  expect(await gala('who', 'feed/nobody', '--snapshot', file)).toMatchObject({ code: 2 });
});
