/** docs/operations/bed.md, "Trying Locks": its lines, in a trial of one's own, by bash as a person would type them. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import hello from '../../clusters/hello.ts';
import { rendered } from '../../constructs/testing.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { command, partsOf } from '../bed/parts.ts';
import { bed, ended, environment, type Ran } from '../bed/samples/a-run.ts';
import { blocks, pages, ROOT } from './pages.ts';

const PAGE = pages().find(({ path }) => path === 'docs/operations/bed.md')!;
const [LOCKS = '', PODS = '', DIES = ''] = blocks(PAGE, 'sh');

describeBed('Locks in a local trial', ['control-plane', 'kwok'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'gala-trying-'));
  let env: NodeJS.ProcessEnv;
  let ran: Ran;

  beforeAll(async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const part of partsOf(['control-plane', 'kwok'])) symlinkSync(command(part)[0], join(bin, part));
    env = environment({ XDG_CACHE_HOME: join(folder, 'cache'), GALA_BED_BIN: bin });
    for (const { path, text } of rendered(hello).files) {
      const file = join(folder, 'dist/hello', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const up = await bed(['up', '--hosts', '60', '--pool', 'web'], env);
    expect(up).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Up: \S+, 60 hosts of pool web\.\n/) });
    ran = await typed([...up.stdout.matchAll(/^ +((?:export|alias) .*)$/gm)].map(([, line = '']) => line));
  }, 600_000);
  afterAll(async () => {
    await bed(['down'], env);
    rmSync(folder, { recursive: true, force: true });
  });

  /** All blocks in one shell with job control, which is what an interactive one has; then what it has started is ended. */
  function typed(first: readonly string[]): Promise<Ran> {
    const lines = [...first, LOCKS, PODS, DIES].join('\n').replace(/^npx cdk8s synth\n/m, '');
    const script = `set -m\nshopt -s expand_aliases\n${lines.replaceAll('dist/hello', join(folder, 'dist/hello'))}\nkill %2 %3 %4\nwait\n`;
    const path = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`;
    return ended(spawn('bash', ['-c', script], { cwd: ROOT, env: { ...env, PATH: path } }));
  }

  test('a Lock is Ready with addresses of hello, and its pods run on them', () => {
    expect(ran.stdout).toMatch(/^feed\/feed-api-1188 Ready: 200 slots on 60 nodes for feed-api$/m);
    expect(ran.stdout).toMatch(/^feed-api-1188 +Ready +200 +0 +feed-api /m);
    expect(ran.stdout).toMatch(/^deployment "feed-api" successfully rolled out$/m);
    expect(ran.stdout).toMatch(/^ +iplocks\.gala\.internal +200 +Locked 200$/m);
  });

  test('a writer killed in the middle leaves a Lock that the next one finishes, and no leak', () => {
    expect(ran.stderr).toMatch(
      /^feed\/feed-api-1189: nobody has looked at it after 20 s\. Lease gala-lock-writer: \S+ has not renewed it for /m,
    );
    expect(ran.stdout).toMatch(/^feed\/feed-api-1189 Ready: 300 slots on 60 nodes for feed-api$/m);
    expect(ran.stdout).toMatch(/^0 leaked, 300 in hand$/m);
  });

  test('status sees both programs and the kube-scheduler lead', () => {
    expect(ran.stdout).toMatch(/^All that is installed works; \d things about pools are amiss\.$/m);
  });
});
