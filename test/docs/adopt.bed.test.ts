/** docs/adopt.md on a real API server: the slice comes, and goes without a rest, by the lines on the page. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import slice from '../../clusters/slices/scheduling.ts';
import { rendered } from '../../constructs/testing.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { until } from '../bed/process.ts';
import { gala } from '../cli/gala.ts';
import { blocks, pages, section } from './pages.ts';

const PODS = '/api/v1/namespaces/default/pods';
const ROOM = { cpu: '8', memory: '64Gi', 'ephemeral-storage': '1Ti', pods: '110' };
const READY = { capacity: ROOM, allocatable: ROOM, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }] };

const PAGE = pages().find(({ path }) => path === 'docs/adopt.md')!;

describeBed('the scheduling slice beside an existing cluster', ['control-plane'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'gala-adopt-'));
  const out = rendered(slice);
  let bed: Bed;
  beforeAll(async () => {
    for (const { path, text } of out.files) {
      const file = join(folder, 'dist/prod-2', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    bed = await startControlPlane({ without: ['kube-scheduler'] });
  }, 300_000);
  afterAll(async () => {
    await bed?.stop();
    rmSync(folder, { recursive: true });
  });

  const kubectl = (line: string) => bed.kubectl(line.split(/ +/).map((word) => (word.startsWith('dist/') ? join(folder, word) : word)));

  /** A line as the page has it, and once more when it did not end in its time, as the page says of CRDs. */
  async function again(line: string): Promise<void> {
    const first = await kubectl(line);
    const waited = first.code !== 0 && /timed out waiting/.test(first.stderr);
    expect(waited ? await kubectl(`${line} --ignore-not-found`) : first).toMatchObject({ code: 0 });
  }

  test('slice 0 counts with the rights on the page, and installs nothing', async () => {
    const [role = ''] = blocks(PAGE, 'yaml');
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'r12-01' }, status: READY };
    await bed.apply([parse(role), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ci' } }, node]);
    const [line] = section(PAGE, 'Slice 0: stock, read-only').match(/create clusterrolebinding .*/)!;
    expect(await kubectl(line)).toMatchObject({ code: 0 });
    const account = async () => (await bed.request('GET', '/api/v1/namespaces/ci/serviceaccounts/default')).status === 200;
    await until('an account', [], 60, account);
    const kubeconfig = await kubeconfigOf(bed, 'ci', 'default');
    const asked = () => gala('stock', '-f', 'examples/feed.yaml', '-o', 'json', '--kubeconfig', kubeconfig);
    // A new Node is tainted until the controllers have seen that it is Ready.
    await until('room', [], 60, async () => JSON.parse((await asked()).out).count > 0);
    expect(await asked()).toMatchObject({ code: 0 });
    expect(JSON.parse((await asked()).out)).toMatchObject({ count: 4, limit: 'cpu' });
  }, 300_000);

  test('installs as many objects as the page says', () => expect(PAGE.text).toContain(`${out.objects.length} objects.`));

  test('is taken away, whole, by the page’s lines', async () => {
    for (const line of [
      'apply --server-side -f dist/prod-2/10-crds.yaml',
      'wait --for=condition=Established crd -l app.kubernetes.io/part-of=gala',
      'apply --server-side -f dist/prod-2',
    ])
      expect(await kubectl(line)).toMatchObject({ code: 0 });
    await aGatedPod();

    const lines = [...section(PAGE, 'Taking it away').matchAll(/^ {4}\$ kubectl ([^#\n]+?) *(#.*)?$/gm)].map(([, line = '']) => line);
    expect(lines).toHaveLength(6);
    for (const line of lines) await again(line);

    const policies = ['validating', 'mutating'].flatMap((one) => [`${one}admissionpolicy`, `${one}admissionpolicybinding`]);
    const kinds = `crd,namespace,clusterrole,clusterrolebinding,role,rolebinding,priorityclass,deployment,service,configmap,${policies}`;
    const { stdout } = await kubectl(`get ${kinds} -A -l app.kubernetes.io/part-of=gala -o name`);
    expect(stdout).toBe('');
    expect((await bed.request('GET', PODS)).body.items).toEqual([]);
  }, 300_000);

  /** A pod that waits for a slot which nobody gives it here. */
  async function aGatedPod(): Promise<void> {
    const spec = { schedulerName: 'gala-scheduler', containers: [{ name: 'main', image: 'main:1' }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'hello-' }, spec };
    // Policies are in force a moment after they are applied.
    const gated = async () => (await bed.request('POST', `${PODS}?dryRun=All`, pod)).body.spec.schedulingGates !== undefined;
    await until('gated', [], 60, gated);
    expect(await bed.request('POST', PODS, pod)).toMatchObject({ status: 201 });
  }
});
