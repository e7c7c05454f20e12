import { expect, test } from '@jest/globals';
import { KINDS } from '../../lib/api/kinds.ts';
import { aCluster, rendered } from './a-cluster.ts';

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];
type Rule = { resources: string[]; verbs: string[]; apiGroups: string[] };

const out = rendered(aCluster());
/** Verbs that a role has on a resource. */
const verbs = (role: string, resource: string): string[] =>
  out.get(`ClusterRole/${role}`).rules.flatMap((rule: Rule) => (rule.resources.includes(resource) ? rule.verbs : []));

test('whoever may view pods may view every kind of Gala, and change none', () => {
  expect(out.get('ClusterRole/gala-view').metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-view': 'true' });
  for (const { plural } of KINDS) expect(verbs('gala-view', plural)).toEqual(['get', 'list', 'watch']);
});

test('whoever may edit a namespace may lock there, and touch nothing of the cluster', () => {
  expect(out.get('ClusterRole/gala-edit').metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' });
  for (const { plural, scope } of KINDS) expect(verbs('gala-edit', plural)).toEqual(scope === 'Namespaced' ? WRITES : []);
});

test('operators lock anywhere, and read addresses; they may say that one is let go, which a policy bounds, and delete none', () => {
  expect(verbs('gala-operator', 'locks')).toEqual(['get', 'list', 'watch', ...WRITES]);
  expect(verbs('gala-operator', 'iplocks')).toEqual(['get', 'list', 'watch', 'patch']);
});

test('operators size a pool through its scale; the pool itself is what synth says', () => {
  expect(verbs('gala-operator', 'hostpools')).toEqual(['get', 'list', 'watch']);
  expect(verbs('gala-operator', 'hostpools/scale')).toEqual(['get', 'update', 'patch']);
});

test('operators read the events of both groups: kubectl asks the core one', () => {
  const groups = out
    .get('ClusterRole/gala-operator')
    .rules.flatMap((rule: Rule) => (rule.resources.includes('events') && rule.verbs.includes('list') ? rule.apiGroups : []));
  expect(groups).toEqual(['', 'events.k8s.io']);
});

test('operators read everything that the terminal counts by', () => {
  const counted = ['nodes', 'pods', 'namespaces', 'statefulsets', 'csistoragecapacities', 'hostpools', 'nodenetworks', 'locks', 'iplocks'];
  const shown = ['deployments', 'daemonsets', 'leases'];
  for (const resource of [...counted, ...shown])
    expect([resource, verbs('gala-operator', resource)]).toEqual([resource, expect.arrayContaining(['get', 'list'])]);
});

test('nobody writes a status by a role for people', () => {
  for (const role of ['gala-view', 'gala-edit', 'gala-operator'])
    for (const { plural } of KINDS) expect(verbs(role, `${plural}/status`)).toEqual([]);
});

test('every rule says why it is there', () => {
  for (const role of ['gala-view', 'gala-edit', 'gala-operator']) {
    const { rules, metadata } = out.get(`ClusterRole/${role}`);
    rules.forEach((_: Rule, index: number) => {
      expect(metadata.annotations[`because.gala.internal/rule.${index}`]).toMatch(/\w+ \w+/);
    });
  }
});
