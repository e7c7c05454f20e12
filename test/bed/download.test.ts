import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { download, releaseOf } from './download.ts';
import { partNamed } from './parts.ts';

const PROGRAM = Buffer.from('#!/bin/sh\necho etcd\n');
const sum = (content: Buffer) => createHash('sha256').update(content).digest('hex');

let folder: string;
let page: string;
let server: Server;
let files: Record<string, Buffer | string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gala-download-'));
  files = {};
  server = createServer((request, response) => {
    const content = files[request.url ?? ''];
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  page = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const release = (name = 'etcd') => ({ url: `${page}/${name}`, sums: `${page}/sums` });
const target = () => join(folder, 'target');

describe('a release', () => {
  test('that matches its sum becomes a program', async () => {
    files = { '/etcd': PROGRAM, '/sums': sum(PROGRAM) };
    await download(release(), target());
    expect(readFileSync(target())).toEqual(PROGRAM);
    expect(statSync(target()).mode & 0o777).toBe(0o755);
    expect(readdirSync(folder)).toEqual(['target']);
  });

  test('is looked up by name among other sums', async () => {
    files = { '/etcd': PROGRAM, '/sums': `${sum(Buffer.from('other'))}  other\n${sum(PROGRAM)} *etcd\n` };
    await download(release(), target());
    expect(existsSync(target())).toBe(true);
  });

  test('in an archive is taken out of it', async () => {
    mkdirSync(join(folder, 'etcd-v3'));
    writeFileSync(join(folder, 'etcd-v3/etcd'), PROGRAM, { mode: 0o755 });
    execFileSync('tar', ['-czf', join(folder, 'archive'), '-C', folder, 'etcd-v3']);
    const archive = readFileSync(join(folder, 'archive'));
    files = { '/etcd.tar.gz': archive, '/sums': `${sum(archive)}  etcd.tar.gz\n` };
    await download({ ...release('etcd.tar.gz'), member: 'etcd-v3/etcd' }, target());
    expect(readFileSync(target())).toEqual(PROGRAM);
  });

  test('that does not match its sum is refused with both sums, and nothing is left of it', async () => {
    const expected = sum(Buffer.from('what the authors built'));
    files = { '/etcd': PROGRAM, '/sums': expected };
    await expect(download(release(), target())).rejects.toThrow(`${sum(PROGRAM)}; its release page says ${expected}`);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('without a sum of its own is refused', async () => {
    files = { '/etcd': PROGRAM, '/sums': `${sum(PROGRAM)}  another\n` };
    await expect(download(release(), target())).rejects.toThrow(/sums has no SHA-256 sum of etcd/);
  });

  test('that is not there is refused with the answer of its page', async () => {
    await expect(download(release(), target())).rejects.toThrow(/sums: HTTP 404/);
  });
});

test('a page that cannot be reached is named, with the reason', async () => {
  const gone = { url: 'http://127.0.0.1:9/etcd', sums: 'http://127.0.0.1:9/sums' };
  await expect(download(gone, target())).rejects.toThrow(/^127\.0\.0\.1:9 cannot be reached \(/);
});

test('only releases with check sums are downloaded', () => {
  expect(releaseOf(partNamed('kube-apiserver'))?.sums).toMatch(/v1\.37\.2\/bin\/linux\/\w+\/kube-apiserver\.sha256$/);
  expect(releaseOf(partNamed('etcd'))?.member).toMatch(/^etcd-v3\.7\.0-linux-\w+\/etcd$/);
  expect(releaseOf(partNamed('kwok'))).toBeUndefined();
});
