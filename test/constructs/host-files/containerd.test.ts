/** containerd's part of the host files: what is in it, on which hosts, and what restarts for it. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type KubeletProfileProps, kubeletProfile } from '../../../constructs/kubelet-profile.ts';
import { anEc2Pool, aPool, textOf } from './a-pool.ts';

const FILE = 'etc/containerd/conf.d/40-gala-network.toml';
const has = (props: KubeletProfileProps) => kubeletProfile(props).files.some(({ path }) => path === FILE);

test('it says where the plugin and the network are, and nothing else', () => {
  expect(textOf(aPool({ wiredBy: 'gala' }), FILE)).toBe(`# Rendered from cluster bj-a, pool web. Change the definition, not this file.
# gala-cni puts its plugin and its network configuration there; the first configuration by name counts, and no other.
# Read where containerd's main file has version = 3 and imports = ['/etc/containerd/conf.d/*.toml'].
version = 3
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/opt/cni/bin']
  conf_dir = '/etc/cni/net.d'
  max_conf_num = 1
`);
});

test('hosts whose pods others wire have none, nor those of EKS, where nodeadm writes it', () => {
  expect(has(aPool())).toBe(false);
  expect(has(anEc2Pool({ wiredBy: 'gala' }))).toBe(true);
  expect(has(anEc2Pool({ wiredBy: 'gala', join: { eks: 'cloud-a' } }))).toBe(false);
});

describe('the play', () => {
  const tasksOf = (props: KubeletProfileProps): readonly Record<string, unknown>[] =>
    parse(/```yaml\n([\s\S]*?)```/.exec(textOf(props, 'APPLY.md'))?.[1] ?? '')[0].tasks;
  const lines = (props: KubeletProfileProps) => tasksOf(props).map((task) => JSON.stringify(task));
  const at = (all: readonly string[], part: string) => all.findIndex((line) => line.includes(part));

  test('restarts containerd only where its file has changed, before the kubelet, and asks it first', () => {
    const all = lines(aPool({ wiredBy: 'gala' }));
    const restart = tasksOf(aPool({ wiredBy: 'gala' }))[at(all, 'systemctl restart containerd')];
    expect(restart).toMatchObject({ when: 'containerd is changed' });
    const order = ['"register":"containerd"', '"src":"etc/"', 'containerd config dump', 'restart containerd', 'restart kubelet'].map(
      (part) => at(all, part),
    );
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).not.toContain(-1);
  });

  test('leaves it alone on other hosts, and says what is restarted', () => {
    expect(lines(aPool()).join('\n')).not.toContain('restart containerd');
    expect(textOf(aPool(), 'APPLY.md')).toContain('Restarts: the kubelet only.');
    expect(textOf(aPool({ wiredBy: 'gala' }), 'APPLY.md')).toContain('containerd where its file is new or has changed; containers run on.');
  });
});

test('an instance restarts it before its kubelet starts', () => {
  const { runcmd } = parse(textOf(anEc2Pool({ wiredBy: 'gala' }), 'user-data/cloud-config.txt'));
  const commands = runcmd.map((argv: string[]) => argv.join(' '));
  expect(commands.indexOf('systemctl restart containerd')).toBe(commands.indexOf('systemctl enable kubelet') - 1);
  expect(textOf(anEc2Pool(), 'user-data/cloud-config.txt')).not.toContain('restart containerd');
});
