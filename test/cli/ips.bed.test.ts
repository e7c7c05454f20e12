/** `gala ips` of a real API server, without a lock writer; terminal.bed.test.ts has one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { crd } from '../../lib/api/crd.ts';
import { HostPool, IPLock, type IPLock as IPLockKind, KINDS } from '../../lib/api/kinds.ts';
import { FREE_ANNOTATION, PROBED, PROBED_REASONS, WIRED } from '../../lib/api/network.ts';
import { toAddress, toNumber } from '../../lib/api/range.ts';
import { type Api, connect } from '../../lib/kube/client.ts';
import { kindOf, NAMESPACES, type Stored } from '../../lib/kube/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { until } from '../bed/process.ts';
import { type AnIPLockOptions, anIPLock, aPool, aUid, aVlan } from '../scheduling/builders.ts';
import { gala } from './gala.ts';

const IPLOCKS = kindOf(IPLock);
const FIRST = toNumber('10.110.0.10');
const address = (at: number) => toAddress(FIRST + at);

describeBed('gala ips without a lock writer', ['etcd', 'kube-apiserver', 'kubectl'], () => {
  let bed: Bed;
  let api: Api;
  const ips = (...args: string[]) => gala('ips', ...args, '--kubeconfig', bed.kubeconfig);
  const json = async (...args: string[]) => JSON.parse((await ips(...args, '-o', 'json')).out);

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    await bed.apply(KINDS.map((kind) => crd(kind)));
    api = await connect({ kubeconfig: bed.kubeconfig });
    await api.create(NAMESPACES, { metadata: { name: 'gala-system' } });
    await api.create(kindOf(HostPool), aPool('web', { vlans: [aVlan(110, 2000)] }) as never);
  }, 300_000);
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });
  beforeEach(async () => {
    await api.request({ method: 'DELETE', path: '/apis/gala.internal/v1alpha1/iplocks' });
  });

  const make = (at: number, options: AnIPLockOptions = {}): Promise<Stored<IPLockKind>> =>
    api.create(IPLOCKS, anIPLock(address(at), options) as never);
  /** Held ones have been Locked before. */
  async function makeHeld(at: number, options: AnIPLockOptions = {}): Promise<void> {
    await make(at, options);
    await api.patch(IPLOCKS, { name: address(at) }, { spec: { phase: 'Held' } });
  }
  const letGo = async (at: number) => (await api.get(IPLOCKS, { name: address(at) })).metadata.annotations?.[FREE_ANNOTATION];

  test('addresses of many pages are counted and listed, each once, lowest first', async () => {
    const all = Array.from({ length: 1_100 }, (_, at) => at);
    for (let at = 0; at < all.length; at += 50) await Promise.all(all.slice(at, at + 50).map((one) => make(one)));
    expect((await json()).rows).toEqual([
      {
        ...{ pools: ['web'], vlan: 110, range: `${address(0)}-${address(1_999)}`, total: 2_000, free: 900, usedPercent: 55 },
        ...{ firstFree: address(1_100), locked: 1_100, bound: 0, held: 0, quarantined: 0 },
      },
    ]);
    const { source, readAt, addresses } = await json('list');
    expect({ source, names: addresses.map((row: { address: string }) => row.address) }).toEqual({
      source: { from: 'cluster', name: bed.url },
      names: all.map(address),
    });
    // The server's clock, to the second.
    expect(readAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    const free = await json('list', '--free', '--vlan', '110');
    expect(free.addresses.map((row: { address: string }) => row.address)).toEqual(
      Array.from({ length: 900 }, (_, at) => address(1_100 + at)),
    );
  }, 300_000);

  test('what an agent found out stands beside the address', async () => {
    const uid = aUid();
    await make(0, { podUID: uid, lock: 'feed-1188' });
    const lastTransitionTime = '2027-02-16T19:51:00Z';
    const conditions = [
      { type: WIRED, status: 'True', reason: 'Wired', lastTransitionTime },
      { type: PROBED, status: 'False', reason: PROBED_REASONS.gatewaySilent, message: 'nobody answers for 10.110.0.1', lastTransitionTime },
    ];
    await api.patch(IPLOCKS, { name: address(0) }, { spec: { phase: 'Bound' }, status: { conditions } });
    const { out, err } = await ips('list', '-o', 'wide');
    expect(out.split('\n').map((line) => line.split(/ {3,}/))).toEqual([
      ['ADDRESS', 'STATE', 'POOL', 'VLAN / SUBNET', 'NODE', 'OWNER', 'POD', 'LOCK', 'MAC', 'WIRED', 'PROBED', 'SINCE', 'AGE'],
      [
        ...[address(0), 'Bound', 'web', '110', 'r12-01', 'feed/feed-api', '-', 'feed/feed-1188', '02:67:0a:6e:00:0a'],
        ...['True', 'GatewaySilent', expect.stringMatching(/^\S+ s$/), expect.stringMatching(/^\S+ s$/)],
      ],
      [''],
    ]);
    expect(err).toMatch(/^1 of https:\S+ · read at .* UTC, by its clock · SINCE: /);
  });

  test('a Held address is asked for by an annotation; where nobody does it in time it stays asked for', async () => {
    await makeHeld(0, { owner: 'feed/feed-old' });
    expect(await ips('free', address(0), '--timeout', '1s')).toEqual({
      code: 4,
      out: `Asked for, and not free yet: ${address(0)}.\n`,
      err: expect.stringMatching(
        /^ {2}ADDRESS {7}STATE {3}LOSES IT {8}LAST ON {3}SINCE\n {2}10\.110\.0\.10 {3}Held {4}feed\/feed-old {3}r12-01 {4}\S+ s\n1 address is not free after 1s\. Lease gala-lock-writer: nobody leads; .* It stays asked for, and is done when the lock writer looks; to take that back: kubectl annotate iplock <address> gala\.internal\/free-\n$/,
      ),
    });
    expect(await letGo(0)).toBe('true');
  });

  test('a dry run is checked by the API server, says who loses it, and stores nothing', async () => {
    await makeHeld(0, { owner: 'feed/feed-old' });
    expect(await ips('free', '--held', 'feed/feed-old', '--dry-run')).toMatchObject({
      code: 0,
      out: `${address(0)} would be free: feed/feed-old loses it; nothing is changed.\n`,
    });
    expect(await letGo(0)).toBeUndefined();
  });

  test('one that a pod has is refused, and then none of those that were named is let go', async () => {
    await makeHeld(0);
    await make(1, { podUID: aUid() });
    expect(await ips('free', address(0), address(1))).toEqual({
      code: 3,
      out: '',
      err: `${address(1)}: it is Locked for feed/feed-api, whose pod may have it. gala who ${address(1)} says more; it is freed when it is Held.\nNothing is freed. Leave these out to free the others.\n`,
    });
    expect(await letGo(0)).toBeUndefined();
    expect(await ips('free', address(0), '--quarantined')).toMatchObject({ code: 3, err: expect.stringContaining('you asked for others') });
    expect(await ips('free', address(7))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^10\.110\.0\.17: there is no IPLock of this name, /),
    });
  });

  test('several are let go only when somebody says yes', async () => {
    for (const at of [0, 1]) await makeHeld(at, { owner: 'feed/feed-old' });
    expect(await ips('free', '--held')).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringMatching(
        /\ngala ips free: 2 addresses would be freed, and nobody can be asked: standard input is no terminal\. --yes frees them, --dry-run only says which\.\n$/,
      ),
    });
    expect([await letGo(0), await letGo(1)]).toEqual([undefined, undefined]);
    expect(await ips('free', '--held', 'feed-old', '-n', 'feed', '--yes', '--timeout', '0s')).toMatchObject({ code: 4 });
    expect([await letGo(0), await letGo(1)]).toEqual(['true', 'true']);
  });

  test('of an owner, a state and a pool only those are let go', async () => {
    await makeHeld(0, { owner: 'feed/feed-old' });
    await makeHeld(1, { owner: 'shop/shop' });
    await make(2, { phase: 'Quarantined' });
    const addresses = async (...args: string[]) =>
      (await json('free', ...args, '--dry-run')).freed.map((row: { address: string }) => row.address);
    expect(await addresses('--held', 'feed/feed-old')).toEqual([address(0)]);
    expect(await addresses('--quarantined')).toEqual([address(2)]);
    expect(await addresses('--held', '--quarantined', '--pool', 'web')).toEqual([address(0), address(1), address(2)]);
    expect(await ips('free', '--held', '--pool', 'ml')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^--pool ml: there is no such pool; there are web\./),
    });
    expect(await ips('free', '--held', 'feed/nobody')).toMatchObject({
      code: 0,
      out: 'No address is Held for feed/nobody. gala ips list --held says for whom there are any.\n',
    });
  });

  test('what its owner’s next pod takes in the same moment is not freed, and that is said', async () => {
    await makeHeld(0, { owner: 'feed/feed-old' });
    const asked = ips('free', address(0), '--timeout', '60s');
    await until('it is asked for', [], 60, async () => (await letGo(0)) === 'true', 20);
    await api.patch(IPLOCKS, { name: address(0) }, { spec: { phase: 'Locked', podUID: aUid() } });
    expect(await asked).toMatchObject({ code: 3, out: `${address(0)}: not freed; a pod of feed/feed-old has taken it meanwhile.\n` });
  });

  test('it is done when the IPLock is gone, also when somebody has the address anew', async () => {
    for (const at of [0, 1]) await makeHeld(at, { owner: 'feed/feed-old' });
    const asked = ips('free', address(0), address(1), '--yes', '--timeout', '60s');
    await until('both are asked for', [], 60, async () => (await letGo(0)) === 'true' && (await letGo(1)) === 'true', 20);
    await api.delete(IPLOCKS, { name: address(0) });
    await api.delete(IPLOCKS, { name: address(1) });
    await make(1);
    expect(await asked).toMatchObject({ code: 0, out: '2 addresses are free: feed/feed-old loses them.\n' });
  });

  test('who may not is told who grants it', async () => {
    const file = join(bed.folder, 'jane.kubeconfig');
    const config = parse(readFileSync(bed.kubeconfig, 'utf8'));
    for (const { user } of config.users) user.as = 'jane';
    writeFileSync(file, stringify(config));
    for (const args of [[], ['list'], ['free', '--held']])
      expect(await gala('ips', ...args, '--kubeconfig', file)).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringMatching(/cannot list resource "iplocks"[\s\S]*gala-operator/),
      });
  });

  test('in a cluster without the kind addresses are off, which is not now', async () => {
    await bed.kubectl(['delete', 'crd', 'iplocks.gala.internal']);
    for (const args of [[], ['list'], ['free', '--held'], ['free', address(0)]])
      expect(await ips(...args)).toMatchObject({
        code: 4,
        err: expect.stringMatching(/^addresses are off in this cluster: it has no kind IPLock /),
      });
  });
});
