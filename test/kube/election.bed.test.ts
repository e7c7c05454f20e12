/** Elections on a real API server: who leads after a stop, a kill, an outage; and never two at once. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Api, connect } from '../../lib/kube/client.ts';
import { type Election, type ElectOptions, elect } from '../../lib/kube/election.ts';
import { LEASES } from '../../lib/kube/kinds.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { randomFaults, startFaultProxy } from '../bed/proxy.ts';
import { until } from './a-follower.ts';

// A Lease counts in whole seconds; the rest as near to it as the rules let it, so that a take-over takes 3 s and not 15.
const QUICK = { leaseMs: 3_000, renewMs: 2_000, retryMs: 300 };

describeBed('an election on a real API server', ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler', 'kube-controller-manager'] });
    api = await connect({ kubeconfig: bed.kubeconfig });
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });
  const running: Election[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
  });

  /** A candidate that notes what it is told. */
  function candidate(name: string, identity: string, through = api, options: Partial<ElectOptions> = {}) {
    const said: string[] = [];
    const election = elect(through, {
      ...{ namespace: 'default', name, identity, ...QUICK },
      async onLead(signal) {
        said.push('leading');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        said.push('ended');
      },
      onLost: () => said.push('lost'),
      onLeader: (leader) => said.push(`leader ${leader}`),
      ...options,
    });
    running.push(election);
    return { ...election, said };
  }
  const leaseOf = async (name: string) => (await api.get(LEASES, { namespace: 'default', name })).spec;

  test('of two one leads; when it stops, the other one does, at once and in a new term', async () => {
    const a = candidate('stops', 'a');
    await until(a.isLeader);
    const b = candidate('stops', 'b');
    await until(() => b.leader() === 'a');
    expect([a.isLeader(), b.isLeader(), await leaseOf('stops')]).toMatchObject([
      true,
      false,
      { holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0 },
    ]);
    await a.stop();
    expect([a.isLeader(), a.said]).toEqual([false, ['leader a', 'leading', 'ended', 'lost']]);
    // Given back: nothing that another one would have to wait for.
    expect([undefined, 'b']).toContain((await leaseOf('stops'))?.holderIdentity);
    await until(b.isLeader);
    expect(await leaseOf('stops')).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    await expect(a.done).resolves.toBeUndefined();
  });

  test('a leader that is killed is followed when its Lease has run out, not before', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'samples/a-candidate.ts'), bed.kubeconfig, 'killed']);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const b = candidate('killed', 'b');
    await until(() => b.leader() === 'child');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    const { renewTime } = (await leaseOf('killed'))!;
    await until(b.isLeader);
    const { acquireTime, leaseTransitions } = (await leaseOf('killed'))!;
    // Both times are written by this machine's clock.
    expect(Date.parse(acquireTime!) - Date.parse(renewTime!)).toBeGreaterThanOrEqual(QUICK.leaseMs);
    expect(leaseTransitions).toBe(1);
  });

  test('without an API server nobody leads; when it is back, one does', async () => {
    const proxy = await startFaultProxy(bed);
    const through = await connect({ kubeconfig: proxy.kubeconfig });
    const a = candidate('away', 'a', through);
    await until(a.isLeader);
    proxy.down();
    await until(() => !a.isLeader());
    await until(() => a.said.includes('lost'));
    proxy.up();
    await until(a.isLeader);
    expect(a.said).toEqual(['leader a', 'leading', 'ended', 'lost', 'leading']);
    expect((await leaseOf('away'))?.leaseTransitions).toBe(0);
    await a.stop();
    through.close();
  });

  test('a Lease that somebody deletes is made again by its leader', async () => {
    const a = candidate('deleted', 'a');
    await until(a.isLeader);
    await api.delete(LEASES, { namespace: 'default', name: 'deleted' });
    while ((await leaseOf('deleted').catch(() => undefined))?.holderIdentity !== 'a')
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect([a.isLeader(), a.said]).toEqual([true, ['leader a', 'leading']]);
  });

  test('one that somebody else takes ends leading as soon as it is seen', async () => {
    const a = candidate('taken', 'a');
    await until(a.isLeader);
    await api.patch(LEASES, { namespace: 'default', name: 'taken' }, { spec: { holderIdentity: 'thief' } });
    await until(() => a.said.includes('lost'));
    expect(a.said).toEqual(['leader a', 'leading', 'leader thief', 'ended', 'lost']);
  });

  test('work that fails gives the Lease back, and the failure to whoever waits', async () => {
    const a = candidate('fails', 'a', api, {
      async onLead() {
        throw new Error('no pods to look at');
      },
    });
    await expect(a.done).rejects.toThrow('no pods to look at');
    expect(a.isLeader()).toBe(false);
    expect((await leaseOf('fails'))?.holderIdentity).toBeUndefined();
  });

  test('a leader whose last renewal failed gives the Lease back all the same', async () => {
    const proxy = await startFaultProxy(bed);
    const through = await connect({ kubeconfig: proxy.kubeconfig });
    const a = candidate('failed', 'a', through);
    await until(a.isLeader);
    let failed = 0;
    proxy.setPlan(({ method }) => (method === 'PUT' && ++failed === 1 ? { do: 'cut after' } : undefined));
    await until(() => failed > 0 && proxy.counts.faults > 0);
    await a.stop();
    expect((await leaseOf('failed'))?.holderIdentity).toBeUndefined();
    through.close();
  });

  test('while a leader cleans up after a stop, nobody else begins', async () => {
    let cleaned = false;
    const a = candidate('cleans', 'a', api, {
      async onLead(signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await new Promise((resolve) => setTimeout(resolve, QUICK.leaseMs + 1_000));
        cleaned = a.isLeader();
      },
    });
    await until(a.isLeader);
    const b = candidate('cleans', 'b');
    const stopping = a.stop();
    await until(b.isLeader);
    expect(cleaned).toBe(true);
    await stopping;
  });

  test('never two at once, however calls are cut, delayed and refused', async () => {
    const proxies = await Promise.all([0, 1, 2].map(() => startFaultProxy(bed, randomFaults(Math.random, 0.3))));
    const clients = await Promise.all(proxies.map(({ kubeconfig }) => connect({ kubeconfig })));
    const candidates = clients.map((through, i) => candidate('storm', 'abc'[i]!, through));
    const seen: number[] = [];
    const look = setInterval(() => seen.push(candidates.filter(({ isLeader }) => isLeader()).length), 2);
    for (let outage = 0; outage < 3; outage++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const leading = candidates.findIndex(({ isLeader }) => isLeader());
      if (leading === -1) continue;
      proxies[leading]!.down();
      await until(() => candidates.some(({ isLeader }, i) => i !== leading && isLeader()));
      proxies[leading]!.up();
    }
    clearInterval(look);
    expect(Math.max(...seen)).toBe(1);
    for (const { setPlan } of proxies) setPlan(() => undefined);
    await Promise.all(candidates.map(({ stop }) => stop()));
    for (const client of clients) client.close();
  });
});
