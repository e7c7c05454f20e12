/**
 * Official releases: one file from its project's release page, checked against the sum that stands beside it.
 * A machine without a way there learns it within seconds, and once per host.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Part } from './parts.ts';

interface Release {
  readonly url: string;
  /** A file that holds the SHA-256 sum, alone or in lines of `sum  name`. */
  readonly sums: string;
  /** The program's path inside, when the release is a tar.gz. */
  readonly member?: string;
}

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
/** Time for an answer to begin, and for the next piece of it to come. */
const PATIENCE_MS = 8_000;

/** Where a part's release is; none for parts whose project publishes no check sums, or nothing to run. */
export function releaseOf({ name, version, carrier }: Part): Release | undefined {
  if (name === 'etcd') {
    const page = `https://github.com/etcd-io/etcd/releases/download/v${version}`;
    const archive = `etcd-v${version}-linux-${ARCHITECTURE}`;
    return { url: `${page}/${archive}.tar.gz`, sums: `${page}/SHA256SUMS`, member: `${archive}/etcd` };
  }
  if (name === 'coredns') {
    const url = `https://github.com/coredns/coredns/releases/download/v${version}/coredns_${version}_linux_${ARCHITECTURE}.tgz`;
    return { url, sums: `${url}.sha256`, member: 'coredns' };
  }
  if (carrier === 'kube') {
    const url = `https://dl.k8s.io/v${version}/bin/linux/${ARCHITECTURE}/${name}`;
    return { url, sums: `${url}.sha256` };
  }
  return undefined;
}

/** Hosts that did not answer, with why: not asked again. */
const silent = new Map<string, string>();

/** Puts a part's release at `target`, whole or not at all. Rejects with a sentence that says why not. */
export async function download(release: Release, target: string): Promise<void> {
  const sums = (await get(release.sums)).toString();
  const file = basename(release.url);
  const expected = sumOf(file, sums);
  if (!expected) throw new Error(`${release.sums} has no SHA-256 sum of ${file}`);
  const content = await get(release.url);
  const sum = createHash('sha256').update(content).digest('hex');
  if (sum !== expected) throw new Error(`${release.url} has the SHA-256 sum ${sum}; its release page says ${expected}`);

  const work = mkdtempSync(join(dirname(target), '.download-'));
  try {
    const whole = join(work, file);
    writeFileSync(whole, content, { mode: 0o755 });
    if (release.member) execFileSync('tar', ['-xzf', whole, '-C', work, release.member]);
    renameSync(release.member ? join(work, release.member) : whole, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The sum of `file` in a file of sums: the only one, or the one on the line that names it. */
function sumOf(file: string, sums: string): string | undefined {
  const lines = sums.split('\n').map((line) => line.trim().split(/\s+\*?/));
  const [sum] = lines.find(([, name]) => name === file) ?? (lines[0]?.length === 1 ? lines[0] : []);
  return sum && /^[0-9a-f]{64}$/.test(sum) ? sum : undefined;
}

async function get(url: string): Promise<Buffer> {
  const { host } = new URL(url);
  const known = silent.get(host);
  if (known) throw new Error(known);
  const control = new AbortController();
  let timer = setTimeout(() => control.abort(), PATIENCE_MS);
  let answered = false;
  try {
    const answer = await fetch(url, { signal: control.signal });
    answered = true;
    if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) {
      clearTimeout(timer);
      timer = setTimeout(() => control.abort(), PATIENCE_MS);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (cause) {
    const why = control.signal.aborted ? `nothing came for ${PATIENCE_MS / 1000} s` : reason(cause);
    if (!answered) silent.set(host, `${host} cannot be reached (${why})`);
    throw new Error(silent.get(host) ?? `${url}: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` says "fetch failed" and hides why in the cause. */
function reason(error: unknown): string {
  const { message, cause } = error as { message: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
