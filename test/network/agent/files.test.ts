/** What the agent keeps on disk: the journal, what it installs, and the notes that the shim leaves. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { silent } from '../../../lib/kube/log.ts';
import type { Sandbox } from '../../../lib/network/agent/call.ts';
import { foreignConflist, install, uninstall } from '../../../lib/network/agent/install.ts';
import { type Attachment, keyOf, openJournal } from '../../../lib/network/agent/journal.ts';
import { bury } from '../../../lib/network/agent/tombstones.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const anAttachment = (containerId: string, over: Partial<Attachment> = {}): Attachment => ({
  ...{ version: 1, network: 'gala', ip: '10.110.0.130', mac: '02:67:0a:6e:00:82', bandwidth: {}, steps: [], state: 'wiring' },
  sandbox: { containerId, ifname: 'eth0', netns: `/run/netns/${containerId}` },
  pod: { uid: 'pod-a', namespace: 'feed', name: 'feed-api-0' },
  ...over,
});

describe('the journal', () => {
  const journal = () => openJournal(join(folder, 'journal'), silent);

  test('has after a restart what it had before, for root only', () => {
    const before = journal();
    before.put(anAttachment('c1'));
    before.put(anAttachment('c1', { state: 'wired' }));
    before.put(anAttachment('c2'));
    before.remove('c2-eth0');
    expect([...journal().values()]).toEqual([anAttachment('c1', { state: 'wired' })]);
    expect(statSync(join(folder, 'journal')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'journal/c1-eth0.json')).mode & 0o777).toBe(0o600);
  });

  test('puts aside what it can not read, and goes on with the rest', () => {
    journal().put(anAttachment('c1'));
    for (const [name, text] of Object.entries({ 'c2-eth0.json': '{"version":1', 'c3-eth0.json': '{"version":9}', 'c4-eth0.json.tmp': '{' }))
      writeFileSync(join(folder, 'journal', name), text);
    expect([...journal().values()].map(({ sandbox }) => keyOf(sandbox))).toEqual(['c1-eth0']);
    expect(readdirSync(join(folder, 'journal')).sort()).toEqual(['c1-eth0.json', 'c2-eth0.json.unreadable', 'c3-eth0.json.unreadable']);
  });
});

describe('what is installed', () => {
  const place = () => ({
    shim: join(folder, 'shim'),
    binDir: join(folder, 'bin'),
    confDir: join(folder, 'net.d'),
    socket: '/run/gala/cni.sock',
  });
  const conflist = () => JSON.parse(readFileSync(join(folder, 'net.d/05-gala.conflist'), 'utf8'));

  test('is shim and conflist, once, and again only what has changed', () => {
    writeFileSync(join(folder, 'shim'), 'one');
    expect(install(place())).toEqual(['shim', 'conflist']);
    expect(install(place())).toEqual([]);
    expect(conflist()).toEqual({ cniVersion: '1.1.0', name: 'gala', plugins: [{ type: 'gala', socket: '/run/gala/cni.sock' }] });
    expect(statSync(join(folder, 'bin/gala')).mode & 0o777).toBe(0o755);
    writeFileSync(join(folder, 'shim'), 'two');
    const before = statSync(join(folder, 'bin/gala')).ino;
    expect(install(place())).toEqual(['shim']);
    // A shim that runs keeps its file.
    expect(statSync(join(folder, 'bin/gala')).ino).not.toBe(before);
    expect(readdirSync(join(folder, 'bin'))).toEqual(['gala']);
  });

  test('stands before what others call theirs, which stays for the way back', () => {
    mkdirSync(join(folder, 'net.d'));
    writeFileSync(join(folder, 'net.d/10-calico.conflist'), '{}');
    writeFileSync(join(folder, 'shim'), 'one');
    install(place());
    expect(foreignConflist(place().confDir)).toBeUndefined();
    writeFileSync(join(folder, 'net.d/00-multus.conf'), '{}');
    expect(foreignConflist(place().confDir)).toBe('00-multus.conf');
    uninstall(place());
    expect(readdirSync(join(folder, 'net.d')).sort()).toEqual(['00-multus.conf', '10-calico.conflist']);
    expect(existsSync(join(folder, 'bin/gala'))).toBe(true);
  });
});

describe('a tombstone', () => {
  const document = (verb: string, containerId = 'c1') =>
    JSON.stringify({
      protocol: 1,
      env: { CNI_COMMAND: verb, CNI_CONTAINERID: containerId, CNI_IFNAME: 'eth0', CNI_NETNS: '', CNI_ARGS: '' },
      config: { cniVersion: '1.1.0', name: 'gala', type: 'gala' },
    });
  const left = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const buried = async (del: (sandbox: Sandbox) => Promise<void>) => {
    await bury(folder, { del }, silent);
    return readdirSync(folder);
  };

  test('is done once, and then gone', async () => {
    left('c1-eth0.json', document('DEL'));
    const done: string[] = [];
    expect(await buried(async ({ containerId }) => void done.push(containerId))).toEqual([]);
    expect(done).toEqual(['c1']);
  });

  test('stays when it could not be done, for the next round', async () => {
    left('c1-eth0.json', document('DEL'));
    expect(await buried(() => Promise.reject(new Error('the kernel is busy')))).toEqual(['c1-eth0.json']);
  });

  test('that says nothing that can be done is taken away, and wires nothing', async () => {
    left('a.json', '{');
    left('b.json', document('ADD'));
    left('c.json', document('DEL', '../../etc'));
    expect(await buried(() => Promise.reject(new Error('it was called')))).toEqual([]);
  });

  test('may be one of a folder that is not there', async () => {
    await bury(join(folder, 'nothing'), { del: () => Promise.reject(new Error('it was called')) }, silent);
  });
});
