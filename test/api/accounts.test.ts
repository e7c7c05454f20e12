/** The accounts that programs ask as, and the policies that let no others write, are what synth renders. */
import { expect, test } from '@jest/globals';
import bjA from '../../clusters/bj-a.ts';
import { rendered } from '../../constructs/testing.ts';
import { CONTROLLER_ACCOUNT, CONTROLLER_POLICY, WRITER_ACCOUNT, WRITER_POLICY } from '../../lib/api/scheduling.ts';

const out = rendered(bjA);

test.each([
  [WRITER_POLICY, WRITER_ACCOUNT],
  [CONTROLLER_POLICY, CONTROLLER_ACCOUNT],
])('policy %s lets %s write', (policy, account) => {
  const spec = JSON.stringify(out.objects.find(({ kind, metadata }) => kind === 'ValidatingAdmissionPolicy' && metadata.name === policy));
  expect(spec).toContain(account);
});

test.each([WRITER_ACCOUNT, CONTROLLER_ACCOUNT])('%s is a ServiceAccount', (account) => {
  const [, , namespace, name] = account.split(':');
  expect(out.object(`ServiceAccount/${namespace}/${name}`)).toBeDefined();
});
