/** The shim with whatever comes, with the compiler's checks of memory and arithmetic in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { called, checkedShim, configOf } from './a-shim.ts';
import { type Agent, anAgent, aSpeaker, said } from './an-agent.ts';

const top = mkdtempSync(join(tmpdir(), 'gala-shim-any-'));
const socket = join(top, 'cni.sock');
let shim: string;
let agent: Agent;

beforeAll(async () => {
  shim = checkedShim(top);
  agent = await anAgent(socket, () => ({ body: '{}' }));
});
afterAll(async () => {
  await agent.stop();
  rmSync(top, { recursive: true });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a variable may not have: C0, DEL, C1
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const plain = fc.string({ unit: 'binary', maxLength: 300 }).filter((text) => text.isWellFormed() && !CONTROL.test(text));

test('what a variable holds comes to the agent as it is', () =>
  fc.assert(
    fc.asyncProperty(plain, plain, async (args, path) => {
      const env = { CNI_ARGS: args, CNI_PATH: path };
      expect(await called(shim, { env, config: { socket } })).toEqual({ status: 0, stdout: '{}', stderr: '' });
      expect(agent.posted.at(-1)!.document.env).toMatchObject(env);
    }),
    { numRuns: 40 },
  ));

/** A configuration with some bytes put in, taken away or changed. */
const bent = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'{}[]",:\\u0e-+. \n\0\x7f\xff\xc3\xa9'))))
  .map(([json, changes]) => {
    const bytes = [...Buffer.from(configOf({ socket }).replace(/}$/, `,"any":${json}}`))];
    for (const [at, take, put] of changes) bytes.splice(at % bytes.length, take, put.charCodeAt(0));
    return Buffer.from(bytes);
  });

/** As every JavaScript program would read it: strictly UTF-8, one object. */
function isObject(bytes: Buffer): boolean {
  try {
    const read: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof read === 'object' && read !== null && !Array.isArray(read);
  } catch {
    return false;
  }
}

test('a configuration is no JSON object to it when and only when it is none', () =>
  fc.assert(
    fc.asyncProperty(bent, async (stdin) => {
      const before = agent.posted.length;
      const { status, stdout, stderr } = await called(shim, { verb: 'CHECK', stdin });
      expect(stderr).toBe('');
      const refused = status === 0 ? undefined : (JSON.parse(stdout) as { code: number }).code;
      expect(refused === 6).toBe(!isObject(stdin));
      // Whatever it handed on, the agent could read.
      expect(agent.posted.length - before).toBe(status === 0 ? 1 : 0);
    }),
    { numRuns: 100 },
  ));

test('whatever answers, it ends with 0 and that, or with 1 and a CNI error', async () => {
  const right = said(200, '{"cniVersion":"1.1.0","ips":[]}', 'X-More: of it');
  const answers = fc.array(fc.tuple(fc.nat(), fc.nat(5), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 3 }).map((changes) => {
    let text = right;
    for (const [at, take, put] of changes) text = `${text.slice(0, at % text.length)}${put}${text.slice((at % text.length) + take)}`;
    return text;
  });
  let turn = 0;
  await fc.assert(
    fc.asyncProperty(answers, async (text) => {
      const path = join(top, `${turn++}.sock`);
      const any = await aSpeaker(path, text);
      const { status, stdout, stderr } = await called(shim, { config: { socket: path, deadlineMs: 2000 } });
      await any.stop();
      expect(stderr).toBe('');
      expect([0, 1]).toContain(status);
      expect(JSON.parse(stdout)).toEqual(expect.any(Object));
    }),
    { numRuns: 50 },
  );
});
