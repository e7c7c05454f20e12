import { describe, expect, test } from '@jest/globals';
import { selectsNode } from '../../../lib/scheduling/node.ts';
import { type Claim, withClaims } from '../../../lib/scheduling/volumes.ts';
import { claimFacts, claimsOf, NO_CLAIMS, type VolumeClaims, volumeTerms } from '../../../lib/scheduling/writer/volume-claims.ts';
import { aLock, aNode, aPod, aUid, GIB } from '../builders.ts';
import { modelApi } from './model-api.ts';
import { modelWriter } from './model-writer.ts';

const onHost = (host: string) => ({
  spec: {
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [host] }] }] },
    },
  },
});
const aClaim = (volumeName?: string) => ({
  spec: { storageClassName: 'gala-data', resources: { requests: { storage: '10Gi' } }, volumeName },
  status: { phase: volumeName === undefined ? 'Pending' : 'Bound' },
});

/** Claims of namespace `feed` with the host of the volume that each is bound to; none: it isn't bound. */
function known(claims: Readonly<Record<string, string | undefined>>, more: Partial<VolumeClaims> = {}): VolumeClaims {
  const at = (name: string) => claims[name.slice('feed/'.length)];
  return {
    hasSynced: () => true,
    claim: (key) => (key.slice('feed/'.length) in claims ? claimFacts(aClaim(at(key) && `pv-${at(key)}`)) : undefined),
    volume: (name) => volumeTerms(onHost(name.slice('pv-'.length))),
    ...more,
  };
}
const redis = aPod({ name: 'redis-0', gated: true, claims: ['data-redis-0'] });

describe('P14 the claims of a pod', () => {
  test('that are bound say which nodes reach their volumes', () => {
    const [claim] = claimsOf(redis, known({ 'data-redis-0': 'r12-03' })) as readonly [object];
    expect(claim).toMatchObject({
      bound: true,
      nodeTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['r12-03'] }] }],
    });
  });
  test('that are not bound ask for room', () => {
    expect(claimsOf(redis, known({ 'data-redis-0': undefined }))).toEqual([
      { storageClassName: 'gala-data', bytes: 10 * GIB, bound: false, nodeTerms: [] },
    ]);
  });
  test('that are not bound, and whose volumes are being made for a node, say that node', () => {
    const metadata = { annotations: { 'volume.kubernetes.io/selected-node': 'r12-02' } };
    const made = claimFacts({ ...aClaim(), metadata } as never);
    const [claim] = claimsOf(redis, known({}, { claim: () => made })) as readonly [Claim];
    expect(selectsNode({ nodeSelector: {}, nodeTerms: claim.nodeTerms }, aNode('r12-02'))).toBe('yes');
    expect(selectsNode({ nodeSelector: {}, nodeTerms: claim.nodeTerms }, aNode('r12-01'))).toBe('nodeAffinity');
    const { nodeTerms, requests } = withClaims(redis.demand, [claim]);
    expect([nodeTerms, requests.get('storage/gala-data')]).toEqual([claim.nodeTerms, 10 * GIB]);
    const bound = claimFacts({ ...aClaim('pv-r12-03'), metadata } as never);
    expect(claimsOf(redis, known({}, { claim: () => bound }))).toMatchObject([{ nodeTerms: volumeTerms(onHost('r12-03')) }]);
  });
  test.each(['NoVolumeClaim', 'NoVolume'])(
    '%s passes where one watch is ahead of the other, and nobody is told to make data anew',
    (reason) => {
      const refusal = claimsOf(redis, reason === 'NoVolume' ? known({ 'data-redis-0': 'x' }, { volume: () => undefined }) : NO_CLAIMS);
      expect(refusal).toMatchObject({ reason, passes: true, message: expect.not.stringContaining('anew') });
    },
  );
  const leaving = claimFacts({ ...aClaim('pv-x'), metadata: { deletionTimestamp: '2026-11-27T00:00:00Z' } } as never);
  const notBound = { hasSynced: () => true, claim: () => ({ bytes: 0, bound: false, volume: 'pv-x' }), volume: () => [] };
  test.each([
    ['has not been read', 'VolumeClaimsUnread', known({ 'data-redis-0': 'r12-03' }, { hasSynced: () => false })],
    ['does not exist', 'NoVolumeClaim', NO_CLAIMS],
    ['is being deleted', 'VolumeClaimTerminating', known({}, { claim: () => leaving })],
    ['is on its way to a volume', 'VolumeNotBound', notBound],
    ['is bound to a volume that is not there', 'NoVolume', known({ 'data-redis-0': 'x' }, { volume: () => undefined })],
  ])('one that %s keeps it waiting: %s', (_, reason, volumes) => {
    expect(claimsOf(redis, volumes)).toMatchObject({ reason });
  });
  test('a pod without any asks nobody', () => {
    const asked = () => {
      throw new Error('asked');
    };
    expect(claimsOf(aPod({}), { hasSynced: asked, claim: asked, volume: asked })).toEqual([]);
  });
});

describe('P14 a pod that names a claim', () => {
  function aBed(claims: Record<string, string | undefined>, volumes = known(claims)) {
    const api = modelApi();
    const nodes = new Map(['r12-01', 'r12-02', 'r12-03'].map((name) => [name, aNode(name, { cpu: 1 })]));
    const writer = modelWriter(
      { api, nodes, pools: [], statefulSets: new Map(), wrong: (it) => ({ ...it, claimsOf: (pod) => claimsOf(pod, volumes) }) },
      0,
    );
    return {
      api,
      run(seconds: number): void {
        for (const until = api.now + seconds; api.now < until; api.now += 0.1) {
          for (const kind of ['Pod', 'Lock', 'IPLock'] as const) while (writer.deliver(kind));
          writer.begin();
          for (const { write } of writer.under.splice(0)) writer.agenda.ended(write, api.do(write.call), api.now * 1000);
        }
      },
      node: (name: string) => api.objects.Pod.get(`feed/${name}`)?.pinned,
      told: () => writer.notes.flatMap((note) => (note.note === 'event' ? [`${note.key} ${note.reason}: ${note.message}`] : [])),
    };
  }

  test('gets its slot where its volume is, and nowhere else', () => {
    const bed = aBed({ 'data-redis-0': 'r12-03', 'data-redis-1': 'r12-03' });
    bed.api.createPod(redis);
    bed.run(5);
    bed.api.createPod(aPod({ name: 'redis-1', gated: true, claims: ['data-redis-1'] }));
    bed.run(5);
    expect([bed.node('redis-0'), bed.node('redis-1')]).toEqual(['r12-03', undefined]);
    expect(bed.told()).toContainEqual(
      expect.stringMatching(/^feed\/redis-1 .*reachable from some nodes only: PersistentVolumeClaim data-redis-1/),
    );
  });

  test('and fits nowhere keeps no pod of its template waiting whose volume is elsewhere', () => {
    const bed = aBed({ 'data-redis-0': 'r12-09', 'data-redis-1': 'r12-02' });
    bed.api.createPod(redis);
    bed.api.createPod(aPod({ name: 'redis-1', gated: true, claims: ['data-redis-1'] }));
    bed.run(5);
    expect([bed.node('redis-0'), bed.node('redis-1')]).toEqual([undefined, 'r12-02']);
  });

  test('waits with a reason while there is none, and gets its slot when there is', () => {
    const claims: Record<string, string | undefined> = {};
    const bed = aBed(claims);
    bed.api.createPod(redis);
    bed.run(4);
    expect(bed.told()).toEqual([]);
    bed.run(12);
    expect(bed.told()).toEqual([
      'feed/redis-0 NoVolumeClaim: PersistentVolumeClaim feed/data-redis-0 does not exist. The pod gets its slot when it is there; else correct the name in its volumes.',
    ]);
    claims['data-redis-0'] = undefined;
    bed.run(15);
    expect(bed.node('redis-0')).toBeDefined();
  });

  test('whose volume is being made for a node goes there again, though that node refused it', () => {
    const metadata = { annotations: { 'volume.kubernetes.io/selected-node': 'r12-02' } };
    const bed = aBed({}, known({}, { claim: () => claimFacts({ ...aClaim(), metadata } as never) }));
    const next = { ...redis, controller: { group: 'apps', kind: 'StatefulSet', name: 'redis', uid: 'set' } };
    bed.api.createPod({ ...next, uid: aUid() });
    bed.run(5);
    bed.api.change('Pod', 'feed/redis-0', (it) => ({ ...it, unschedulable: 'timed out waiting for the volume' }));
    bed.run(40);
    expect(bed.api.objects.Pod.size).toBe(0);
    bed.api.createPod({ ...next, uid: aUid() });
    bed.run(5);
    expect(bed.node('redis-0')).toBe('r12-02');
  });

  test('takes the slot of its Lock that is where its volume is', () => {
    const bed = aBed({ 'data-redis-0': 'r12-02' });
    bed.api.createLock('feed/redis', { ...aLock('redis').spec, count: 3 });
    bed.api.createPod({ ...redis, lock: 'redis' });
    bed.run(10);
    expect(bed.node('redis-0')).toBe('r12-02');
  });
});
