/** What leaves synth is put before a real API server, as README says to apply it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Rendering } from '../../constructs/render.ts';
import { rendered } from '../../constructs/testing.ts';
import { ddos } from '../../examples/own-concern/ddos.ts';
import edge from '../../examples/own-concern/edge.ts';
import { nameOf } from '../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { fleet } from './fleet.ts';

const NAMES = ['bj-a', 'bj-b', 'cloud-a', 'hello', 'hybrid-a', 'prod-2', 'prod-3'];
describeBed('a cluster on a real API server', ['control-plane'], () => {
  let clusters: readonly Rendering[];
  let bed: Bed;
  beforeAll(async () => {
    clusters = await fleet();
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
  }, 300_000);
  afterAll(() => bed?.stop());

  test.each(NAMES)('%s: every object is accepted without a warning, and applied again nothing changes', async (name) => {
    const objects = clusters.find(({ cluster }) => cluster.name === name)!.objects.map(({ object }) => object);
    const first = await bed.apply(objects, { fieldManager: 'kubectl' });
    expect(first.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
    const second = await bed.apply(objects, { fieldManager: 'kubectl' });
    expect(second.filter(({ result }) => result !== 'unchanged')).toEqual([]);
  });

  test('no field of any object is lost on the way: what was rendered is what is there', async () => {
    for (const { objects } of clusters)
      for (const { live, object } of await bed.apply(
        objects.map((input) => input.object),
        { fieldManager: 'kubectl' },
      )) {
        const sent = objects.find((input) => nameOf(input.object) === object)!.object;
        expect(live).toMatchObject(sent as object);
      }
  });

  test("somebody's own concern is accepted too", async () => {
    const applied = await bed.apply(rendered(edge, { concerns: [ddos] }).objects);
    expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
  });
});

describeBed('README’s apply lines', ['control-plane'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'gala-apply-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  // A server each: one shape alone, both shapes, a slice.
  test.each(['hello', 'hybrid-a', 'prod-2', 'prod-3'])(
    'work as written on an empty cluster: %s',
    async (name) => {
      const { files } = (await fleet()).find(({ cluster }) => cluster.name === name)!;
      for (const { path, text } of files) {
        mkdirSync(join(folder, name, dirname(path)), { recursive: true });
        writeFileSync(join(folder, name, path), text);
      }
      const bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
      try {
        const lines = [
          ['apply', '--server-side', '-f', join(folder, name, '10-crds.yaml')],
          ['wait', '--for=condition=Established', 'crd', '-l', 'app.kubernetes.io/part-of=gala'],
          ['apply', '--server-side', '-f', join(folder, name)],
        ];
        for (const line of lines) expect(await bed.kubectl(line)).toMatchObject({ code: 0, stderr: '' });
        const { stdout } = await bed.kubectl(['get', 'deployments', '-A', '-o', 'name']);
        expect(stdout).toContain('deployment.apps/gala-scheduler');
      } finally {
        await bed.stop();
      }
    },
    60_000,
  );
});
