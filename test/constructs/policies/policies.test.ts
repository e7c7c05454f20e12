/** Which policies a cluster has, by what it is made of; what each does is asked of a real API server beside this. */
import { describe, expect, test } from '@jest/globals';
import { Scheduling, type SchedulingProps } from 'cdk8s-gala';
import type { KubeObject } from '../../../lib/api/manifest.ts';
import { aCluster, anIntranetPool, rendered } from '../a-cluster.ts';

function policiesOf(over: object, props: SchedulingProps = {}) {
  const { objects } = rendered(aCluster(over), (scope) => {
    new Scheduling(scope, 'scheduler', props);
  });
  return objects.filter(({ kind }) => kind.endsWith('AdmissionPolicy'));
}
const names = (policies: readonly KubeObject[]) =>
  policies.map(({ kind, metadata }) => `${kind.replace('AdmissionPolicy', '')}/${metadata.name}`);
const gating = (policies: readonly KubeObject[]) => JSON.stringify(policies.find(({ kind }) => kind.startsWith('Mutating'))?.spec);

const conditionsOf = ({ spec }: KubeObject) => (spec as { matchConditions?: { name: string; expression: string }[] }).matchConditions ?? [];

const hard = { pools: { web: anIntranetPool() } };
const advisory = { pools: { web: anIntranetPool({ locks: 'advisory' }) } };

test('all of them, where a pool is tainted', () => {
  expect(names(policiesOf(hard))).toEqual([
    'Mutating/gala-gate',
    'Validating/gala-gate',
    'Validating/gala-slots',
    'Validating/gala-slots-bindings',
    'Validating/gala-pool-taint',
    'Validating/gala-pool-nodes',
    'Validating/gala-pool-bindings',
    'Validating/gala-slots-resize',
    'Validating/gala-slots-bandwidth',
    'Validating/gala-locks',
    'Validating/gala-locks-status',
    'Validating/gala-ip-locks',
    'Validating/gala-node-networks',
    'Validating/gala-host-pools',
  ]);
});

test('below 1.36 the API server changes no pod: it has no such policies there', () => {
  expect(names(policiesOf({ ...hard, kubernetes: '1.35' }))).not.toContain('Mutating/gala-gate');
  expect(names(policiesOf({ ...hard, kubernetes: '1.36' }))).toContain('Mutating/gala-gate');
});

describe.each([
  ['no pool', {}],
  ['a pool whose locks are advisory', advisory],
])('beside %s', (_, over) => {
  test('nobody is asked what he tolerates, which node he names or how large he becomes, and no pod gets a toleration or another scheduler', () => {
    const policies = policiesOf(over);
    expect(names(policies).filter((name) => /pool-(taint|nodes|bindings)|resize|bandwidth/.test(name))).toEqual([]);
    expect(gating(policies)).not.toMatch(/tolerations|DaemonSet|schedulerName'/);
  });

  test('below 1.36 a pod of gala-scheduler needs no toleration', () => {
    const policies = policiesOf({ ...over, kubernetes: '1.35' });
    expect(JSON.stringify(policies.find(({ metadata }) => metadata.name === 'gala-gate'))).not.toContain('tolerations');
  });
});

test('where pods without a Lock are scored, only those that name one wait behind the gate', () => {
  const [mutating] = policiesOf({}, { unlockedPods: 'score' });
  expect(conditionsOf(mutating!)[0]?.expression).toContain("annotations[?'gala.internal/lock']");
});

test('every policy has its binding, is fail-closed, and says why it is there', () => {
  const { objects } = rendered(aCluster(hard), (scope) => {
    new Scheduling(scope, 'scheduler', {});
  });
  for (const { kind, metadata, spec } of objects.filter(({ kind }) => kind.endsWith('AdmissionPolicy'))) {
    expect(spec).toMatchObject({ failurePolicy: 'Fail' });
    expect(metadata.annotations?.['because.gala.internal/policy']).toMatch(/^[a-z].{20,}[^.]$/);
    expect(objects.find((object) => object.kind === `${kind}Binding` && object.metadata.name === metadata.name)?.spec).toMatchObject({
      policyName: metadata.name,
    });
  }
});

test('every policy ends at the first thing that is not so: the API server works out all match conditions there are', () => {
  for (const kubernetes of ['1.35', '1.37'])
    for (const policy of policiesOf({ ...hard, kubernetes }))
      expect([policy.metadata.name, conditionsOf(policy)]).toEqual([policy.metadata.name, [expect.anything()]]);
});

test('rules and sentences are worked out for requests that break one, but where the namespace has to be looked at', () => {
  const asked = policiesOf(hard).filter(({ kind }) => kind.startsWith('Validating'));
  const others = asked.filter((policy) => conditionsOf(policy)[0]?.name !== 'breaks-a-rule');
  expect(names(others)).toEqual(['Validating/gala-locks']);
});
