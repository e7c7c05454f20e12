/** As whom a program asks, on a real API server: who may write where a policy knows one account by name. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accountOf } from '../../lib/kube/account.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { NAMESPACES, SERVICEACCOUNTS, VALIDATINGADMISSIONPOLICIES } from '../../lib/kube/kinds.ts';
import { type Log, silent } from '../../lib/kube/log.ts';
import { kubeconfigOf } from '../bed/account.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';

const ACCOUNT = 'system:serviceaccount:team:writer';
const policy = 'writers';

describeBed('the account of a program', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let admin: Api;
  let writer: Api;
  beforeAll(async () => {
    bed = await startControlPlane({ network: 'loopback', without: ['kube-controller-manager', 'kube-scheduler'] });
    admin = await connect({ kubeconfig: bed.kubeconfig });
    await admin.create(NAMESPACES, { metadata: { name: 'team' } });
    for (const name of ['writer', 'other']) await admin.create(SERVICEACCOUNTS, { metadata: { namespace: 'team', name } });
    writer = await connect({ kubeconfig: await kubeconfigOf(bed, 'team', 'writer') });
  }, 300_000);
  afterAll(async () => {
    admin?.close();
    writer?.close();
    await bed?.stop();
  });

  /** What one is told at the first look. */
  async function told(api: Api): Promise<string | undefined> {
    const ending = new AbortController();
    const said: unknown[] = [];
    const log: Log = { ...silent, error: (_, fields) => said.push(fields?.because) && ending.abort() };
    const account = accountOf(api, { account: ACCOUNT, policy, signal: ending.signal, log });
    await account.settled;
    expect(said).toEqual(account.wrong() === undefined ? [] : [account.wrong()]);
    return account.wrong();
  }

  const makePolicy = () =>
    admin.create(VALIDATINGADMISSIONPOLICIES, {
      metadata: { name: policy },
      spec: {
        matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }] },
        validations: [{ expression: 'true' }],
      },
    });

  test('without the policy anybody may write', async () => {
    expect(await told(admin)).toBeUndefined();
  });

  test('the account itself may write, whatever it may look at', async () => {
    await makePolicy();
    expect(await told(writer)).toBeUndefined();
  });

  test('anybody else is told who may, and how to be that one', async () => {
    expect(await told(admin)).toMatch(
      /^it asks the API server as \S+, and policy writers lets system:serviceaccount:team:writer alone write\. .* kubectl -n team create token writer prints /,
    );
    // Who may not look whether there is such a policy is told the same.
    const other = await connect({ kubeconfig: await kubeconfigOf(bed, 'team', 'other') });
    expect(await told(other)).toMatch(/^it asks the API server as system:serviceaccount:team:other, /);
    other.close();
  });

  test('when the policy is taken away it may write without a restart', async () => {
    const ending = new AbortController();
    const barred = Promise.withResolvers<unknown>();
    const log: Log = { ...silent, error: (_, fields) => barred.resolve(fields?.because) };
    const account = accountOf(admin, { account: ACCOUNT, policy, signal: ending.signal, log, againMs: 50 });
    expect(await barred.promise).toMatch(/ alone write\./);
    await admin.delete(VALIDATINGADMISSIONPOLICIES, { name: policy });
    await account.settled;
    expect(account.wrong()).toBeUndefined();
    ending.abort();
  });
});
