import { expect, test } from '@jest/globals';
import { endedBy, policySentence } from '../../lib/cli/fault.ts';
import { ApiError, NoAnswer } from '../../lib/kube/error.ts';

const answer = (status: number, reason: string, message: string, details = {}) =>
  endedBy(new ApiError('GET /pods', { status, reason, message, details }));

test('of a policy’s refusal its own sentence is left', () => {
  const message = `locks.gala.internal "x" is forbidden: ValidatingAdmissionPolicy 'gala-locks' with binding 'gala-locks' denied request: 3 pods use it. Delete them first`;
  expect(policySentence(message)).toBe('3 pods use it. Delete them first');
  expect(answer(403, 'Forbidden', message)).toMatchObject({ exitCode: 3, message: '3 pods use it. Delete them first' });
});

test('of an invalid object each cause is a line', () => {
  const causes = [
    { field: 'spec.count', message: 'Invalid value: 0: should be greater than or equal to 1' },
    { field: '', message: 'either template or podFrom must be given' },
  ];
  expect(answer(422, 'Invalid', 'Lock is invalid', { causes })).toMatchObject({
    exitCode: 2,
    message: 'spec.count: Invalid value: 0: should be greater than or equal to 1.\neither template or podFrom must be given.',
  });
});

test.each([
  [401, 'Unauthorized', 3],
  [404, 'NotFound', 2],
  [409, 'Conflict', 4],
  [429, 'TooManyRequests', 4],
  [500, 'InternalError', 4],
])('%i %s ends with exit code %i', (status, reason, exitCode) => {
  expect(answer(status, reason, 'no')?.exitCode).toBe(exitCode);
});

test('no answer is not now, and says how to ask the same server', () => {
  const error = new NoAnswer('GET https://10.8.0.10:6443/api/v1/nodes', { maybeDone: false, cause: new Error('connect ECONNREFUSED') });
  expect(endedBy(error)).toMatchObject({
    exitCode: 4,
    message: expect.stringMatching(
      /^GET https:\/\/10\.8\.0\.10:6443\S+: connect ECONNREFUSED\. The API server does not answer: kubectl get --raw \/readyz/,
    ),
  });
});

test('a mistake of our own is not dressed up', () => {
  expect(endedBy(new TypeError('x is not a function'))).toBeUndefined();
});
