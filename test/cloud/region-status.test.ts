/** What `gala cloud` says of a region after its rounds, and what `gala cloud status` makes of it. */
import { describe, expect, test } from '@jest/globals';
import type { HostPool } from '../../lib/api/kinds.ts';
import { cloudSeen, cloudStatusText, exitCodeOf } from '../../lib/cli/cloud-status-text.ts';
import { failedStatus, type RegionStatus, regionStatus } from '../../lib/cloud/region-status.ts';
import { readStatus } from '../../lib/cloud/status-map.ts';
import { tagsOf } from '../../lib/cloud/tags.ts';
import { aCluster, aSpec, TAGS } from './a-cluster.ts';
import { aRegion } from './a-region.ts';

const AT = '2027-02-16T19:58:02.000Z';
const said = { at: AT, become: 'delete' as const, left: () => ({ left: 60, of: 60, perSecond: 3 }) };
const idOf = (n: number) => `i-${String(n).padStart(17, '0')}`;

function twoInstances() {
  const region = aRegion();
  const nodes = [0, 1].map((n) => ({ name: `node-${n}`, pool: 'burst', instanceId: idOf(n) }));
  for (const { instanceId } of nodes) region.launch(instanceId, 'c5.xlarge');
  region.pass(2_000);
  return { region, cluster: aCluster({ ec2: region, now: region.now, nodes }) };
}

describe('what is said of a region', () => {
  test('follows its ENIs: to be made, on their way, attached', async () => {
    const { region, cluster } = twoInstances();
    const enis = async () => regionStatus(await cluster.round(), said).pools.burst?.enis;
    expect(await enis()).toEqual({ wanted: 6, attached: 0, attaching: 0, creating: 6 });
    expect(await enis()).toMatchObject({ creating: 6 });
    region.pass(2_000);
    expect(await enis()).toEqual({ wanted: 6, attached: 0, attaching: 6, creating: 0 });
    region.pass(4_000);
    expect(await enis()).toEqual({ wanted: 6, attached: 6, attaching: 0, creating: 0 });
  });

  test('names orphans, and a Node whose instance has ended', async () => {
    const { region, cluster } = twoInstances();
    const lost = region.foreign(tagsOf(TAGS, idOf(9), 0));
    region.terminate(idOf(1));
    region.pass(60_000);
    await cluster.round();
    region.pass(60_000);
    const status = regionStatus(await cluster.round(), said);
    expect(status.orphans).toEqual({ become: 'delete', count: 1, oldestSeconds: 60, ids: [lost] });
    expect(status.pools.burst).toMatchObject({ instances: 1, gone: 1 });
  });

  test('keeps the last error with its time, through rounds that went well and those that came to nothing', async () => {
    const { region, cluster } = twoInstances();
    region.fates(['refused']);
    const first = regionStatus(await cluster.round(), said);
    expect(first.lastError).toEqual({ at: AT, message: 'CreateNetworkInterface: UnauthorizedOperation: ordered by the test' });
    region.fates([]);
    const later = { ...said, at: '2027-02-16T20:00:00.000Z', before: first.lastError };
    expect(regionStatus(await cluster.round(), later).lastError).toEqual(first.lastError);
    const failed = failedStatus(first, later.at, 'no credentials', said);
    expect(failed).toEqual({ ...first, lastError: { at: later.at, message: 'no credentials' } });
    expect(failedStatus(undefined, AT, 'no credentials', said)).toMatchObject({ pools: {}, lastError: { message: 'no credentials' } });
  });

  test('what somebody else wrote there is no status, and still names the region', () => {
    for (const text of ['', 'null', '{}', '[1]', 'yes: no', '{"at":"x"}']) expect(readStatus(text)).toBeUndefined();
    const status = failedStatus(undefined, AT, 'x', said);
    expect(readStatus(JSON.stringify(status))).toEqual(status);
  });
});

const NOW = Date.parse(AT) + 12_000;
const aPool = (conditions: readonly object[] = [], over: object = {}) => ({
  metadata: { name: 'burst' },
  spec: { ...aSpec(), replicas: 3, ec2: { ...aSpec().ec2!, size: { min: 0, max: 60 } } } as HostPool['spec'],
  status: { hosts: { known: 3, ready: 2 }, replicas: 3, conditions, ...over } as unknown as HostPool['status'],
});
const REGION: RegionStatus = {
  at: AT,
  enis: 21,
  orphans: { become: 'delete', count: 2, oldestSeconds: 420, ids: ['eni-0a', 'eni-0b'] },
  budget: {
    CreateNetworkInterface: { left: 12, of: 60, perSecond: 3 },
    AttachNetworkInterface: { left: 30, of: 30, perSecond: 3 },
  },
  pools: { burst: { instances: 3, gone: 0, enis: { wanted: 21, attached: 19, attaching: 1, creating: 1 } } },
};
const MISSING = {
  type: 'EnisMissing',
  status: 'True',
  message: 'Instances that lack pod ENIs (1 of 3): n-3 has 5 of 7, waits for an attachment.',
};
const seen = (over: object = {}) =>
  cloudSeen({ regions: { 'ap-northeast-1': REGION }, pools: [aPool([MISSING])], switches: [], atMs: NOW, ...over });

describe('gala cloud status', () => {
  test('says on one page how far it is and what it waits for', () => {
    expect(cloudStatusText(seen())).toBe(
      [
        '  POOL    REGION           INSTANCES   READY    ENIS   ON THEIR WAY',
        '  burst   ap-northeast-1         3/3       2   19/21   1 to create · 1 to attach',
        '  REGION           LOOKED     CALLS LEFT                     ORPHANS                                  LAST ERROR',
        '  ap-northeast-1   12 s ago   CreateNetworkInterface 12/60   2 ENIs, oldest 7 m: deleted after 10 m   none',
        'burst: Instances that lack pod ENIs (1 of 3): n-3 has 5 of 7, waits for an attachment.',
      ].join('\n'),
    );
    expect(exitCodeOf(seen())).toBe(4);
  });

  test('ends with 0 when all is there, 3 when somebody has to act', () => {
    expect(exitCodeOf(seen({ pools: [aPool([{ ...MISSING, status: 'False' }])] }))).toBe(0);
    const refused = aPool([MISSING, { type: 'Ec2Refuses', status: 'True', message: 'EC2 refuses: …' }]);
    expect(exitCodeOf(seen({ pools: [refused] }))).toBe(3);
    expect(seen({ pools: [refused] }).wrong).toEqual(['burst: EC2 refuses: …']);
  });

  test('a Node whose instance has ended waits for the program, or for somebody where others bring instances', () => {
    const pools = [aPool([{ type: 'InstancesGone', status: 'True', message: 'Nodes whose instance has ended (1): n-2 (i-0a).' }])];
    expect(exitCodeOf(seen({ pools }))).toBe(4);
    expect(exitCodeOf(seen({ pools, switches: ['--instances=leave'] }))).toBe(3);
  });

  test('a word that is old, or was never said, is not taken for all is well', () => {
    const later = seen({ pools: [aPool()], atMs: Date.parse(AT) + 400_000 });
    expect(later.waits).toEqual(['ap-northeast-1: its last look is 6 m 40 s old. gala status says whether it runs.']);
    const never = seen({ pools: [aPool()], regions: {} });
    expect([never.waits, exitCodeOf(never)]).toEqual([['ap-northeast-1: it has not looked yet. gala status says whether it runs.'], 4]);
  });

  test('tells of switches that keep it from its work', () => {
    const dry = seen({ pools: [aPool()], regions: {}, switches: ['--dry-run', '--orphans=list'] });
    expect(cloudStatusText(dry)).toContain('Started with --dry-run --orphans=list.');
    expect(dry.waits).toEqual([expect.stringMatching(/^It runs with --dry-run/)]);
  });

  test('a region whose last pool is gone is shown for as long as ENIs are left there', () => {
    expect(seen({ pools: [] }).regions).toMatchObject([{ name: 'ap-northeast-1', orphans: { count: 2 } }]);
  });
});
