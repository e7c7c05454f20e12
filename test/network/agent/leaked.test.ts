/** Links in namespaces that nobody knows any more, with the kernel's own namespaces and links. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { silent } from '../../../lib/kube/log.ts';
import { kernel } from '../../../lib/network/agent/kernel.ts';
import { leaked } from '../../../lib/network/agent/leaked.ts';
import { MISSING_MS } from '../../../lib/network/agent/next-for-round.ts';
import { OWN_INDEX } from '../../../lib/network/wiring/step.ts';
import { homeless } from '../../../lib/network/wiring/unplan.ts';
import { required } from '../../bed/parts.ts';
import { aClock } from '../../kube/a-clock.ts';
import { compiledShim } from '../a-shim.ts';
import { aLink, ENI_MAC } from '../wiring/an-ask.ts';
import { canMakeNamespaces, ip } from './a-stand.ts';

const MAC = '02:67:0a:6e:00:82';

describe('what is known as lost', () => {
  const of = (...links: Parameters<typeof homeless>[0]) =>
    homeless(links, [{ mac: ENI_MAC, deviceIndex: 1 }]).map(({ where, line }) => `${where}: ${line}`);

  test('is a MacVlan by its index or its MAC, and nothing of anybody else', () => {
    const others = [aLink('lo'), aLink('eth0'), aLink('gala-node', { mac: '02:69:00:00:00:01' })];
    expect(of(...others, aLink('hidden', { index: OWN_INDEX }), aLink('eth1', { mac: MAC }))).toEqual([
      'pod: link del dev hidden',
      'pod: link del dev eth1',
    ]);
  });

  test('is an ENI of the node, which goes back to the host under a name of its own', () => {
    expect(of(aLink('eth0', { mac: ENI_MAC }))).toEqual(['pod: link set dev eth0 netns /proc/1/ns/net name gala-eni0-1']);
  });
});

const suite = canMakeNamespaces() || required() ? describe : describe.skip;
if (suite === describe.skip) process.stderr.write('SKIPPED leaked namespaces: they need root with CAP_NET_ADMIN\n');

suite('a namespace of nobody', () => {
  const name = `gala-leak-${process.pid}`;
  const mounted = (at: string) => spawnSync('mount', ['--bind', `/run/netns/${name}`, at]);
  let folder: string;
  let there: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gala-leaked-'));
    compiledShim(folder);
    there = join(folder, 'netns');
    mkdirSync(there);
    writeFileSync(join(there, 'cni-1'), '');
    // No namespace: a file that was left.
    writeFileSync(join(there, 'cni-2'), '');
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    ip('netns', 'add', name);
    mounted(join(there, 'cni-1'));
    ip('-n', name, 'link', 'add', 'port', 'type', 'veth', 'peer', 'name', 'end');
    ip('-n', name, 'link', 'add', 'link', 'port', 'name', 'hidden', 'index', String(OWN_INDEX), 'address', MAC, 'type', 'macvlan');
  });
  afterEach(() => {
    spawnSync('umount', [join(there, 'cni-1')]);
    ip('netns', 'del', name);
  });

  const linksThere = () => (JSON.parse(ip('-n', name, '-j', 'link')) as { ifname: string }[]).map(({ ifname }) => ifname);

  function aSweep(
    over: { journal?: readonly string[]; runtime?: string; away?: boolean } = {},
    { fails = () => false, onLook = () => {} }: { fails?: (turn: number) => boolean; onLook?: (path: string) => void } = {},
  ) {
    const clock = aClock();
    const real = kernel({ program: join(folder, 'stage/shim/gala-wire') });
    let turn = 0;
    const podLinks = async (path = '') => {
      onLook(path);
      if (fails(turn++)) throw new Error('No such file or directory');
      return await real.podLinks(path);
    };
    const cri = {
      sandboxes: async () => {
        if (over.away) throw new Error('ECONNREFUSED');
        return new Map(over.runtime === undefined ? [] : [['c1', { isReady: true, podUID: 'u', namespace: 'feed', name: 'a' }]]);
      },
      netnsOf: async () => over.runtime,
    };
    const notes = (over.journal ?? []).map((netns) => ({ sandbox: { containerId: 'c1', ifname: 'eth0', netns } }) as never);
    const made = leaked({
      ...{ folder: there, kernel: { ...real, podLinks }, journal: { values: () => notes }, cri },
      ...{ slots: () => [], clock, log: silent },
    });
    return { made, clock };
  }

  test('C8 loses its link once the runtime has not known it for five minutes; till then the address is known to be there', async () => {
    const { made, clock } = aSweep();
    await made.run();
    expect([made.has(MAC), linksThere().includes('hidden')]).toEqual([true, true]);
    clock.advance(MISSING_MS - 1);
    await made.run();
    expect(linksThere()).toContain('hidden');
    clock.advance(1);
    await made.run();
    expect(
      linksThere()
        .filter((link) => link !== 'lo')
        .sort(),
    ).toEqual(['end', 'port']);
    await made.run();
    expect(made.has(MAC)).toBe(false);
  });

  test('as long as it was not looked, every address may be there', async () => {
    const { made } = aSweep();
    expect(made.has('02:67:0a:6e:00:99')).toBe(true);
    await made.run();
    expect([made.has('02:67:0a:6e:00:99'), made.has(MAC)]).toEqual([false, true]);
  });

  test('one that can’t be looked into for a moment has what it had', async () => {
    const { made } = aSweep({}, { fails: (turn) => turn === 1 });
    await made.run();
    await made.run();
    expect(made.has(MAC)).toBe(true);
  });

  test('the host’s own namespace is none of nobody, though it is mounted there', async () => {
    spawnSync('mount', ['--bind', '/proc/self/ns/net', join(there, 'cni-2')]);
    const looked: string[] = [];
    try {
      await aSweep({}, { onLook: (path) => looked.push(path) }).made.run();
    } finally {
      spawnSync('umount', [join(there, 'cni-2')]);
    }
    expect(looked).toEqual([join(there, 'cni-1')]);
  });

  test.each([
    ['the journal knows, by whatever path', { journal: [`/run/netns/${name}`] }],
    ['the runtime knows', { runtime: `/run/netns/${name}` }],
    ['the runtime may know, which does not answer', { away: true }],
  ])('that %s keeps its link', async (_, over) => {
    const { made, clock } = aSweep(over);
    for (let turn = 0; turn < 2; turn++) {
      await made.run().catch(() => {});
      clock.advance(MISSING_MS);
    }
    expect(linksThere()).toContain('hidden');
  });
});
