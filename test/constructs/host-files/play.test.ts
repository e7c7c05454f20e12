/** The play of APPLY.md: what it does before a kubelet restarts, what it removes, and when it stops. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { staleFiles } from '../../../constructs/host-files/play.ts';
import { type KubeletProfileProps, kubeletProfile } from '../../../constructs/kubelet-profile.ts';
import { aPool, GiB, textOf } from './a-pool.ts';
import { anyPool } from './any-pool.ts';

const swapping = (over: Partial<KubeletProfileProps> = {}) =>
  aPool({ machine: { cpu: 64, memoryBytes: 256 * GiB, swapBytes: GiB }, ...over });

function playOf(props: KubeletProfileProps) {
  const block = /```yaml\n([\s\S]*?)```/.exec(textOf(props, 'APPLY.md'))?.[1];
  if (block === undefined) throw new Error('no play on the page');
  return parse(block)[0];
}

/** Each task as one line, scripts as they are. */
const tasksOf = (props: KubeletProfileProps): readonly string[] =>
  playOf(props).tasks.map((task: Record<string, unknown>) => {
    const [module = '', args] = Object.entries(task)[0] ?? [];
    return `${module.replace('ansible.builtin.', '')} ${typeof args === 'string' ? args : JSON.stringify({ ...(args as object), loop: task.loop })}`;
  });
const at = (tasks: readonly string[], part: string) => {
  const index = tasks.findIndex((task) => task.includes(part));
  if (index === -1) throw new Error(`no task with ${part} in\n${tasks.join('\n')}`);
  return index;
};

test('one host first, then a tenth at a time, and no failure is let pass', () => {
  expect(playOf(aPool())).toMatchObject({ hosts: 'all', serial: [1, '10%'], max_fail_percentage: 0 });
});

test('swap that the pool no longer has is off before its unit files go and the kubelet restarts', () => {
  const tasks = tasksOf(aPool());
  const restart = at(tasks, 'systemctl restart kubelet');
  expect(at(tasks, 'systemctl disable --now var-lib-gala-swapfile.swap')).toBeLessThan(at(tasks, '"state":"absent"'));
  expect(at(tasks, 'systemctl stop dev-zram0.swap')).toBeLessThan(at(tasks, '"state":"absent"'));
  expect(at(tasks, '"state":"absent"')).toBeLessThan(at(tasks, 'daemon-reload'));
  expect(at(tasks, 'swapon --show')).toBe(restart - 1);
});

test.each(['file', 'zram'] as const)('swap on %s is turned on, and only the other kind is cleared away', (swapOn) => {
  const tasks = tasksOf(swapping({ swapOn })).join('\n');
  expect(tasks).not.toContain('swapon --show');
  expect(tasks.includes('systemctl stop dev-zram0.swap')).toBe(swapOn === 'file');
  expect(tasks.includes('rm -f /var/lib/gala/swapfile ')).toBe(swapOn === 'zram');
});

test('removed are files of ours by name, none that this pool has and none that boot wrote', () => {
  const removed = (props: KubeletProfileProps) =>
    playOf(props).tasks.find((task: object) => 'ansible.builtin.file' in task)?.loop as readonly string[];
  expect(removed(aPool())).toEqual([
    '/etc/kubernetes/kubelet.conf.d/41-gala-rack.conf',
    '/etc/containerd/conf.d/40-gala-network.toml',
    '/etc/systemd/system/var-lib-gala-swapfile.swap',
    '/etc/systemd/system/gala-swapfile.service',
    '/etc/systemd/zram-generator.conf.d/50-gala.conf',
  ]);
  const racked = swapping({ racks: { r12: ['a'], r13: ['b'] }, maxPodsByRack: { r13: 9 } });
  expect(removed({ ...racked, wiredBy: 'gala' })).toEqual(['/etc/systemd/zram-generator.conf.d/50-gala.conf']);
  expect(textOf(racked, 'APPLY.md')).not.toMatch(/\*-gala-|75-gala/);
});

test('after the restart the kubelet has to answer, and to be the same process a while later', () => {
  const tasks = tasksOf(aPool());
  const after = tasks.slice(at(tasks, 'systemctl restart kubelet') + 1);
  expect(after.map((task) => task.split(' ')[0])).toEqual(['uri', 'shell', 'uri']);
  expect(playOf(aPool()).tasks.at(-1)).toMatchObject({
    'ansible.builtin.uri': { url: 'http://127.0.0.1:10248/healthz' },
    until: 'health.status == 200',
  });
});

test("sysctl loads our file only, not the host's others", () => {
  expect(tasksOf(aPool())).toContain('command sysctl -p /etc/sysctl.d/90-gala.conf');
  expect(textOf(aPool(), 'APPLY.md')).not.toContain('--system');
});

describe('the scripts', () => {
  const scripts = tasksOf(aPool())
    .filter((task) => task.startsWith('shell '))
    .map((task) => task.slice('shell '.length));
  /** Runs with a systemctl that knows no unit, or one whose `stop` fails. */
  const run = (script: string, systemctl: string) =>
    spawnSync('/bin/sh', ['-c', `systemctl() { ${systemctl}; }; rm() { echo rm "$@"; }; ${script}`], { encoding: 'utf8' });

  test('do nothing on a host that never had swap', () => {
    for (const script of scripts.slice(0, 2)) expect(run(script, 'return 3')).toMatchObject({ status: 0, stderr: '' });
  });
  test('fail, and leave the file, when swap cannot go off', () => {
    const { status, stdout } = run(scripts[0] ?? '', 'test "$1" = is-active');
    expect([status === 0, stdout]).toEqual([false, '']);
  });
});

test('whatever pool a host was of, no file of it outlives the play', () => {
  const onDisk = (props: KubeletProfileProps) =>
    kubeletProfile(props)
      .files.map(({ path }) => `/${path.replace(/^racks\/[^/]+\//, '')}`)
      .filter((path) => path.startsWith('/etc/'));
  const racked = anyPool.map(({ join: _, ...props }): KubeletProfileProps => ({ ...props, racks: { r12: ['a'] } }));
  const byRack = fc.constantFrom({}, { maxPodsByRack: { r12: 9 } });
  const pool = fc.tuple(racked, byRack).map(([props, over]) => ({ ...props, ...over }));
  fc.assert(
    fc.property(pool, pool, (before, after) => {
      const gone = onDisk(before).filter((path) => !onDisk(after).includes(path));
      expect(staleFiles(kubeletProfile(after).files)).toEqual(expect.arrayContaining(gone));
    }),
  );
});
