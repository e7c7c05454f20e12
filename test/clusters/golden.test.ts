/** What the clusters come out as, small enough to read: a line a file or object, and a few in full. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Rendering } from '../../constructs/render.ts';
import { nameOf } from '../../lib/api/manifest.ts';
import { fleet } from './fleet.ts';

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);

let clusters: readonly Rendering[];
beforeAll(async () => {
  clusters = await fleet();
});
const cluster = (name: string): Rendering => clusters.find((rendering) => rendering.cluster.name === name)!;
const text = (name: string, path: string): string | undefined => cluster(name).files.find((file) => file.path === path)?.text;

test('the clusters are these', () =>
  expect(clusters.map(({ cluster }) => cluster.name)).toEqual(['bj-a', 'bj-b', 'cloud-a', 'hello', 'hybrid-a', 'prod-3', 'prod-2']));

describe.each(['bj-a', 'bj-b', 'cloud-a', 'hello', 'hybrid-a', 'prod-2', 'prod-3'])('%s', (name) => {
  test('has these objects and files, each as it was', () => {
    const { objects, files } = cluster(name);
    const lines = [
      ...objects.map(({ file, object }) => `${hash(object)}  ${file}  ${nameOf(object)}`),
      ...files.filter(({ path }) => !/^[0-9]/.test(path)).map(({ path, text }) => `${hash(text)}  ${path}`),
    ];
    expect(`\n${lines.join('\n')}\n`).toMatchSnapshot();
  });

  test('passes the gate without error or warning', () => expect(cluster(name).findings).toEqual([]));
});

test.each([
  ['bj-a', '30-pools.yaml'],
  ['hello', '50-scheduling.yaml'],
  ['bj-a', 'hosts/web/etc/kubernetes/kubelet.conf.d/40-gala-network.conf'],
  ['bj-a', 'hosts/web/etc/kubernetes/kubelet.conf.d/50-gala-reservations.conf'],
  ['bj-a', 'hosts/web/etc/systemd/system/var-lib-gala-swapfile.swap'],
  ['hybrid-a', 'hosts/burst/user-data/cloud-config.txt'],
  ['prod-2', '20-rbac.yaml'],
  ['prod-2', 'SUMMARY.md'],
  ['prod-3', '40-network.yaml'],
  ['prod-3', 'hosts/web/APPLY.md'],
])('%s: %s in full', (name, path) => expect(`\n${text(name, path)}`).toMatchSnapshot());
