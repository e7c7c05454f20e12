/** Swap: the kubelet's side and the host's, which have to agree. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type KubeletProfileProps, kubeletProfile } from '../../../constructs/kubelet-profile.ts';
import { aPool, configOf, GiB, MiB, problemsOf, textOf } from './a-pool.ts';

const withSwap = (swapBytes: number, over: Partial<KubeletProfileProps> = {}) =>
  aPool({ machine: { cpu: 64, memoryBytes: 256 * GiB, swapBytes }, ...over });
const unitsOf = (props: KubeletProfileProps) =>
  kubeletProfile(props)
    .files.map(({ path }) => path)
    .filter((path) => /swap(file)?\.|zram/.test(path));

test('no swap: the kubelet does not start while any is on', () => {
  expect(configOf(aPool(), 'swap')).toEqual({ failSwapOn: true, memorySwap: { swapBehavior: 'NoSwap' } });
  expect(unitsOf(aPool())).toEqual(['etc/kubernetes/kubelet.conf.d/70-gala-swap.conf']);
});

test('a machine with swap lends it to containers, unless told otherwise', () => {
  expect(configOf(withSwap(64 * GiB), 'swap')).toEqual({ failSwapOn: false, memorySwap: { swapBehavior: 'LimitedSwap' } });
  expect(configOf(withSwap(64 * GiB, { swap: 'none' }), 'swap')).toEqual({ failSwapOn: false, memorySwap: { swapBehavior: 'NoSwap' } });
});

test('no feature gate is set: NodeSwap is locked on and about to go', () => {
  const text = kubeletProfile(withSwap(GiB))
    .files.map((file) => file.text)
    .join('');
  expect(text).not.toContain('featureGates');
});

describe('refused', () => {
  test('swap on a machine that has none', () => {
    expect(problemsOf(aPool({ swap: 'limited' }))).toEqual([
      'error pools.web.machine.swap: containers are to swap, but the machine has no swap',
    ]);
  });
  test('a minor whose kubelet has no such behaviour', () => {
    const old = withSwap(GiB, { kubernetes: '1.21' as '1.35' });
    expect(problemsOf(old)).toEqual(['error pools.web.swap: Kubernetes 1.21 has no swapBehavior LimitedSwap']);
  });
  test('64 bytes, where 64Gi was meant', () =>
    expect(problemsOf(withSwap(64))).toEqual(['error pools.web.machine.swap: swap is 64 bytes']));
  test('zram larger than the memory it lives in is a warning', () => {
    expect(problemsOf(withSwap(300 * GiB, { swapOn: 'zram' }))).toEqual([
      `warning pools.web.machine.swap: zram swap of ${300 * GiB} bytes lives in ${256 * GiB} bytes of memory`,
    ]);
  });
});

describe('a swap file', () => {
  const pool = withSwap(64 * GiB + 1);
  test('is a swap unit, and a unit that makes the file of whole MiB', () => {
    expect(unitsOf(pool)).toEqual([
      'etc/kubernetes/kubelet.conf.d/70-gala-swap.conf',
      'etc/systemd/system/gala-swapfile.service',
      'etc/systemd/system/var-lib-gala-swapfile.swap',
    ]);
    expect(textOf(pool, 'etc/systemd/system/var-lib-gala-swapfile.swap')).toContain('What=/var/lib/gala/swapfile\n');
    expect(textOf(pool, 'etc/systemd/system/gala-swapfile.service')).toContain(`fallocate -l ${64 * GiB} `);
  });
  test('leaves $ and % to the shell: systemd reads both for itself', () => {
    const script =
      textOf(pool, 'etc/systemd/system/gala-swapfile.service')
        .split('\n')
        .find((line) => line.includes('/bin/sh')) ?? '';
    expect(script).toContain('"$$(stat -c %%s ');
    expect(script.replaceAll('$$', '').replaceAll('%%', '')).not.toMatch(/[$%]/);
  });
  test('is made once, stays as it is, and is made anew for another size', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gala-swapfile-'));
    try {
      const file = join(folder, 'swapfile');
      // What systemd hands to the shell: %% and $$ are its escapes.
      const make = (swapBytes: number) => {
        const unit = textOf(withSwap(swapBytes), 'etc/systemd/system/gala-swapfile.service');
        const script =
          /^ExecStart=\/bin\/sh -c '(.*)'$/m
            .exec(unit)?.[1]
            ?.replaceAll('%%', '%')
            .replaceAll('$$', () => '$') ?? 'exit 1';
        const run = spawnSync('/bin/sh', ['-c', `umask 077; ${script.replaceAll('/var/lib/gala/swapfile', file)}`], {
          env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        });
        const { size, ino, mode } = statSync(file);
        return { status: run.status, size, ino, mode: mode & 0o777 };
      };
      const first = make(2 * MiB);
      expect(first).toMatchObject({ status: 0, size: 2 * MiB, mode: 0o600 });
      expect(readFileSync(file).toString('latin1')).toContain('SWAPSPACE2');
      expect(make(2 * MiB)).toEqual(first);
      expect(make(3 * MiB)).toMatchObject({ status: 0, size: 3 * MiB, mode: 0o600 });
      expect(readdirSync(folder)).toEqual(['swapfile']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  test('is there before the kubelet, which looks once', () => {
    expect(textOf(pool, 'etc/systemd/system/kubelet.service.d/50-gala.conf')).toContain(
      '[Unit]\nWants=var-lib-gala-swapfile.swap\nAfter=var-lib-gala-swapfile.swap\n',
    );
  });
  test('is turned on by the page that says how to apply', () => {
    expect(textOf(pool, 'APPLY.md')).toContain('systemctl enable --now var-lib-gala-swapfile.swap');
  });
});

test('zram is a generator file in MiB, and no swap file', () => {
  const pool = withSwap(16 * GiB + MiB, { swapOn: 'zram' });
  expect(unitsOf(pool)).toEqual(['etc/kubernetes/kubelet.conf.d/70-gala-swap.conf', 'etc/systemd/zram-generator.conf.d/50-gala.conf']);
  expect(textOf(pool, 'etc/systemd/zram-generator.conf.d/50-gala.conf')).toContain('[zram0]\nzram-size = 16385\n');
  expect(textOf(pool, 'APPLY.md')).toContain('systemctl start dev-zram0.swap');
});
