import { describe, expect, test } from '@jest/globals';
import { NodeAgent, type NodeAgentProps } from '../../constructs/node-agent.ts';
import type { Permission } from '../../constructs/permission.ts';
import { Lock } from '../../lib/api/lock.ts';
import { aCluster, rendered } from './a-cluster.ts';

const pods = { group: '', resource: 'pods' };

function mayBe(may: NodeAgentProps['may']) {
  return rendered(aCluster(), (scope) => {
    new NodeAgent(scope, 'guard', { image: 'guard:1', memory: '64Mi', may });
  });
}

describe('what comes out', () => {
  test('each rule is exactly what was said, and carries its reason under its number', () => {
    const out = mayBe([
      { verbs: ['get', 'watch'], on: pods, because: 'it follows the pods of its node' },
      { verbs: ['patch'], on: Lock, subresource: 'status', resourceNames: ['feed'], because: 'it reports slots' },
    ]);
    const role = out.get('ClusterRole/guard');
    expect(role.rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'watch'] },
      { apiGroups: ['gala.internal'], resources: ['locks/status'], verbs: ['patch'], resourceNames: ['feed'] },
    ]);
    expect(role.metadata.annotations).toMatchObject({
      'because.gala.internal/rule.0': 'it follows the pods of its node',
      'because.gala.internal/rule.1': 'it reports slots',
    });
  });

  test('what holds in one namespace is a Role there, bound to the account in its own', () => {
    const out = mayBe([
      { verbs: ['get'], on: { group: '', resource: 'configmaps' }, namespace: 'kube-system', because: 'it reads the cluster CA' },
      { verbs: ['get'], on: pods, because: 'it looks pods up' },
    ]);
    expect(out.get('Role/kube-system/guard').rules).toHaveLength(1);
    expect(out.get('RoleBinding/kube-system/guard')).toMatchObject({
      roleRef: { kind: 'Role', name: 'guard' },
      subjects: [{ kind: 'ServiceAccount', name: 'guard', namespace: 'gala-system' }],
    });
    expect(out.get('ClusterRoleBinding/guard').roleRef).toMatchObject({ kind: 'ClusterRole', name: 'guard' });
  });

  test("somebody else's role is bound, not copied", () => {
    const out = mayBe([{ role: 'system:node-proxier', because: 'it watches what kube-proxy watches' }]);
    expect(out.get('ClusterRoleBinding/guard.node-proxier')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: 'system:node-proxier' },
      metadata: { annotations: { 'because.gala.internal/role': 'it watches what kube-proxy watches' } },
    });
    expect(out.has('ClusterRole/guard')).toBe(false);
  });

  test('every account is told not to mount its token by itself', () => {
    expect(mayBe([]).get('ServiceAccount/gala-system/guard').automountServiceAccountToken).toBe(false);
  });
});

test.each<[string, Partial<Permission>, RegExp]>([
  ['a permission without a reason', { because: '' }, /may\[0\]\.because is ""; every permission has its reason/],
  ['everything', { verbs: ['*' as 'get'] }, /may\[0\]\.verbs are \[\*\]; some of get, list/],
  ['every resource', { on: { group: '', resource: '*' } }, /may\[0\]\.on is '\*' of group ''; one resource/],
  [
    'making an object of a given name',
    { verbs: ['create'], resourceNames: ['a'] },
    /resourceNames would not let create through; .*Give create a permission without/,
  ],
])('%s is refused', (_, over, message) => {
  expect(() => mayBe([{ verbs: ['get'], on: pods, because: 'it looks pods up', ...over }])).toThrow(message);
});
