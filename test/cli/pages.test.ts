/** What docs/cli.md and docs/gate.md show of a terminal is what the terminal shows. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import bjA from '../../clusters/bj-a.ts';
import { rendered } from '../../constructs/testing.ts';
import { aDist, type Files } from './a-dist.ts';
import { gala, type Said } from './gala.ts';
import { shown } from './shown.ts';

const NOW: Files = Object.fromEntries(rendered(bjA).files.map(({ path, text }) => [path, text]));

const SCHEDULING = '50-scheduling.yaml';
const KUBELET = 'hosts/web/etc/kubernetes/kubelet.conf.d';

/** An earlier bj-a, in which something else stood; in each file one text for another. */
async function diffFrom(earlier: readonly (readonly [file: string, now: string, before: string])[]): Promise<Said> {
  const before = { ...NOW };
  for (const [file, from, to] of earlier) {
    expect(before[file]).toContain(from);
    before[file] = before[file]!.replace(from, to);
  }
  return gala('diff', 'bj-a', '--dist', aDist({ 'bj-a': NOW }), '--against', aDist({ 'bj-a': before }));
}

test('the diff in docs/cli.md is printed', async () => {
  const said = await diffFrom([
    [SCHEDULING, 'kube-scheduler:v1.37.2', 'kube-scheduler:v1.37.1'],
    [SCHEDULING, '\n  replicas: 2', '\n  replicas: 3'],
    [`${KUBELET}/40-gala-network.conf`, 'maxPods: 70', 'maxPods: 100'],
  ]);
  expect(said).toEqual({ code: 0, out: shown('docs/cli.md', 'gala diff bj-a --against ../applied/dist'), err: '' });
});

test('the diff in docs/gate.md is printed, with the exit code of a refusal', async () => {
  const said = await diffFrom([
    [SCHEDULING, 'kube-scheduler:v1.37.2', 'kube-scheduler:v1.37.1'],
    ['20-rbac.yaml', '\nvalue: 10000\n', '\nvalue: 20000\n'],
    [`${KUBELET}/70-gala-swap.conf`, 'LimitedSwap', 'NoSwap'],
  ]);
  expect(said).toEqual({ code: 3, out: shown('docs/gate.md', 'gala diff bj-a --against golden/bj-a'), err: '' });
});

test('the refusals in docs/cli.md are printed', async () => {
  const dist = aDist({ 'bj-a': {}, 'bj-b': {}, 'cloud-a': {}, hello: {}, 'hybrid-a': {}, 'prod-2': {} });
  const said = (await gala('images', 'bja', '--dist', dist)).err.replaceAll(dist, 'dist');
  expect(said).toBe(shown('docs/cli.md', 'gala images bja'));
  const other = (await gala('diff', 'hello', '--dist', dist, '--against', join(dist, 'bj-b'))).err.replaceAll(dist, 'applied');
  expect(other).toBe(shown('docs/cli.md', 'gala diff hello --against applied/bj-b'));
});
