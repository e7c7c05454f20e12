/**
 * The other way round: right objects with one thing broken. What a real API server refuses of them, the gate has said before.
 * Every field of every object of the example clusters is broken in every way that fits it, each kind of place once.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Rendering } from '../../constructs/render.ts';
import type { KubeObject } from '../../lib/api/manifest.ts';
import type { GateInput } from '../../lib/gate/finding.ts';
import { gate } from '../../lib/gate/gate.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { fleet } from '../clusters/fleet.ts';
import type { Any } from './builders.ts';

/** Each breaks `parent[key]` in place, where it fits what stands there. */
const WAYS: Readonly<Record<string, { fits(value: unknown, parent: Any): boolean; do(parent: Any, key: Any, value: Any): void }>> = {
  dropped: {
    fits: () => true,
    do: (parent, key) => {
      if (Array.isArray(parent)) parent.splice(key, 1);
      else delete parent[key];
    },
  },
  misspelt: {
    fits: (_, parent) => !Array.isArray(parent),
    do: (parent, key, value) => {
      delete parent[key];
      parent[`${key}x`] = value;
    },
  },
  'of another type': {
    fits: () => true,
    do: (parent, key, value) => {
      parent[key] = typeof value === 'string' ? { a: 1 } : typeof value === 'number' ? 'abc' : 'text';
    },
  },
  twice: { fits: (_, parent) => Array.isArray(parent), do: (parent, _, value) => parent.push(structuredClone(value)) },
  emptied: {
    fits: (value) => typeof value === 'object',
    do: (parent, key, value) => {
      parent[key] = Array.isArray(value) ? [] : {};
    },
  },
  ...replaced('string', { 'a number': 7, 'a bad name': 'Bad_Name!', 'two words': 'a b', 'no text': '', 'long text': 'x'.repeat(300) }),
  ...replaced('number', { 'below zero': -1, zero: 0, huge: 99_999_999, 'a fraction': 1.5 }),
};

function replaced(type: string, values: Readonly<Record<string, unknown>>): typeof WAYS {
  return Object.fromEntries(
    Object.entries(values).map(([name, instead]) => [
      name,
      {
        fits: (value: unknown) => typeof value === type,
        do: (parent: Any, key: Any) => {
          parent[key] = instead;
        },
      },
    ]),
  );
}

/** What the gate leaves to the API server, each with its reason. */
const LEFT: readonly (readonly [RegExp, string])[] = [
  [
    /is invalid: (\S+: )?Invalid value: (shape must|join is|size\.min is|no item may)/,
    'CEL rules of our own kinds: the definition is checked for the same',
  ],
  [
    /compilation failed: ERROR/,
    "CEL of policies: compiling it is the API server's; ours are compiled, type-checked and asked in tests of theirs",
  ],
  [/hostPath\.path: Required value/, 'an empty path of the host: NodeAgent says it of its needs, before there is an object (need.ts)'],
  [/valueFrom\.fieldRef\.fieldPath: /, 'which fields of a pod env may name differs by minor: who makes the pod starts it once'],
];

interface Broken {
  readonly title: string;
  readonly cluster: Rendering;
  readonly input: GateInput;
  readonly object: KubeObject;
}

function* broken(clusters: readonly Rendering[]): Generator<Broken> {
  const seen = new Set<string>();
  for (const cluster of clusters)
    for (const input of cluster.objects) {
      const { kind, data } = input.object as Any;
      // CRDs are made from schemas that have tests of their own; data of a ConfigMap is anybody's text.
      if (kind === 'CustomResourceDefinition') continue;
      for (const path of paths({ ...input.object, ...(data === undefined ? {} : { data: undefined }) })) {
        for (const [way, { fits, do: act }] of Object.entries(WAYS)) {
          const title = `${kind} ${path.map((key) => (typeof key === 'number' ? '[]' : key)).join('.')} ${way}`;
          if (seen.has(title) || path[0] === 'apiVersion' || path[0] === 'kind') continue;
          seen.add(title);
          const object = structuredClone(input.object);
          const parent = path.slice(0, -1).reduce((at: Any, key) => at[key], object);
          const key = path.at(-1) as string | number;
          if (!fits(parent[key], parent)) continue;
          act(parent, key, parent[key]);
          yield { title, cluster, input, object };
        }
      }
    }
}

function* paths(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) yield* paths((value as Any)[key], [...path, key]);
}

/** Whether the gate has something to say that it does not say of the cluster as it is, which is nothing. */
function isFound({ cluster: { cluster, objects }, input, object }: Broken): boolean {
  const changed = objects.map((other) => (other === input ? { ...input, object } : other));
  return gate(changed, { services: cluster.services, kubernetes: cluster.kubernetes }).length > 0;
}

describeBed('right objects, broken in one place', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let clusters: readonly Rendering[];
  beforeAll(async () => {
    clusters = await fleet();
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    const first = clusters.flatMap(({ objects }) => objects.map(({ object }) => object));
    await bed.apply(first.filter(({ kind }) => kind === 'CustomResourceDefinition' || kind === 'Namespace'));
  });
  afterAll(() => bed?.stop());

  test('what the API server refuses of them, the gate has found: else teach it, or name it in LEFT with the reason', async () => {
    const unfound: Broken[] = [];
    let found = 0;
    for (const one of broken(clusters)) {
      if (isFound(one)) found++;
      else unfound.push(one);
    }
    const asked = unfound.length;
    const gaps: string[] = [];
    const asking = async () => {
      for (let one = unfound.pop(); one !== undefined; one = unfound.pop()) {
        const [applied] = await bed.apply([one.object], { dryRun: true });
        const message = applied?.message?.replace(/\s+/g, ' ') ?? '';
        if (applied?.result === 'refused' && !LEFT.some(([said]) => said.test(message)))
          gaps.push(`${one.title}: ${message.slice(0, 300)}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, asking));
    expect(gaps).toEqual([]);
    // 2017 and 753 with the clusters of 2026-11: far fewer means that nothing was broken.
    expect(found).toBeGreaterThan(1000);
    expect(asked).toBeGreaterThan(100);
  }, 180_000);
});
