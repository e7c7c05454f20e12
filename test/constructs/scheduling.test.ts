import { describe, expect, test } from '@jest/globals';
import { defineCluster } from 'cdk8s-gala';
import { render } from '../../constructs/render.ts';
import { scheduling } from '../../constructs/scheduling.ts';
import { parseCluster } from '../../lib/api/parse.ts';

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

test('the compiler knows the option and no other', () => {
  // @ts-expect-error no key replica
  defineCluster({ ...basics, scheduling: { replica: 1 } });
  // @ts-expect-error a number, not a word
  defineCluster({ ...basics, scheduling: { replicas: 'one' } });
  expect(defineCluster({ ...basics, scheduling: { replicas: 1 } }).scheduling?.replicas).toBe(1);
});
