import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { aCluster, rendered } from './a-cluster.ts';

interface Asked {
  /** @default Gala's */
  readonly group?: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
}

describeBed('user roles on a real API server', ['etcd', 'kube-apiserver', 'kube-controller-manager'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
    await bed.apply(rendered(aCluster()).objects);
    for (const role of ['view', 'edit', 'admin'])
      await bed.apply([
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: `a-${role}`, namespace: 'default' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `a-${role}` }],
        },
      ]);
    await bed.apply([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'an-operator' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gala-operator' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'an-operator' }],
      },
    ]);
    // The controller manager fills admin from edit, and edit from view: the last link says that all are there.
    while (!(await may('a-admin', { verb: 'list', resource: 'locks', namespace: 'default' })))
      await new Promise((done) => setTimeout(done, 50));
  });
  afterAll(() => bed?.stop());

  async function may(user: string, { group = 'gala.internal', verb, resource, subresource, namespace }: Asked): Promise<boolean> {
    const { body } = await bed.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes: { group, verb, resource, subresource, namespace } },
    });
    return body.status.allowed;
  }

  test.each<[string, Asked, boolean, boolean, boolean]>([
    ['read locks of the namespace', { verb: 'list', resource: 'locks', namespace: 'default' }, true, true, true],
    ['lock in the namespace', { verb: 'create', resource: 'locks', namespace: 'default' }, false, true, true],
    ['lock in another namespace', { verb: 'create', resource: 'locks', namespace: 'kube-system' }, false, false, false],
    ['say how a lock stands', { verb: 'update', resource: 'locks', subresource: 'status', namespace: 'default' }, false, false, false],
    ['free an address', { verb: 'delete', resource: 'iplocks' }, false, false, false],
    ['say that nobody uses an address', { verb: 'patch', resource: 'iplocks' }, false, false, false],
    ['change a pool', { verb: 'patch', resource: 'hostpools' }, false, false, false],
  ])('who may %s', async (_, asked, viewer, editor, admin) => {
    expect([await may('a-view', asked), await may('a-edit', asked), await may('a-admin', asked)]).toEqual([viewer, editor, admin]);
  });

  test('operators say that nobody uses an address any more, and delete none', async () => {
    expect(await may('an-operator', { verb: 'patch', resource: 'iplocks' })).toBe(true);
    expect(await may('an-operator', { verb: 'delete', resource: 'iplocks' })).toBe(false);
  });

  test.each(['', 'events.k8s.io'])("operators see why a pod waits: events of group '%s' in any namespace", async (group) => {
    for (const verb of ['get', 'list', 'watch'])
      expect(await may('an-operator', { group, verb, resource: 'events', namespace: 'default' })).toBe(true);
    expect(await may('an-operator', { group, verb: 'delete', resource: 'events', namespace: 'default' })).toBe(false);
  });
});
