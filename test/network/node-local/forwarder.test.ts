import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { silent } from '../../../lib/kube/log.ts';
import { type Forwarder, type ForwarderOptions, forwarder } from '../../../lib/network/node-local/forwarder.ts';

const HOST = '127.0.0.1';
const started: (Server | Forwarder)[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of started.splice(0)) await one.close();
});

/** Answers as it is told to. */
async function aServer(answer: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}));
    answer(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  started.push(server);
  return { host: HOST, port: (server.address() as AddressInfo).port };
}

/** A port that nobody listens on. */
async function nobody() {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { host: HOST, port };
}

async function aForwarder(options: Partial<ForwarderOptions> & Pick<ForwarderOptions, 'to'>): Promise<Forwarder> {
  const made = await forwarder({ listen: { host: HOST, port: 0 }, log: silent, graceMs: 50, ...options });
  started.push(made);
  return made;
}

async function aClient({ port }: Forwarder) {
  const socket = connect({ host: HOST, port, allowHalfOpen: true });
  sockets.push(socket.on('error', () => {}));
  await once(socket, 'connect');
  return socket;
}

const says = (name: string) => (socket: Socket) => void socket.end(name);

describe('the forwarder', () => {
  test('hands on what either side says, and the end of each by itself', async () => {
    const told: string[] = [];
    const server = await aServer(async (socket) => {
      told.push(await text(socket));
      socket.end('after the end of the other side');
    });
    const client = await aClient(await aForwarder({ to: [server] }));
    client.end('hello');
    expect(await text(client)).toBe('after the end of the other side');
    expect(told).toEqual(['hello']);
  });

  test('every byte comes through, in order, to a reader that takes its time', async () => {
    const sent = Buffer.alloc(8 * 2 ** 20, 'gala night ');
    const server = await aServer((socket) => void socket.end(sent));
    const client = await aClient(await aForwarder({ to: [server] }));
    client.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await buffer(client)).equals(sent)).toBe(true);
  });

  test('asks one server after the other, and passes over those that do not answer', async () => {
    const [one, two, gone] = [await aServer(says('one')), await aServer(says('two')), await nobody()];
    const made = await aForwarder({ to: [one, gone, two] });
    const heard: string[] = [];
    for (let nth = 0; nth < 6; nth++) heard.push(await text(await aClient(made)));
    expect(heard).toEqual(['one', 'two', 'two', 'one', 'two', 'two']);
  });

  test('a connection that nobody takes is refused, not left waiting', async () => {
    const client = await aClient(await aForwarder({ to: [await nobody()] }));
    await expect(text(client)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a server that breaks off breaks off its client, and nothing stays open', async () => {
    const server = await aServer((socket) => socket.resetAndDestroy());
    const made = await aForwarder({ to: [server] });
    const client = await aClient(made);
    await text(client).catch(() => '');
    client.destroy();
    await until(() => made.open() === 0);
  });

  test('a client that breaks off breaks off its server', async () => {
    let ended = false;
    const server = await aServer((socket) => {
      socket.resume().once('end', () => socket.end());
      socket.once('close', () => {
        ended = true;
      });
      socket.write('hello');
    });
    const made = await aForwarder({ to: [server] });
    const client = await aClient(made);
    await once(client, 'data');
    client.resetAndDestroy();
    await until(() => ended && made.open() === 0);
  });

  test('more connections than it may have are ended as they come, and room that is given back is used', async () => {
    const server = await aServer((socket) => void socket.write('hello'));
    const made = await aForwarder({ to: [server], mostConnections: 1 });
    const first = await aClient(made);
    await once(first, 'data');
    const second = await aClient(made);
    expect(await text(second).catch(() => '')).toBe('');
    first.resetAndDestroy();
    await until(() => made.open() === 0);
    const third = await aClient(made);
    expect(String((await once(third, 'data'))[0])).toBe('hello');
    third.destroy();
  });

  test('when it closes it takes no more, and what does not end by itself is ended', async () => {
    const server = await aServer((socket) => void socket.write('a watch that never ends'));
    const made = await aForwarder({ to: [server] });
    const client = await aClient(made);
    await once(client, 'data');
    await made.close();
    expect(made.open()).toBe(0);
    await expect(aClient(made)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.destroy();
  });

  test('an address that is taken is said', async () => {
    const { port } = await aServer(says('here'));
    await expect(forwarder({ listen: { host: HOST, port }, to: [], log: silent })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done() && tries < 2000; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(done()).toBe(true);
}
