/** The shim when the agent is away, slow, wrong or not the agent: each verb ends as CNI has it, and DEL never keeps a pod. */
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answered, type Call, called, compiledShim, configOf, ENV, errorOf, started } from './a-shim.ts';
import { type Agent, anAgent, anyAgent, aSpeaker, said } from './an-agent.ts';

const top = mkdtempSync(join(tmpdir(), 'gala-shim-away-'));
const RESULT = '{"cniVersion":"1.1.0"}';
const NAME = `${ENV.CNI_CONTAINERID}-eth0.json`;
const isRoot = process.getuid?.() === 0;
/** Long enough for an agent of this process to answer, short enough to be waited for. */
const SHORT_MS = 400;
let shim: string;
/** What /run/gala is on a host. */
let run: string;
let socket: string;
let agent: Agent | undefined;
let turn = 0;

beforeAll(() => {
  shim = compiledShim(top);
  // Another user must get as far as the socket.
  chmodSync(top, 0o755);
});
afterAll(() => rmSync(top, { recursive: true }));
beforeEach(() => {
  run = join(top, `${turn++}`);
  socket = join(run, 'cni.sock');
  mkdirSync(run, 0o755);
});
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
});

const call = (more: Call = {}): Promise<Answered> => called(shim, { ...more, config: { socket, deadlineMs: SHORT_MS, ...more.config } });
const code = async (more: Call = {}) => {
  const answered = await call(more);
  expect({ status: answered.status, stderr: answered.stderr }).toEqual({ status: 1, stderr: '' });
  return errorOf(answered);
};
const tombstones = () => (existsSync(join(run, 'tombstones')) ? readdirSync(join(run, 'tombstones')) : []);
const done = { status: 0, stdout: '', stderr: '' };

/** Ways in which nobody answers, and what is said of them. */
const AWAY: readonly [string, RegExp, () => Promise<Agent | undefined>][] = [
  ['has not started', /No such file/, async () => undefined],
  [
    'was killed',
    /refused/,
    async () => {
      const left = join(run, 'left.sock');
      const killed = await anyAgent(left, () => {});
      // Node removes the file of a socket that it closes: another name of it stays, as when a process is killed.
      linkSync(left, socket);
      await killed.stop();
      return undefined;
    },
  ],
  ['takes the call and says nothing', /did not answer in time/, () => anyAgent(socket, (it) => it.resume())],
  ['does not take the call', /in time/, () => anyAgent(socket, (it) => it.pause())],
  ['hangs up at once', /hung up|reset/, () => anyAgent(socket, (it) => it.destroy())],
  ['hangs up in the middle of the head', /hung up/, () => aSpeaker(socket, 'HTTP/1.1 200 OK\r\nContent-Le')],
  ['hangs up in the middle of the body', /hung up/, () => aSpeaker(socket, said(200, RESULT).slice(0, -5))],
];

describe.each(AWAY)('an agent that %s', (_, why, start) => {
  beforeEach(async () => {
    agent = await start();
  });

  test.each(['ADD', 'CHECK', 'GC'])('makes %s come again later, and says where to look', async (verb) => {
    const error = await code({ verb });
    expect(error).toMatchObject({ cniVersion: '1.1.0', code: 11, msg: 'Try again later', details: expect.stringMatching(why) });
    expect(error.details).toContain(socket);
    expect(error.details).toContain('kubectl -n gala-system get pods -l app.kubernetes.io/name=gala-cni');
    expect(tombstones()).toEqual([]);
  });

  test('makes STATUS say that no pod can be started, at once where there was none since the boot, else when it has lasted', async () => {
    if (existsSync(socket)) {
      expect(await call({ verb: 'STATUS' })).toEqual(done);
      // Noted once, by the first that got no answer.
      const since = readFileSync(join(run, 'away'), 'utf8');
      expect(await call({ verb: 'STATUS' })).toEqual(done);
      expect(readFileSync(join(run, 'away'), 'utf8')).toBe(since);
      writeFileSync(join(run, 'away'), String(Number(since) - 60_000));
    }
    expect(await code({ verb: 'STATUS' })).toMatchObject({ code: 50, msg: 'The plugin is not available' });
  });

  test('does not keep a pod: DEL leaves a tombstone and succeeds', async () => {
    expect(await call({ verb: 'DEL' })).toEqual(done);
    expect(tombstones()).toEqual([NAME]);
  });
});

describe('an agent that is replaced', () => {
  const RESULT_OF_NEXT = '{"cniVersion":"1.1.0","ips":[{"address":"10.110.2.37/22"}]}';
  const answersOnce = async (verb: string) => {
    let calls = 0;
    agent = await anyAgent(socket, (it) => {
      if (++calls === 1) it.destroy();
      else it.end(said(200, RESULT_OF_NEXT)).resume();
    });
    return { answered: await called(shim, { verb, config: { socket } }), calls: () => calls };
  };

  test('and hangs up on an ADD loses no pod start: the next one is asked', async () => {
    const { answered, calls } = await answersOnce('ADD');
    expect(answered).toEqual({ ...done, stdout: RESULT_OF_NEXT });
    expect(calls()).toBe(2);
  });

  test.each(['CHECK', 'GC'])('and hangs up on %s is not asked again', async (verb) => {
    const { answered, calls } = await answersOnce(verb);
    expect(errorOf(answered)).toMatchObject({ code: 11 });
    expect(calls()).toBe(1);
  });

  test('DEL leaves a tombstone and does not wait', async () => {
    const { answered, calls } = await answersOnce('DEL');
    expect(answered).toEqual(done);
    expect([calls(), tombstones()]).toEqual([1, [NAME]]);
  });
});

describe('a tombstone', () => {
  const file = () => join(run, 'tombstones', NAME);

  test('has what the agent would have got, and is of no use to others', async () => {
    const stdin = `{ "cniVersion":"1.1.0","name":"gala", "socket":"${socket}","prevResult":{"ips":[]} }`;
    expect(await call({ verb: 'DEL', stdin })).toEqual(done);
    expect(readFileSync(file(), 'utf8')).toBe(`{"protocol":1,"env":${JSON.stringify({ CNI_COMMAND: 'DEL', ...ENV })},"config":${stdin}}`);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(join(run, 'tombstones')).mode & 0o777).toBe(0o700);
  });

  test('is left once: a second DEL succeeds and changes nothing', async () => {
    await call({ verb: 'DEL' });
    const { ino } = statSync(file());
    expect(await call({ verb: 'DEL', env: { CNI_NETNS: undefined } })).toEqual(done);
    expect(statSync(file()).ino).toBe(ino);
    expect(tombstones()).toEqual([NAME]);
  });

  test('is left for each interface, and by many at once, each of them whole', async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `pod-${i % 10}`);
    const filler = 'x'.repeat(100_000);
    const answered = await Promise.all(ids.map((id) => call({ verb: 'DEL', env: { CNI_CONTAINERID: id }, config: { filler } })));
    expect(answered).toEqual(ids.map(() => done));
    expect(await call({ verb: 'DEL', env: { CNI_CONTAINERID: 'pod-0', CNI_IFNAME: 'net1' } })).toEqual(done);
    expect(tombstones().sort()).toEqual(
      [...new Set(ids)]
        .map((id) => `${id}-eth0.json`)
        .concat('pod-0-net1.json')
        .sort(),
    );
    for (const name of tombstones()) expect(JSON.parse(readFileSync(join(run, 'tombstones', name), 'utf8'))).toMatchObject({ protocol: 1 });
  });

  test('is left on a host where nothing of Gala was started since the boot', async () => {
    rmSync(run, { recursive: true });
    expect(await call({ verb: 'DEL' })).toEqual(done);
    expect(tombstones()).toEqual([NAME]);
  });

  test('is left where an answer can not be understood: the agent may have done it or not', async () => {
    agent = await aSpeaker(socket, said(500, 'Internal Server Error'));
    expect(await call({ verb: 'DEL' })).toEqual(done);
    expect(tombstones()).toEqual([NAME]);
  });

  test('is not left where the agent answered, whatever it said', async () => {
    agent = await aSpeaker(socket, said(503, '{"code":11}'));
    expect(await call({ verb: 'DEL' })).toMatchObject({ status: 1, stdout: '{"code":11}' });
    expect(tombstones()).toEqual([]);
  });

  test('is not left in a folder where others may write, or that a symbolic link names: then DEL comes again', async () => {
    mkdirSync(join(run, 'tombstones'));
    chmodSync(join(run, 'tombstones'), 0o777);
    expect(await code({ verb: 'DEL' })).toMatchObject({ code: 11, details: expect.stringContaining('others than this user may write') });
    expect(tombstones()).toEqual([]);
    rmSync(join(run, 'tombstones'), { recursive: true });
    mkdirSync(join(run, 'elsewhere'));
    symlinkSync(join(run, 'elsewhere'), join(run, 'tombstones'));
    expect(await code({ verb: 'DEL' })).toMatchObject({ code: 11, details: expect.stringContaining(join(run, 'tombstones')) });
    expect(readdirSync(join(run, 'elsewhere'))).toEqual([]);
  });
});

describe('a socket', () => {
  const answering = (path: string) => anAgent(path, () => ({ body: RESULT }));

  test.each([0o660, 0o606, 0o777])('of mode %i is not written to: others than root could listen or ask', async (mode) => {
    agent = await answering(socket);
    chmodSync(socket, mode);
    const error = await code();
    expect(error).toMatchObject({ code: 7, details: expect.stringContaining(`its mode is 0${mode.toString(8)}`) });
    expect(error.details).toContain('it must be 0600');
    expect(await code({ verb: 'STATUS' })).toMatchObject({ code: 50 });
    expect(await call({ verb: 'DEL' })).toEqual(done);
    expect(agent.posted).toEqual([]);
    expect(tombstones()).toEqual([NAME]);
  });

  test('behind a symbolic link is not written to, whichever part of its path that is', async () => {
    const real = join(run, 'real');
    mkdirSync(real);
    agent = await answering(join(real, 'cni.sock'));
    symlinkSync(join(real, 'cni.sock'), socket);
    expect(await code()).toMatchObject({ code: 7, details: expect.stringContaining('it is a symbolic link') });
    symlinkSync(real, join(run, 'link'));
    const config = { socket: join(run, 'link/cni.sock') };
    expect(await code({ config })).toMatchObject({ code: 7, details: expect.stringContaining('a part of its path is no folder') });
    expect(agent.posted).toEqual([]);
  });

  test('that is none is not written to', async () => {
    writeFileSync(socket, '', { mode: 0o600 });
    expect(await code()).toMatchObject({ code: 7, details: expect.stringContaining('it is no socket') });
    expect(readFileSync(socket, 'utf8')).toBe('');
  });

  (isRoot ? test : test.skip)('of another user is not written to', async () => {
    agent = await answering(socket);
    chownSync(socket, 65534, 65534);
    expect(await code()).toMatchObject({ code: 7, details: expect.stringContaining('it belongs to user 65534, not to 0') });
    expect(agent.posted).toEqual([]);
  });

  (isRoot ? test : test.skip)('is not for a caller that is not root', async () => {
    agent = await answering(socket);
    expect(await code({ uid: 65534 })).toMatchObject({ code: 7, details: expect.stringContaining('it belongs to user 0, not to 65534') });
    chmodSync(run, 0o700);
    expect(await code({ uid: 65534 })).toMatchObject({ code: 7, details: expect.stringContaining('Permission denied') });
    expect(agent.posted).toEqual([]);
  });
});

describe('an answer', () => {
  const garbage: readonly [string, string, string[]][] = [
    ['that is no HTTP', 'no HTTP', ['{"cniVersion":"1.1.0"}\r\n\r\n']],
    ['that says 100 first', 'no HTTP', ['HTTP/1.1 100 Continue\r\n\r\n', said(200, RESULT)]],
    ['without a length', 'no length', [`HTTP/1.1 200 OK\r\n\r\n${RESULT}`]],
    ['whose length is no number', 'length that is no number', [`HTTP/1.1 200 OK\r\nContent-Length: 0x16\r\n\r\n${RESULT}`]],
    ['in chunks', 'chunks', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n']],
    ['of more than 1 MiB', '1048576 bytes', [`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * 1024 + 1}\r\n\r\n{`]],
    ['whose head never ends', 'head of more than', [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1024 * 1024)}`, 'x'.repeat(9 * 1024 * 1024)]],
    ['whose head is too long', 'head of more than', [said(200, RESULT, `X: ${'x'.repeat(20_000)}`)]],
    ['without a result', 'no JSON object', [said(200, '')]],
    ['that is no JSON', 'no JSON object', [said(200, '<html>')]],
    ['that is half a result', 'no JSON object', [said(200, RESULT.slice(0, -1))]],
    ['of zeros', 'no HTTP', ['\0'.repeat(1000), '\r\n\r\n']],
    ['that refuses without a word', 'HTTP 500', [said(500, '')]],
  ];
  test.each(garbage)('%s is no answer to ADD', async (_, why, pieces) => {
    agent = await aSpeaker(socket, ...pieces);
    expect(await code()).toMatchObject({ code: 5, msg: 'I/O failure', details: expect.stringContaining(why) });
  });

  test.each(['CHECK', 'STATUS', 'GC', 'DEL'])('without a word is one to %s', async (verb) => {
    agent = await aSpeaker(socket, said(200, ''));
    expect(await call({ verb })).toEqual(done);
  });

  test('that comes byte by byte is put together', async () => {
    agent = await aSpeaker(socket, ...said(200, RESULT, 'X-More: of it').split(''));
    expect(await call({ config: { deadlineMs: undefined } })).toEqual({ ...done, stdout: RESULT });
  });

  test('of 1 MiB is printed, whole', async () => {
    const body = `{"a":"${'x'.repeat(1024 * 1024 - 8)}"}`;
    expect(body).toHaveLength(1024 * 1024);
    agent = await anAgent(socket, () => ({ body }));
    const { status, stdout } = await call({ config: { deadlineMs: undefined } });
    expect({ status, same: stdout === body }).toEqual({ status: 0, same: true });
  });

  test('given before the call was read is understood: the agent may refuse a large one unread', async () => {
    agent = await anyAgent(socket, (it) => it.end(said(413, '{"code":7,"msg":"too large"}')));
    const config = { filler: 'x'.repeat(900_000), deadlineMs: undefined };
    expect(await call({ config })).toEqual({ status: 1, stdout: '{"code":7,"msg":"too large"}', stderr: '' });
  });

  test('is waited for by one that is stopped meanwhile and goes on', async () => {
    agent = await anAgent(socket, async () => {
      process.kill(running.pid, 'SIGSTOP');
      process.kill(running.pid, 'SIGCONT');
      return { body: RESULT };
    });
    const running = started([shim], {});
    running.stdin.end(configOf({ socket }));
    expect(await running.answered).toEqual({ ...done, stdout: RESULT });
  });
});

describe('an agent that is being replaced', () => {
  test('fails no pod start: ADD waits for the next one', async () => {
    const running = called(shim, { config: { socket } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    agent = await anAgent(socket, () => ({ body: RESULT }));
    expect(await running).toEqual({ ...done, stdout: RESULT });
    expect(agent.posted).toHaveLength(1);
  });

  test('keeps its node ready: STATUS is content for a moment, and a moment of the next time is another', async () => {
    agent = await anyAgent(socket, (it) => it.destroy());
    expect(await call({ verb: 'STATUS' })).toEqual(done);
    await agent.stop();
    agent = await anAgent(socket, () => ({ status: 204, body: '' }));
    expect(await call({ verb: 'STATUS' })).toEqual(done);
    expect(existsSync(join(run, 'away'))).toBe(false);
  });

  test('keeps its node ready however long it is away, while a pod is wired there', async () => {
    writeFileSync(join(run, 'away'), '0');
    mkdirSync(join(run, 'journal'));
    writeFileSync(join(run, 'journal', `${ENV.CNI_CONTAINERID}-eth0.json.tmp`), '');
    expect(await code({ verb: 'STATUS' })).toMatchObject({ code: 50 });
    writeFileSync(join(run, 'journal', NAME), '{}');
    expect(await call({ verb: 'STATUS' })).toEqual(done);
  });

  test('gets the DEL of meanwhile by its tombstone: nobody waits', async () => {
    expect(await called(shim, { verb: 'DEL', config: { socket } })).toEqual(done);
    expect(tombstones()).toEqual([NAME]);
  });
});
