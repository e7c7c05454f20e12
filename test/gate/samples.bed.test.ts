/** What a real API server says to the planted mistakes: the column of docs/gate.md is what it answers. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubeObject } from '../../lib/api/manifest.ts';
import { rules } from '../../lib/gate/registry.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { aCluster, aCrd, aNamespace, CONTEXT } from './builders.ts';
import { type Sample, samples } from './samples.ts';

/** Somebody else's kind that samples use. */
const NODE_POOL: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nodepools.karpenter.sh' },
  spec: {
    group: 'karpenter.sh',
    scope: 'Cluster',
    names: { kind: 'NodePool', plural: 'nodepools' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

/** The objects of a sample that are not those of the good cluster, as they stand in YAML; of a mere duplicate the last. */
function planted({ inputs }: Sample): KubeObject[] {
  const good = aCluster().map(({ object }) => object);
  const bad = inputs.filter(({ object }) => !good.some((other) => isDeepStrictEqual(object, other)));
  return (bad.length === 0 ? inputs.slice(-1) : bad).map(({ object }) => JSON.parse(JSON.stringify(object)));
}

// Samples of the oldest minor are asked of a server that is that minor; --emulated-version: KEP-4330.
const SERVERS = { newest: [], '1.35': ['--emulated-version', '1.35'] } as const;
const serverOf = ({ context = CONTEXT }: Sample) => (context.kubernetes === '1.35' ? '1.35' : 'newest');

describeBed('the bad samples on a real API server', ['etcd', 'kube-apiserver'], () => {
  const beds = new Map<string, Bed>();
  beforeAll(async () => {
    for (const [name, flags] of Object.entries(SERVERS)) {
      const bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'], flags: { 'kube-apiserver': flags } });
      beds.set(name, bed);
      await bed.apply([aNamespace(), aCrd(), NODE_POOL]);
    }
  });
  afterAll(() => Promise.all([...beds.values()].map((bed) => bed.stop())));

  /** Not applied, only asked; an object that is none at all has nowhere to be sent. */
  async function refuses(sample: Sample): Promise<boolean> {
    const objects = planted(sample);
    if (objects.some((object) => typeof object?.metadata?.name !== 'string')) return true;
    const applied = await beds.get(serverOf(sample))!.apply(objects, { dryRun: true });
    return applied.some(({ result }) => result === 'refused');
  }

  test.each(rules.map(({ id, server }) => [id, server] as const))('%s: %s', async (id, server) => {
    const answers: boolean[] = [];
    for (const sample of samples[id] ?? []) answers.push(await refuses(sample));
    const said = new Set(answers);
    expect(said.size === 2 ? 'either' : said.has(true) ? 'refuses' : 'accepts').toBe(server);
  });

  test('the good cluster is taken as it is', async () => {
    const applied = await beds.get('newest')!.apply(
      aCluster().map(({ object }) => object),
      { dryRun: true },
    );
    expect(applied.filter(({ result, warnings }) => result === 'refused' || warnings.length > 0)).toEqual([]);
  });
});
