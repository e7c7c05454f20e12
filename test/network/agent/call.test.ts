import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { callOf, isCniError, PROTOCOL } from '../../../lib/network/agent/call.ts';

const ENV = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'f2a4c0e1',
  CNI_NETNS: '/var/run/netns/cni-1',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=feed;K8S_POD_NAME=feed-api-0;K8S_POD_INFRA_CONTAINER_ID=f2a4c0e1;K8S_POD_UID=0f8fad5b',
};
const CONFIG = { cniVersion: '1.1.0', name: 'gala', type: 'gala' };
const said = (env: object = {}, config: object = {}, more: object = {}) =>
  callOf(JSON.stringify({ protocol: PROTOCOL, env: { ...ENV, ...env }, config: { ...CONFIG, ...config }, ...more }));
const refused = (call: ReturnType<typeof callOf>) => {
  if (!isCniError(call)) throw new Error(`it was taken: ${JSON.stringify(call)}`);
  return call;
};

test('an ADD of containerd is read whole', () => {
  expect(said()).toEqual({
    ...{ verb: 'ADD', cniVersion: '1.1.0', network: 'gala' },
    sandbox: { containerId: 'f2a4c0e1', ifname: 'eth0', netns: '/var/run/netns/cni-1' },
    pod: { uid: '0f8fad5b', namespace: 'feed', name: 'feed-api-0' },
  });
});

test('a DEL may come without a namespace and without a pod', () => {
  expect(said({ CNI_COMMAND: 'DEL', CNI_NETNS: '', CNI_ARGS: '' })).toMatchObject({ verb: 'DEL', sandbox: { netns: '' } });
});

test('GC names who is still there, and an empty list is one', () => {
  const gc = (list: unknown) => said({ CNI_COMMAND: 'GC' }, { 'cni.dev/valid-attachments': list });
  expect(gc([{ containerID: 'a', ifname: 'eth0' }])).toMatchObject({ valid: [{ containerId: 'a', ifname: 'eth0' }] });
  expect(gc([])).toMatchObject({ valid: [] });
  // All would be collected.
  expect(refused(gc(undefined)).code).toBe(7);
  expect(refused(gc([{ containerID: 1 }])).details).toContain('cni.dev/valid-attachments');
});

test.each([
  ['an unknown verb', { CNI_COMMAND: 'ADDD' }, {}, 4, 'CNI_COMMAND is "ADDD"'],
  ['an id that leaves the folder', { CNI_CONTAINERID: '../x' }, {}, 4, 'CNI_CONTAINERID is "../x"'],
  ['an interface with a slash', { CNI_IFNAME: 'a/b' }, {}, 4, 'CNI_IFNAME is "a/b"'],
  ['an interface that is too long', { CNI_IFNAME: 'a'.repeat(16) }, {}, 4, 'at most 15'],
  ['a namespace with a quote', { CNI_NETNS: '/run/"x' }, {}, 4, 'CNI_NETNS'],
  ['a namespace that climbs', { CNI_NETNS: '/run/../etc' }, {}, 4, 'CNI_NETNS'],
  ['no namespace for an ADD', { CNI_NETNS: '' }, {}, 4, 'CNI_NETNS is ""'],
  ['a pod without a UID', { CNI_ARGS: 'K8S_POD_NAME=a;K8S_POD_NAMESPACE=b' }, {}, 4, 'K8S_POD_UID'],
  ['a version that is not spoken', {}, { cniVersion: '2.0.0' }, 1, 'supported are 0.4.0, 1.0.0, 1.1.0'],
  ['a network without a name', {}, { name: '' }, 7, 'name is ""'],
])('%s is refused with the value and what is allowed', (_, env, config, code, words) => {
  expect(refused(said(env, config))).toMatchObject({ code, details: expect.stringContaining(words) });
});

test('a shim of another protocol is told so', () => {
  expect(refused(said({}, {}, { protocol: 2 })).details).toContain('protocol 2');
});

test('whatever comes is a call or an error with a sentence, and never an exception', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ protocol: fc.constant(1), env: fc.object(), config: fc.object() }).map((it) => JSON.stringify(it)),
  );
  fc.assert(
    fc.property(anything, (text) => {
      const call = callOf(text);
      if (isCniError(call)) expect(call.details.length).toBeGreaterThan(20);
      else expect(call.cniVersion).toMatch(/^\d/);
    }),
  );
});
