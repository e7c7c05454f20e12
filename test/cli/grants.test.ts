/** What is said of rights that somebody lacks. The roles that are named have them: constructs/roles.ts renders the same list. */
import { expect, test } from '@jest/globals';
import { KINDS } from '../../lib/api/kinds.ts';
import { userRoles } from '../../lib/api/user-roles.ts';
import { distinct, grantsOf, lackingIn, lackSentence } from '../../lib/cli/grants.ts';
import { NEEDS } from '../../lib/cli/rights.ts';

const lines = (text: string) => text.split('\n');
const list = (resource: string) => ({ verb: 'list', resource });

test('what the API server says is lacking is read from its sentence', () => {
  expect(lackingIn('pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope')).toEqual({
    ...{ user: 'jane', verb: 'list', resource: 'pods' },
  });
  const inFeed =
    'locks.gala.internal is forbidden: User "jane" cannot create resource "locks" in API group "gala.internal" in the namespace "feed"';
  expect(lackingIn(inFeed)).toEqual({ user: 'jane', verb: 'create', resource: 'locks.gala.internal', namespace: 'feed' });
  expect(lackingIn('pods "a" is forbidden: ValidatingAdmissionPolicy \'x\' denied request: no')).toBeUndefined();
});

test('rights of the whole cluster are granted by the operators’ role, or exactly, in as few roles as there can be', () => {
  const rights = [list('nodes'), list('pods'), list('statefulsets.apps')];
  expect(lackSentence('jane', rights)).toBe('jane may not list nodes, pods and statefulsets.apps in the whole cluster.');
  expect(lines(grantsOf('jane', rights))).toEqual([
    'The ClusterRole gala-operator has these. Somebody who may grants it with',
    "  kubectl create clusterrolebinding gala-operator-jane --clusterrole=gala-operator --user='jane'",
    "or, where Gala's roles are not installed, or are too much, with",
    '  kubectl create clusterrole gala-list --verb=list --resource=nodes,pods,statefulsets.apps',
    "  kubectl create clusterrolebinding gala-list-jane --clusterrole=gala-list --user='jane'",
  ]);
});

test('rights of a namespace are granted there by the role of those who work in it, to an account as an account', () => {
  const user = 'system:serviceaccount:ci:deployer';
  const rights = ['create', 'get'].map((verb) => ({ verb, resource: 'locks.gala.internal', namespace: 'feed' }));
  expect(lackSentence(user, rights)).toBe(`${user} may not create and get locks.gala.internal in namespace feed.`);
  expect(lines(grantsOf(user, rights))).toEqual([
    'The ClusterRole edit has these, by gala-edit. Somebody who may grants it with',
    '  kubectl create rolebinding edit-system-serviceaccount-ci-deployer --clusterrole=edit --serviceaccount=ci:deployer -n feed',
    "or, where Gala's roles are not installed, or are too much, with",
    '  kubectl create role create-get-locks-gala-internal --verb=create,get --resource=locks.gala.internal -n feed',
    '  kubectl create rolebinding create-get-locks-gala-internal-system-serviceaccount-ci-deployer --role=create-get-locks-gala-internal --serviceaccount=ci:deployer -n feed',
  ]);
});

test('who only reads in a namespace is given no more than to view it', () => {
  const rights = [
    { verb: 'list', resource: 'locks.gala.internal', namespace: 'feed' },
    { verb: 'get', resource: 'deployments.apps', namespace: 'feed' },
  ];
  expect(lines(grantsOf('jane', rights)).slice(0, 2)).toEqual([
    'The ClusterRole view has these, by gala-view. Somebody who may grants it with',
    "  kubectl create rolebinding view-jane --clusterrole=view --user='jane' -n feed",
  ]);
});

test('a right of the whole cluster is one of each namespace', () => {
  expect(distinct([{ ...list('pods'), namespace: 'gala-system' }, list('pods'), list('nodes'), list('pods')])).toEqual([
    list('nodes'),
    list('pods'),
  ]);
});

test('what no role of Gala’s has is granted exactly', () => {
  expect(lines(grantsOf('jane', [list('secrets')]))[0]).toBe('Somebody who may grants it with');
});

test('operators have every right that a command needs', () => {
  const rules = userRoles(KINDS)['gala-operator'];
  for (const [command, needs] of Object.entries(NEEDS))
    for (const { verb, resource } of needs) {
      const has = rules.some(
        ({ verbs, on }) =>
          (verbs as readonly string[]).includes(verb) && `${on.resource}${on.group === '' ? '' : `.${on.group}`}` === resource,
      );
      expect([command, verb, resource, has]).toEqual([command, verb, resource, true]);
    }
});
