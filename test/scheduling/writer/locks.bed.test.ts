import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import type { Started } from '../../bed/process.ts';
import { makeNodes, type WriterBed, writerBed } from './bed-writers.ts';

describeBed('Locks on a real API server', ['control-plane'], () => {
  let bed: Bed;
  let all: WriterBed;
  let writer: Started;

  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    all = await writerBed(bed, { addresses: 40 });
    await makeNodes(all, 4);
    // Ten times as fast: a ttl of 10 s passes in one.
    writer = all.replica({ name: 'writer', speed: 10, looseHoldMs: 20_000 });
  });
  afterAll(async () => {
    if (process.env.SHOW) process.stderr.write(writer.log());
    await bed?.stop();
  });

  const answered = async (name: string) => {
    await all.eventually(`${name} answered`, async () =>
      ['Ready', 'Failed', 'Expired'].includes((await all.lock(name)).status?.phase ?? ''),
    );
    return (await all.lock(name)).status!;
  };
  const addressesOf = async (lock: string) => (await all.ipLocks()).filter(({ spec }) => spec.lock?.name === lock);
  const slotOf = async (pod: string) => (await all.pod(pod)).metadata.annotations?.['gala.internal/slot'];
  const given = async (pod: string) => {
    await all.eventually(`${pod} has a slot`, async () => (await slotOf(pod)) !== undefined);
    return (await slotOf(pod))!;
  };
  const addressOf = async (pod: string) => {
    const { uid } = (await all.pod(pod)).metadata;
    const own = (await all.ipLocks()).filter(({ spec }) => spec.podUID === uid);
    expect(own).toHaveLength(1);
    return own[0]!.metadata.name;
  };
  const delLock = (name: string) => all.send('DELETE', `/apis/gala.internal/v1alpha1/namespaces/feed/locks/${name}`);
  const gone = (lock: string) => all.eventually(`no address of ${lock}`, async () => (await addressesOf(lock)).length === 0);

  describe('from question to answer', () => {
    test('a Lock made by kubectl is Ready with its slots, addresses and counts, and kubectl waits for it', async () => {
      const lock = {
        apiVersion: 'gala.internal/v1alpha1',
        kind: 'Lock',
        metadata: { name: 'by-kubectl', namespace: 'feed' },
        spec: { template: { spec: { containers: [{ name: 'a', image: 'a:1' }] } }, count: 3, owner: 'feed-api' },
      };
      const applied = await bed.kubectl(['apply', '-f', '-'], { stdin: stringify(lock) });
      expect(applied.stderr).toBe('');
      const waited = await bed.kubectl(['wait', '--for=jsonpath={.status.phase}=Ready', '-n', 'feed', 'lock/by-kubectl', '--timeout=45s']);
      expect(waited.stdout).toContain('condition met');
      const { slots, counts, observedGeneration, conditions } = (await all.lock('by-kubectl')).status!;
      expect({ counts, observedGeneration }).toEqual({ counts: { planned: 3, used: 0 }, observedGeneration: 1 });
      expect(
        (await addressesOf('by-kubectl')).map(({ metadata, spec }) => [metadata.name, spec.node, spec.owner, spec.phase]).sort(),
      ).toEqual(slots!.map(({ node, address }) => [address, node, 'feed/feed-api', 'Locked']).sort());
      // The pool says that others' pods may come.
      expect(conditions).toMatchObject([{ type: 'Advisory', status: 'True', reason: 'OpenNodes' }]);
      await delLock('by-kubectl');
      await gone('by-kubectl');
    });

    test('all or nothing: one more than there is gets nothing, and says why', async () => {
      await all.aLock('too-many', { count: 41 });
      const { phase, reasons, slots } = await answered('too-many');
      expect({ phase, slots }).toEqual({ phase: 'Failed', slots: undefined });
      expect(reasons).toMatchObject([{ reason: 'NoAddress', nodes: 4 }]);
      expect(await addressesOf('too-many')).toEqual([]);
      const events = await bed.kubectl(['events', '-n', 'feed', '--for', 'lock/too-many']);
      expect(events.stdout).toContain('NoAddress');
    });

    test('allowPartial takes what there is, and says why it is not more', async () => {
      await all.aLock('partial', { count: 41, allowPartial: true });
      const { phase, counts, reasons } = await answered('partial');
      expect({ phase, planned: counts?.planned }).toEqual({ phase: 'Ready', planned: 40 });
      expect(reasons).toMatchObject([{ reason: 'NoAddress' }]);
      await delLock('partial');
      await gone('partial');
    });

    test('podFrom takes the template of a Deployment; one that does not exist fails the Lock', async () => {
      await all.send('POST', '/apis/apps/v1/namespaces/feed/deployments', {
        metadata: { name: 'feed-api' },
        spec: {
          selector: { matchLabels: { app: 'a' } },
          template: {
            metadata: { labels: { app: 'a' } },
            spec: { containers: [{ name: 'a', image: 'a:1', env: [{ name: 'KEY', value: 'secret' }] }] },
          },
        },
      });
      await all.aLock('from', { podFrom: { kind: 'Deployment', name: 'feed-api' }, count: 2 });
      const { phase, template } = await answered('from');
      expect(phase).toBe('Ready');
      expect(template).toMatchObject({ metadata: { labels: { app: 'a' } } });
      expect(JSON.stringify(template)).not.toContain('secret');
      await all.aLock('from-nothing', { podFrom: { kind: 'StatefulSet', name: 'nobody' }, count: 2 });
      expect(await answered('from-nothing')).toMatchObject({ phase: 'Failed', reasons: [{ reason: 'NoSuchPod' }] });
      await delLock('from');
      await gone('from');
    });

    test('a template that cannot be read fails the Lock with the path', async () => {
      await all.aLock('unreadable', {
        template: { spec: { containers: [{ name: 'a', resources: { requests: { cpu: 'much' } } }] } },
        count: 1,
      });
      const { reasons } = await answered('unreadable');
      expect(reasons?.[0]).toMatchObject({ reason: 'Unreadable', message: expect.stringContaining('spec.containers') });
    });
  });

  describe('a slot’s life', () => {
    test('unused slots are over ttlSeconds after the last renewal', async () => {
      await all.aLock('short', { count: 2, ttlSeconds: 10 });
      await answered('short');
      for (let renewed = 0; renewed < 4; renewed++) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        const renewedAt = new Date(Date.now() + renewed).toISOString();
        await all.send('PATCH', '/apis/gala.internal/v1alpha1/namespaces/feed/locks/short', { spec: { renewedAt } });
      }
      expect((await all.lock('short')).status?.phase).toBe('Ready');
      await all.eventually('Expired', async () => (await all.lock('short')).status?.phase === 'Expired');
      await gone('short');
    });

    test('a pod takes a slot of its Lock and its address; when it is gone, the next one gets the same', async () => {
      await all.aLock('in-place', { count: 2, ttlSeconds: 600, holdSeconds: 20 });
      await answered('in-place');
      await all.aPod('a', { lock: 'in-place' });
      const slot = await given('a');
      const address = await addressOf('a');
      const { slots } = (await all.lock('in-place')).status!;
      expect(slots!.find((it) => String(it.slot) === slot)?.address).toBe(address);
      const { spec } = await all.pod('a');
      expect(spec.schedulingGates).toBeUndefined();
      await all.eventually('counted', async () => (await all.lock('in-place')).status?.counts?.used === 1);

      await all.remove('a');
      await all.eventually('Held', async () => (await addressesOf('in-place')).some((it) => it.spec.phase === 'Held'));
      await all.aPod('b', { lock: 'in-place' });
      expect([await given('b'), await addressOf('b')]).toEqual([slot, address]);
      await all.remove('b');
      await all.eventually('held for 2 s', async () => (await all.lock('in-place')).status?.slots?.some((it) => it.held) === true);
      await all.eventually('over', async () => (await all.lock('in-place')).status?.counts?.planned === 1);
      expect(await addressesOf('in-place')).toHaveLength(1);
      await delLock('in-place');
      await gone('in-place');
    });

    test('a pod without a free slot waits with an event, and takes the first that is freed', async () => {
      await all.aLock('one', { count: 1, ttlSeconds: 600 });
      await answered('one');
      await all.aPod('first', { lock: 'one' });
      await given('first');
      await all.aPod('second', { lock: 'one' });
      await all.eventually('told', async () =>
        (await bed.kubectl(['events', '-n', 'feed', '--for', 'pod/second'])).stdout.includes('0 of 1 slots'),
      );
      expect(await slotOf('second')).toBeUndefined();
      await all.remove('first');
      expect(await given('second')).toBe('0');
      await all.remove('second');
      await delLock('one');
    });

    test('a pod that has run to its end leaves its slot and address, though it is still there', async () => {
      await all.aLock('batch', { count: 1, ttlSeconds: 600 });
      await answered('batch');
      await all.aPod('finished', { lock: 'batch' });
      await given('finished');
      const address = await addressOf('finished');
      await all.send('PATCH', '/api/v1/namespaces/feed/pods/finished/status', { status: { phase: 'Succeeded' } });
      await all.aPod('successor', { lock: 'batch' });
      expect([await given('successor'), await addressOf('successor')]).toEqual(['0', address]);
      expect((await all.pod('finished')).status?.phase).toBe('Succeeded');
      await Promise.all([all.remove('finished'), all.remove('successor')]);
      await delLock('batch');
    });

    test('a pod that asks for more than was locked is told so, and keeps waiting', async () => {
      await all.aLock('small', { count: 1, ttlSeconds: 600 });
      await answered('small');
      await all.aPod('large', { lock: 'small', cpu: 2 });
      await all.eventually('told', async () =>
        (await bed.kubectl(['events', '-n', 'feed', '--for', 'pod/large'])).stdout.includes('AboveSlot'),
      );
      await all.remove('large');
      await delLock('small');
    });

    test('a deleted Lock leaves nothing but what its pods use, and that is Held after them', async () => {
      await all.aLock('going', { count: 3, ttlSeconds: 600 });
      await answered('going');
      await all.aPod('stays', { lock: 'going' });
      await given('stays');
      await delLock('going');
      await all.eventually('one left', async () => (await addressesOf('going')).length === 1);
      await all.remove('stays');
      await all.eventually('Held for its owner', async () =>
        (await all.ipLocks()).some(({ spec }) => spec.phase === 'Held' && spec.owner === 'feed/going' && !spec.lock),
      );
      await all.eventually('freed', async () => !(await all.ipLocks()).some(({ spec }) => spec.owner === 'feed/going'));
    });
  });

  test('P14 a pod gets its slot where the volume of its claim is, and waits while there is no claim', async () => {
    const claims = '/api/v1/namespaces/feed/persistentvolumeclaims';
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    await all.aPod('with-claim', { spec: { volumes } });
    await all.eventually('told', async () =>
      (await bed.kubectl(['events', '-n', 'feed', '--for', 'pod/with-claim'])).stdout.includes(
        'PersistentVolumeClaim feed/data does not exist',
      ),
    );
    const capacity = { storage: '1Gi' };
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['r12-03'] }];
    const common = { accessModes: ['ReadWriteOnce'], storageClassName: 'local' };
    await all.send('POST', '/api/v1/persistentvolumes', {
      metadata: { name: 'on-r12-03' },
      spec: { ...common, capacity, local: { path: '/data' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
    });
    await all.send('POST', claims, {
      metadata: { name: 'data' },
      spec: { ...common, volumeName: 'on-r12-03', resources: { requests: capacity } },
    });
    const told = async () => (await bed.kubectl(['events', '-n', 'feed', '--for', 'pod/with-claim'])).stdout;
    await all.eventually('told again', async () => (await told()).includes('is not bound to its volume on-r12-03 yet'));
    // Without controllers nobody else says so.
    await all.send('PATCH', `${claims}/data/status`, { status: { phase: 'Bound' } });
    await given('with-claim');
    expect(JSON.stringify((await all.pod('with-claim')).spec)).toContain('"values":["r12-03"]');
    await all.remove('with-claim');
    await all.eventually('freed in the end', async () =>
      (await all.ipLocks()).every(({ spec }) => !spec.owner.startsWith('feed/with-claim')),
    );
  });

  test('loose pods get an address each; a Job’s is freed at once, a Deployment’s waits for the next pod', async () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: '0f8fad5b-d9cb-469f-a165-70867728950e', controller: true };
    const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '0f8fad5b-d9cb-469f-a165-70867728950f', controller: true };
    await all.aPod('of-job', { owner: job });
    await all.aPod('of-web-1', { owner: set });
    expect([await given('of-job'), await given('of-web-1')]).toEqual(['loose', 'loose']);
    const [ofJob, ofWeb] = [await addressOf('of-job'), await addressOf('of-web-1')];
    await Promise.all([all.remove('of-job'), all.remove('of-web-1')]);
    await all.eventually('the Job’s is free', async () => !(await all.ipLocks()).some(({ metadata }) => metadata.name === ofJob));
    await all.aPod('of-web-2', { owner: set });
    await given('of-web-2');
    expect(await addressOf('of-web-2')).toBe(ofWeb);
    await all.remove('of-web-2');
    await all.eventually('freed in the end', async () => (await all.ipLocks()).length === 0);
  });
});
