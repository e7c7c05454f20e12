/** Programs as processes: how they end, and what they say. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** Runs the sample that behaves so; `signals` are sent once it runs. */
async function run(way: string, signals: readonly NodeJS.Signals[] = []) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'samples/a-program.ts'), way]);
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.on('data', async (chunk) => {
    stdout += chunk;
    if (!String(chunk).includes('running')) return;
    for (const signal of signals) {
      child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, stdout, said: lines.map(({ message }) => message), last: lines.at(-1)! };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s: it cleans up and ends well', async (signal) => {
  expect(await run('cleans up', [signal])).toMatchObject({
    code: 0,
    stdout: 'running\ncleaned up\n',
    said: ['starting', 'stopping', 'stopped'],
  });
});

test('cleaning up has a deadline', async () => {
  const { code, last } = await run('never ends', ['SIGTERM']);
  expect([code, last]).toEqual([
    1,
    expect.objectContaining({ program: 'sample', level: 'error', message: 'cleaning up took too long', stopMs: 300 }),
  ]);
});

test('told twice, it ends at once', async () => {
  expect(await run('never ends', ['SIGINT', 'SIGINT'])).toMatchObject({
    code: 1,
    last: { message: 'told to stop again: stopping at once' },
  });
});

test('ending by itself is a fault', async () => {
  expect(await run('ends by itself')).toMatchObject({ code: 1, last: { message: 'ended by itself, which nobody asked for' } });
});

test('a fault ends it with its causes, also while it cleans up', async () => {
  expect(await run('fails')).toMatchObject({ code: 1, last: { message: 'failed', error: 'no way in: ECONNREFUSED' } });
  expect(await run('fails while it cleans up', ['SIGTERM'])).toMatchObject({ code: 1, last: { error: 'the Lease was not released' } });
});

test('what nobody waits for or catches ends it', async () => {
  expect(await run('leaves a promise alone')).toMatchObject({
    ...{ code: 1, last: { message: 'a promise failed and nobody waits for it', error: 'nobody waits for me', stack: expect.any(String) } },
  });
  expect(await run('throws in a timer')).toMatchObject({
    code: 1,
    last: { message: 'an error that nobody catches', error: 'nobody catches me' },
  });
});
