/** The shim's side of CNI: what it takes, what it hands on, what it refuses. docs/cni-shim.md says the same in prose. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answered, type Call, called, compiledShim, configOf, ENV, errorOf, started } from './a-shim.ts';
import { type Agent, type Answer, anAgent } from './an-agent.ts';

const top = mkdtempSync(join(tmpdir(), 'gala-shim-'));
const RESULT = '{"cniVersion":"1.1.0","ips":[{"address":"10.110.2.37/22"}]}';
let shim: string;
let socket: string;
let agent: Agent;
let answer: Answer;
let turn = 0;

beforeAll(() => {
  shim = compiledShim(top);
});
afterAll(() => rmSync(top, { recursive: true }));
beforeEach(async () => {
  socket = join(top, `${turn++}.sock`);
  answer = { body: RESULT };
  agent = await anAgent(socket, () => answer);
});
afterEach(() => agent.stop());

const call = (more: Call = {}): Promise<Answered> => called(shim, { ...more, config: { socket, ...more.config } });
/** A refusal, which the agent did not hear of. */
async function refused(more: Call) {
  const answered = await call(more);
  expect({ status: answered.status, stderr: answered.stderr, calls: agent.posted.length }).toEqual({ status: 1, stderr: '', calls: 0 });
  return errorOf(answered);
}

describe('VERSION', () => {
  const supportedVersions = ['0.4.0', '1.0.0', '1.1.0'];
  const version = async (stdin: string) => {
    const { status, stdout } = await called(shim, { verb: 'VERSION', stdin });
    return { status, ...JSON.parse(stdout) };
  };

  test.each(['0.4.0', '1.0.0', '1.1.0', '0.3.1', '9.0.0'])('of %s is answered with that version, without the agent', async (cniVersion) => {
    expect(await version(JSON.stringify({ cniVersion }))).toEqual({ status: 0, cniVersion, supportedVersions });
    expect(agent.posted).toEqual([]);
  });

  test('without a word on stdin is answered with the newest', async () => {
    expect(await version('')).toEqual({ status: 0, cniVersion: '1.1.0', supportedVersions });
    expect(await version('{}')).toEqual({ status: 0, cniVersion: '1.1.0', supportedVersions });
  });

  test('of something that is no JSON is refused', async () => {
    expect(await version('1.1.0')).toMatchObject({ status: 1, code: 6 });
  });

  test('needs nothing else in the environment', async () => {
    const nothing = Object.fromEntries(Object.keys(ENV).map((name) => [name, undefined]));
    expect(await called(shim, { verb: 'VERSION', env: nothing, stdin: '' })).toMatchObject({ status: 0 });
  });
});

describe('a call', () => {
  test('comes to the agent as one document: the environment, and the configuration byte by byte', async () => {
    const config = `\n { "cniVersion":"1.1.0" ,"name":"gala", "socket":"${socket}",\t"prevResult":{"a":[1e3,-0.5,null,true,"\\u00e9é\\"/"]} }\n`;
    expect(await call({ stdin: config })).toEqual({ status: 0, stdout: RESULT, stderr: '' });
    expect(agent.posted).toHaveLength(1);
    const { method, url, headers, text } = agent.posted[0]!;
    expect({ method, url }).toEqual({ method: 'POST', url: '/cni' });
    expect(headers).toMatchObject({ host: 'gala', 'content-type': 'application/json', connection: 'close' });
    const env = { CNI_COMMAND: 'ADD', ...ENV };
    expect(text).toBe(`{"protocol":1,"env":${JSON.stringify(env)},"config":${config}}`);
  });

  test.each(['0.4.0', '1.0.0', '1.1.0'])('of version %s may be ADD, DEL and CHECK', async (cniVersion) => {
    expect(await call({ config: { cniVersion } })).toEqual({ status: 0, stdout: RESULT, stderr: '' });
    answer = { status: 204 };
    expect(await call({ verb: 'CHECK', config: { cniVersion } })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await call({ verb: 'DEL', config: { cniVersion } })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(agent.posted.map(({ document }) => document.env.CNI_COMMAND)).toEqual(['ADD', 'CHECK', 'DEL']);
  });

  test('STATUS and GC need version 1.1.0, and neither container nor namespace', async () => {
    answer = { status: 204 };
    const env = { CNI_CONTAINERID: '', CNI_NETNS: undefined, CNI_IFNAME: '', CNI_ARGS: undefined };
    for (const verb of ['STATUS', 'GC']) {
      expect(await call({ verb, env })).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(agent.posted.at(-1)!.document.env).toEqual({
        ...{ CNI_COMMAND: verb, CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '', CNI_ARGS: '', CNI_PATH: '/opt/cni/bin' },
      });
    }
  });

  test('DEL of a pod whose namespace is gone is handed on: what there is can be cleaned up', async () => {
    answer = { status: 200, body: '' };
    expect(await call({ verb: 'DEL', env: { CNI_NETNS: undefined } })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(agent.posted[0]!.document.env.CNI_NETNS).toBe('');
  });

  test("libcni's CNI_NETNS_OVERRIDE is handed on where it is set", async () => {
    await call({ env: { CNI_NETNS_OVERRIDE: '1' } });
    expect(agent.posted[0]!.document.env.CNI_NETNS_OVERRIDE).toBe('1');
  });

  test('that the agent refuses ends with 1 and the words of the agent', async () => {
    const body = '{"cniVersion":"1.1.0","code":102,"msg":"no lock","details":"…"}';
    answer = { status: 409, body };
    for (const verb of ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC'])
      expect(await call({ verb })).toEqual({ status: 1, stdout: body, stderr: '' });
  });

  test('of 1 MiB is handed on, whole', async () => {
    const config = configOf({ socket, filler: '' });
    const stdin = config.replace('"filler":""', `"filler":"${'x'.repeat(1024 * 1024 - config.length)}"`);
    expect(stdin).toHaveLength(1024 * 1024);
    expect(await call({ stdin })).toMatchObject({ status: 0, stdout: RESULT });
    expect(agent.posted[0]!.text.endsWith(`"config":${stdin}}`)).toBe(true);
  });

  test('whose configuration comes in pieces is handed on, whole', async () => {
    const running = started([shim], {});
    const config = configOf({ socket });
    for (const byte of config) {
      running.stdin.write(byte);
      await new Promise(setImmediate);
    }
    running.stdin.end();
    expect(await running.answered).toMatchObject({ status: 0, stdout: RESULT });
    expect(agent.posted[0]!.text).toContain(config);
  });

  test('fifty at once are all answered, however short the queue of the agent', async () => {
    const path = join(top, 'short.sock');
    const short = await anAgent(path, ({ document }) => ({ body: `{"id":"${document.env.CNI_CONTAINERID}"}` }), 1);
    const ids = Array.from({ length: 50 }, (_, i) => `pod-${i}`);
    const answered = await Promise.all(ids.map((id) => called(shim, { env: { CNI_CONTAINERID: id }, config: { socket: path } })));
    expect(answered.map(({ stdout }) => stdout)).toEqual(ids.map((id) => `{"id":"${id}"}`));
    await short.stop();
  });
});

describe('a version', () => {
  test.each([['0.3.1'], ['1.2.0'], ['2.0.0'], ['1.1'], ['']])("'%s' is refused with those that are supported", async (cniVersion) => {
    const error = await refused({ config: { cniVersion } });
    expect(error).toMatchObject({ code: 1, msg: 'Incompatible CNI version', cniVersion: cniVersion || '1.1.0' });
    expect(error.details).toBe(`cniVersion is '${cniVersion}'; supported are 0.4.0, 1.0.0, 1.1.0. Give one of them in the conflist.`);
  });

  test('that is missing or no text is refused', async () => {
    expect(await refused({ config: { cniVersion: undefined } })).toMatchObject({ code: 1 });
    expect(await refused({ config: { cniVersion: 1.1 } })).toMatchObject({ code: 1 });
  });

  test.each(['STATUS', 'GC'])('before 1.1.0 has no %s', async (verb) => {
    for (const cniVersion of ['0.4.0', '1.0.0'])
      expect(await refused({ verb, config: { cniVersion } })).toEqual({
        ...{ cniVersion, code: 1, msg: 'Incompatible CNI version' },
        details: `cniVersion is ${cniVersion}; ${verb} came with 1.1.0. Give cniVersion 1.1.0 in the conflist.`,
      });
  });

  test('of the configuration is that of every error', async () => {
    expect(await refused({ verb: 'NONSENSE', config: { cniVersion: '0.4.0' } })).toMatchObject({ cniVersion: '0.4.0', code: 4 });
  });
});

describe('the environment', () => {
  test('with an unknown verb, or none, is refused', async () => {
    expect(await refused({ verb: 'UPDATE' })).toEqual({
      ...{ cniVersion: '1.1.0', code: 4, msg: 'Invalid necessary environment variables' },
      details: "CNI_COMMAND is 'UPDATE'; it is ADD, DEL, CHECK, STATUS, GC or VERSION. A container runtime sets it.",
    });
    expect(await refused({ env: { CNI_COMMAND: undefined } })).toMatchObject({ code: 4, details: expect.stringContaining('CNI_COMMAND') });
    expect(await refused({ verb: 'add' })).toMatchObject({ code: 4 });
  });

  test.each([
    ['ADD', ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS']],
    ['CHECK', ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_NETNS']],
    ['DEL', ['CNI_CONTAINERID', 'CNI_IFNAME']],
  ])('of %s needs %j', async (verb, names) => {
    for (const name of names)
      for (const value of ['', undefined])
        expect(await refused({ verb, env: { [name]: value } })).toMatchObject({ code: 4, details: expect.stringContaining(name) });
  });

  test.each([
    ['CNI_CONTAINERID', '../../etc/cron.d/x'],
    ['CNI_CONTAINERID', '.hidden'],
    ['CNI_CONTAINERID', 'a b'],
    ['CNI_CONTAINERID', 'é'],
    ['CNI_CONTAINERID', 'a'.repeat(201)],
    ['CNI_IFNAME', 'a/b'],
    ['CNI_IFNAME', '..'],
    ['CNI_IFNAME', 'eth0:1'],
    ['CNI_IFNAME', 'eth 0'],
    ['CNI_IFNAME', 'sixteen-letters-'],
    ['CNI_ARGS', 'A=\n'],
    ['CNI_ARGS', 'A=\u001b[2J'],
    ['CNI_ARGS', 'A=\u007f'],
    ['CNI_ARGS', 'A=\u0085'],
    ['CNI_NETNS', '/run/netns/\t'],
    ['CNI_PATH', '/opt/\u0001'],
    ['CNI_NETNS_OVERRIDE', '\r'],
    ['CNI_ARGS', 'x'.repeat(16 * 1024 + 1)],
  ])('whose %s is %j is refused, with the name of the variable', async (name, value) => {
    expect(await refused({ env: { [name]: value } })).toMatchObject({ code: 4, details: expect.stringContaining(name) });
  });

  test('with bytes that are no UTF-8 is refused: JSON can not carry them', async () => {
    const running = started(['sh', '-c', 'CNI_ARGS="$(printf "A=\\377")" exec "$0"', shim], {});
    running.stdin.end(configOf({ socket }));
    expect(errorOf(await running.answered)).toMatchObject({ code: 4, details: expect.stringMatching(/^CNI_ARGS is 'A=\?'/) });
    expect(agent.posted).toEqual([]);
  });
});

describe('a configuration', () => {
  const broken: readonly [string, string | Buffer][] = [
    ['nothing', ''],
    ['blanks', ' \n'],
    ['text', 'gala'],
    ['an array', '[{"cniVersion":"1.1.0"}]'],
    ['half an object', '{"cniVersion":"1.1.0"'],
    ['two objects', '{"cniVersion":"1.1.0","name":"gala"}{}'],
    ['members that would become those of the document', '{"cniVersion":"1.1.0","name":"gala"},"env":{"CNI_COMMAND":"DEL"}'],
    ['a comma at the end', '{"cniVersion":"1.1.0","name":"gala",}'],
    ['a number that is none', '{"cniVersion":"1.1.0","name":"gala","mtu":01}'],
    ['a string over two lines', '{"cniVersion":"1.1.0","name":"ga\nla"}'],
    ['binary garbage', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0xfe, 0x80])],
    ['a 0 in a string', '{"cniVersion":"1.1.0","name":"ga\0la"}'],
    ['Latin-1', Buffer.from('{"cniVersion":"1.1.0","name":"gala","at":"\xfc"}', 'latin1')],
    ['a surrogate in UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])],
    ['more levels than a configuration has', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['a million levels', '['.repeat(1024 * 1024)],
  ];
  test.each(broken)('that is %s is no JSON object', async (_, stdin) => {
    expect(await refused({ stdin })).toMatchObject({ code: 6, msg: 'Failed to decode content' });
  });

  test('says at which byte it is wrong', async () => {
    const { details } = await refused({ stdin: '{"cniVersion":"1.1.0","name":}' });
    expect(details).toBe('the network configuration on stdin, 30 bytes, is no JSON object: no value where one belongs at byte 29.');
  });

  test('of more than 1 MiB is refused, and the rest is not read', async () => {
    const stdin = configOf({ socket, filler: 'x'.repeat(10 * 1024 * 1024) });
    expect(await refused({ stdin })).toMatchObject({ code: 7, details: expect.stringContaining('more than 1 MiB') });
  });

  test('that never ends is not waited for', async () => {
    const running = started([shim], { verb: 'STATUS' });
    running.stdin.write('{');
    expect(errorOf(await running.answered)).toMatchObject({ code: 5, details: expect.stringContaining('did not end in time') });
  });

  test.each([[undefined], [''], ['ga la'], ['../gala'], [7]])('whose name is %j is refused', async (name) => {
    expect(await refused({ config: { name } })).toMatchObject({ code: 7, details: expect.stringMatching(/^name is /) });
  });

  test.each([['0'], ['-1'], ['1.5'], ['1e3'], ['"300"'], ['99999999999999999999']])(
    'whose deadlineMs is %s is refused',
    async (deadline) => {
      const stdin = configOf({ socket }).replace('}', `,"deadlineMs":${deadline}}`);
      expect(await refused({ stdin })).toMatchObject({ code: 7, details: expect.stringMatching(/^deadlineMs is /) });
    },
  );

  test.each([['cni.sock'], [''], ['/run/gala/'], [`/${'x'.repeat(1100)}`], ['/run/"gala"/cni.sock'], [7]])(
    'whose socket is %j is refused',
    async (path) => {
      expect(await refused({ config: { socket: path } })).toMatchObject({ code: 7, details: expect.stringMatching(/^socket is /) });
    },
  );
});
