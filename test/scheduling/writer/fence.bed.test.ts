/** What agents and people say of addresses, on a real API server: conflicts, wires, machines that are off. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import type { Started } from '../../bed/process.ts';
import { gala } from '../../cli/gala.ts';
import { makeNodes, type WriterBed, writerBed } from './bed-writers.ts';
import { saying } from './objects.ts';

const IPLOCKS = '/apis/gala.internal/v1alpha1/iplocks';

describeBed('addresses that agents and people speak of', ['control-plane', 'kubectl'], () => {
  let bed: Bed;
  let all: WriterBed;
  let writer: Started;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    all = await writerBed(bed, { addresses: 20 });
    await makeNodes(all, 3);
    // Ten times as fast: what is kept is told after six seconds.
    writer = all.replica({ name: 'writer', speed: 10 });
  });
  afterAll(async () => {
    if (process.env.SHOW) process.stderr.write(writer.log());
    await bed?.stop();
  });

  const ask = (...args: string[]) => gala(...args, '--kubeconfig', bed.kubeconfig);
  const ready = async (name: string) => {
    await all.eventually(`${name} is Ready`, async () => (await all.lock(name)).status?.phase === 'Ready');
    return (await all.lock(name)).status?.slots ?? [];
  };
  const addressesOf = async (pod: string) => {
    const { uid } = (await all.pod(pod)).metadata;
    return (await all.ipLocks()).filter(({ spec }) => spec.podUID === uid);
  };
  const given = async (pod: string) => {
    await all.eventually(`${pod} has a slot`, async () => (await all.pod(pod)).metadata.annotations?.['gala.internal/slot'] !== undefined);
    return (await addressesOf(pod))[0]!;
  };
  /** The agent of its node: what it says of an address, by type, and the phase where it binds it. */
  const says = (ip: string, said: Readonly<Record<string, string>>, phase?: 'Bound') =>
    all.send('PATCH', `${IPLOCKS}/${ip}`, {
      ...(phase && { spec: { phase } }),
      status: { conditions: Object.entries(said).map(([type, what]) => saying(type, what)) },
    });
  const phaseOf = async (ip: string) => (await all.ipLocks()).find(({ metadata }) => metadata.name === ip)?.spec.phase;
  const isNow = (ip: string, phase: string | undefined) => all.eventually(`${ip} is ${phase}`, async () => (await phaseOf(ip)) === phase);
  const described = async (kind: string, name: string) => (await bed.kubectl(['describe', kind, name, '-n', 'feed'])).stdout;
  const nodeIs = (node: string, status: 'True' | 'False') =>
    all.send('PATCH', `/api/v1/nodes/${node}/status`, { status: { conditions: [{ type: 'Ready', status, reason: 'Test', message: '' }] } });

  describe('an address that another machine answers for', () => {
    test('L18 is Quarantined, and the slot of its Lock has another one; kubectl describe says who answered', async () => {
      await all.aLock('night', { count: 2, ttlSeconds: 3600 });
      const [first] = await ready('night');
      const ip = first!.address!;
      await says(ip, { Probed: 'Conflict' });
      await all.eventually('another address', async () => {
        const [now] = (await all.lock('night')).status?.slots ?? [];
        const found = (await all.ipLocks()).find(({ metadata }) => metadata.name === now?.address);
        return now?.address !== ip && now?.node === first?.node && found?.spec.phase === 'Locked' && found.spec.lock?.name === 'night';
      });
      await isNow(ip, 'Quarantined');
      for (const [kind, name] of [
        ['iplock', ip],
        ['lock', 'night'],
      ] as const)
        await all.eventually(`told of ${kind} ${name}`, async () =>
          /AddressConflict .*3c:fd:fe:11:22:33 answers for it/.test(await described(kind, name)),
        );
    });

    test('P18 before its pod is wired: the pod has another one on its node', async () => {
      await all.aPod('loose');
      const { metadata, spec } = await given('loose');
      await says(metadata.name, { Probed: 'Conflict' });
      await all.eventually('another address', async () => {
        const own = await addressesOf('loose');
        return own.length === 2 && own.some((it) => it.spec.phase === 'Locked' && it.spec.node === spec.node);
      });
      await isNow(metadata.name, 'Quarantined');
      await all.remove('loose');
    });

    test('S20 is free again once a person says so', async () => {
      const quarantined = (await all.ipLocks()).filter(({ spec }) => spec.phase === 'Quarantined').map(({ metadata }) => metadata.name);
      expect(quarantined).toHaveLength(2);
      for (const ip of quarantined) {
        await bed.kubectl(['annotate', 'iplock', ip, 'gala.internal/free=true']);
        await isNow(ip, undefined);
      }
    });
  });

  test('gala lock --wait probed ends when all addresses were looked for, and says what is amiss', async () => {
    const file = ['-f', 'examples/feed.yaml', '2', '-n', 'feed', '--wait', 'probed', '--timeout', '60s'];
    const waiting = ask('lock', ...file, '--name', 'looked-for');
    const [first, second] = await ready('looked-for');
    await says(first!.address!, { Probed: 'True' });
    await all.eventually('one is looked for', async () =>
      JSON.stringify((await all.lock('looked-for')).status).includes('1 of 2 addresses'),
    );
    await says(second!.address!, { Probed: 'True' });
    const { code, err } = await waiting;
    expect({ code, err: err.split('\n') }).toMatchObject({
      code: 0,
      err: expect.arrayContaining(['feed/looked-for: 1 of 2 addresses that wait for a pod were looked for']),
    });
    const waited = await bed.kubectl(['wait', '--for=condition=Probed', '-n', 'feed', 'lock/looked-for', '--timeout=45s']);
    expect(waited.stdout).toContain('condition met');
    await says(first!.address!, { Probed: 'GatewaySilent' });
    await all.eventually('amiss', async () => JSON.stringify((await all.lock('looked-for')).status).includes('GatewaySilent'));
    const amiss = await ask('lock', ...file, '--name', 'looked-for');
    expect(amiss).toMatchObject({
      code: 4,
      err: expect.stringContaining(
        `feed/looked-for: GatewaySilent: ${first!.address} on ${first!.node}: the gateway does not answer. The Lock is Ready and stays`,
      ),
    });
    await ask('unlock', 'looked-for', '-n', 'feed');
  });

  describe('an address that is wired', () => {
    /** Its pod is deleted by force, and the machine has said nothing. */
    async function aForcedEnd(pod: string, lock?: string) {
      await all.aPod(pod, { lock });
      const { metadata, spec } = await given(pod);
      await says(metadata.name, { Wired: 'True' }, 'Bound');
      await all.remove(pod);
      return { ip: metadata.name, node: spec.node };
    }

    test('S17 is kept after its pod, as kubectl describe says, until its node says that it is wired no longer', async () => {
      const { ip } = await aForcedEnd('wired');
      await all.eventually('told', async () => /AddressKept .*has not said that it is wired no longer/.test(await described('iplock', ip)));
      expect(await phaseOf(ip)).toBe('Bound');
      await says(ip, { Wired: 'False' });
      await isNow(ip, 'Held');
      expect((await all.ipLocks()).find(({ metadata }) => metadata.name === ip)?.status?.conditions).toEqual([]);
    });

    test('S18 is given back when gala fence says that its machine is off, which is refused while its Node is Ready', async () => {
      const { ip, node } = await aForcedEnd('fenced', 'night');
      expect(await ask('fence', node)).toMatchObject({
        code: 3,
        err: expect.stringContaining(`${node}: it is Ready, so its machine is on`),
      });
      await nodeIs(node, 'False');
      const dry = await ask('fence', node, '--dry-run', '-o', 'json');
      expect(JSON.parse(dry.out)).toMatchObject({ node, is: 'NotReady', did: 'tainted', dryRun: true });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await phaseOf(ip)).toBe('Bound');
      const { code, out } = await ask('fence', node);
      expect({ code, out: out.split('\n')[0] }).toEqual({
        code: 0,
        out: `${node}: it is not Ready. Node ${node} is tainted node.kubernetes.io/out-of-service.`,
      });
      expect(out).toContain(ip);
      await isNow(ip, 'Held');
      expect((await all.send('GET', `/api/v1/nodes/${node}`)).spec.taints).toContainEqual({
        ...{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' },
      });
      expect(await ask('fence', node)).toMatchObject({ code: 0, out: expect.stringContaining('was said before') });
      await all.send('PATCH', `/api/v1/nodes/${node}`, { spec: { taints: null } });
      await nodeIs(node, 'True');
    });

    test('S18 is given back when gala fence says so of a Node that is gone, for the pod that it names', async () => {
      const { ip, node } = await aForcedEnd('gone');
      await all.send('DELETE', `/api/v1/nodes/${node}`);
      await all.eventually('kept', async () => /AddressKept .*its node is gone/.test(await described('iplock', ip)));
      const answer = await ask('fence', node, '-o', 'json');
      expect(JSON.parse(answer.out)).toMatchObject({ node, is: 'Gone', did: 'noted', addresses: [{ address: ip, phase: 'Bound' }] });
      await isNow(ip, 'Held');
      expect(await ask('fence', 'r12-98')).toMatchObject({
        code: 2,
        err: expect.stringContaining('r12-98: there is no Node of that name'),
      });
    });
  });
});
