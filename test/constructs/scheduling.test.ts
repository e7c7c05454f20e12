import { describe, expect, test } from '@jest/globals';
import { defineCluster } from 'cdk8s-gala';
import { checkDefinitions } from '../../constructs/check.ts';
import { CONCERNS } from '../../constructs/concerns.ts';
import { render } from '../../constructs/render.ts';
import { scheduling } from '../../constructs/scheduling.ts';
import { parseCluster } from '../../lib/api/parse.ts';
import { anIntranetPool } from './a-cluster.ts';

const basics = { name: 'one', kubernetes: '1.37', apiServer: 'https://10.8.0.10', pools: {} } as const;
const existing = { nodes: 'karpenter' };

function parsed(definition: unknown) {
  const { cluster, problems } = parseCluster(definition, [scheduling]);
  if (cluster === undefined) throw new Error(JSON.stringify(problems));
  return cluster;
}

/** What a cluster with these options comes out as. */
function renderedWith(options?: object) {
  const { objects, files } = render(parsed({ ...basics, existing, scheduling: options }), [scheduling]);
  const [replicas] = objects.flatMap(({ object }) =>
    object.kind === 'Deployment' ? [(object.spec as { replicas: number }).replicas] : [],
  );
  return { replicas, summary: files.find(({ path }) => path === 'SUMMARY.md')?.text };
}

describe('the number of schedulers', () => {
  test('is two where nobody says otherwise, one where there is a single node for it', () => {
    expect(renderedWith().replicas).toBe(2);
    expect(renderedWith({ replicas: 1 }).replicas).toBe(1);
  });

  test.each([0, 6, 1.5, '2'])('%j is refused, with what is allowed and what to do', (replicas) => {
    expect(parseCluster({ ...basics, existing, scheduling: { replicas } }, [scheduling]).problems).toEqual([
      expect.objectContaining({
        path: 'scheduling.replicas',
        severity: 'error',
        got: replicas,
        remedy: expect.stringMatching(/^One where/),
      }),
    ]);
  });

  test('is how many labelled nodes a first apply needs, and the summary says so', () => {
    const row = (nodes: number) =>
      `| Deployment/gala-system/gala-scheduler | ${nodes} | \`node-role.kubernetes.io/control-plane\` or \`gala.internal/system\` |`;
    expect(renderedWith().summary).toContain(row(2));
    expect(renderedWith({ replicas: 1 }).summary).toContain(row(1));
    expect(renderedWith().summary).toContain('`kubectl label node <node> gala.internal/system=`');
  });
});

describe('samples of live use', () => {
  const problems = (scheduling: object) =>
    checkDefinitions([{ file: 'one.ts', definition: { ...basics, existing, scheduling } }], CONCERNS).problems;

  test('are asked of a Prometheus; what is said of them without one is pointed out', () => {
    expect(problems({ prometheus: 'https://prom.bj.intra', missingSamples: 'refuse', sampleMaxAgeSeconds: 30 })).toEqual([]);
    expect(problems({ missingSamples: 'refuse' })).toEqual([
      expect.objectContaining({
        path: 'scheduling.missingSamples',
        severity: 'warning',
        remedy: 'Give prometheus, or leave missingSamples out.',
      }),
    ]);
  });

  test.each(['prom.bj.intra', 'https://me:secret@prom.bj.intra', 'https://prom.bj.intra?token=1'])('are not asked of %j', (prometheus) => {
    expect(problems({ prometheus })).toEqual([expect.objectContaining({ path: 'scheduling.prometheus', severity: 'error' })]);
  });
});

describe('pods without a Lock', () => {
  const problems = (over: object) =>
    checkDefinitions([{ file: 'one.ts', definition: { ...basics, ...over, scheduling: { unlockedPods: 'score' } } }], CONCERNS).problems;

  test('can be scored where another CNI wires them', () => {
    expect(problems({ existing })).toEqual([]);
    expect(problems({ pools: { web: anIntranetPool() }, existing: { cni: 'calico' } })).toEqual([]);
  });

  test('can not where Gala gives the addresses: without a slot they would have none', () => {
    expect(problems({ pools: { web: anIntranetPool() } })).toEqual([
      expect.objectContaining({
        path: 'scheduling.unlockedPods',
        severity: 'error',
        remedy: expect.stringContaining("existing: { cni: 'calico' }"),
      }),
    ]);
  });
});

test('the compiler knows the option and no other', () => {
  // @ts-expect-error no key replica
  defineCluster({ ...basics, scheduling: { replica: 1 } });
  // @ts-expect-error a number, not a word
  defineCluster({ ...basics, scheduling: { replicas: 'one' } });
  expect(defineCluster({ ...basics, scheduling: { replicas: 1 } }).scheduling?.replicas).toBe(1);
});
