/** What the agent asks of a container runtime, of a server that speaks gRPC over HTTP/2 as containerd does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { criOf } from '../../../lib/network/agent/cri.ts';
import { bytesOf, fieldsOf, message, textOf } from '../../../lib/network/agent/grpc.ts';
import { type Runtime, aRuntime as runtimeOn } from './a-runtime.ts';

let folder: string;
let socket: string;
let runtime: Runtime | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-cri-'));
  socket = join(folder, 'cri.sock');
});
afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const aRuntime = async (answer: Parameters<typeof runtimeOn>[1]) => {
  runtime = await runtimeOn(socket, answer);
};

const NOT_READY = Buffer.from([3 * 8, 1]);
const aSandbox = (id: string, uid: string) => message({ 1: id, 2: message({ 1: 'feed-api-0', 2: uid, 3: 'feed' }) });

test('sandboxes by their id, with their pods, and whether they are ready', async () => {
  const ended = Buffer.concat([aSandbox('c2', 'pod-b'), NOT_READY]);
  await aRuntime((path) => {
    expect(path).toBe('/runtime.v1.RuntimeService/ListPodSandbox');
    return Buffer.concat([message({ 1: aSandbox('c1', 'pod-a') }), message({ 1: ended })]);
  });
  const pod = { namespace: 'feed', name: 'feed-api-0' };
  expect(await criOf(socket).sandboxes()).toEqual(
    new Map([
      ['c1', { ...pod, isReady: true, podUID: 'pod-a' }],
      ['c2', { ...pod, isReady: false, podUID: 'pod-b' }],
    ]),
  );
});

test('all of more sandboxes than a frame of HTTP/2 holds, and of none', async () => {
  let count = 3_000;
  await aRuntime(() => Buffer.concat(Array.from({ length: count }, (_, at) => message({ 1: aSandbox(`c${at}`, `pod-${at}`) }))));
  expect((await criOf(socket).sandboxes()).size).toBe(3_000);
  count = 0;
  expect((await criOf(socket).sandboxes()).size).toBe(0);
});

test('the network namespace is that of the specification by which the sandbox was made', async () => {
  const namespaces = [{ type: 'pid' }, { type: 'network', path: '/var/run/netns/cni-1' }];
  let info = JSON.stringify({ runtimeSpec: { linux: { namespaces } } });
  await aRuntime((path, request) => {
    expect(path).toBe('/runtime.v1.RuntimeService/PodSandboxStatus');
    expect([textOf(fieldsOf(request), 1), fieldsOf(request).get(2)]).toEqual(['c1', [1n]]);
    return Buffer.concat([message({ 1: message({ 1: 'c1' }) }), message({ 2: message({ 1: 'info', 2: info }) })]);
  });
  expect(await criOf(socket).netnsOf('c1')).toBe('/var/run/netns/cni-1');
  info = 'no JSON';
  expect(await criOf(socket).netnsOf('c1')).toBeUndefined();
});

test('what the runtime refuses, and that it is not there, is told with the call and the socket', async () => {
  await expect(criOf(socket).sandboxes()).rejects.toThrow(new RegExp(`ListPodSandbox on ${socket}: .*ENOENT`));
  await aRuntime(() => ({ status: 5, message: 'no sandbox: 100 %' }));
  await expect(criOf(socket).netnsOf('c1')).rejects.toThrow(`PodSandboxStatus on ${socket}: no sandbox: 100 %`);
});

test('texts, truths and messages come back as they were, whatever their size', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 20_000 }), fc.integer({ min: 1, max: 500 }), (text, bytes, number) => {
      const read = fieldsOf(message({ [number]: text, [number + 1]: Buffer.from(bytes), [number + 2]: true }));
      expect(textOf(read, number)).toBe(text);
      expect([...bytesOf(read, number + 1)]).toEqual([...bytes]);
      expect(read.get(number + 2)).toEqual([1n]);
    }),
  );
});

test('any bytes are fields or an error, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        fieldsOf(Buffer.from(bytes));
      } catch (error) {
        expect((error as Error).message).toMatch(/^a (message that is cut off|field of kind \d)$/);
      }
    }),
  );
});
