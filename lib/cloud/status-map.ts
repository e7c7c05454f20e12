/**
 * Status map: the ConfigMap in which `gala cloud` says how far it is, a key for each region, as the cluster autoscaler has one
 * (cluster-autoscaler-status). It is also the list of regions in which ENIs may lie: with its last pool a region leaves the HostPools,
 * and what nobody looks at is an orphan for ever.
 */
import { CLOUD_STATUS_CONFIGMAP } from '../api/cloud.ts';
import { PART_OF } from '../api/resource.ts';
import type { Api } from '../kube/client.ts';
import { sleep } from '../kube/clock.ts';
import { isConflict, unlessMissing } from '../kube/error.ts';
import { CONFIGMAPS } from '../kube/kinds.ts';
import { type Log, reasonOf } from '../kube/log.ts';
import type { Left } from './budget.ts';
import { failedStatus, type RegionStatus, regionStatus, type Said } from './region-status.ts';
import type { Round } from './round.ts';

export interface StatusMapOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly mayWrite: () => boolean;
  /** Nothing is written. */
  readonly dryRun: boolean;
  readonly orphans: 'delete' | 'list';
  readonly left: (region: string, api: string) => Left;
  /** @default the wall clock */
  readonly wallClock?: () => Date;
}

export interface StatusMap {
  /** Regions that it has said something of. */
  regions(): readonly string[];
  /** Before the first ENI is made there: from here on the region is known, whatever becomes of its pools. */
  note(region: string): Promise<void>;
  round(region: string, round: Round): Promise<void>;
  failure(region: string, error: unknown): Promise<void>;
  /** Nothing is there any more, and no pool. */
  forget(region: string): Promise<void>;
}

/** Reads what was said before; a process that starts goes on from there. */
export async function statusMap(options: StatusMapOptions): Promise<StatusMap> {
  const { api, namespace, log, signal, wallClock = () => new Date() } = options;
  const id = { namespace, name: CLOUD_STATUS_CONFIGMAP };
  const known = new Map<string, RegionStatus | undefined>();
  for (const [region, text] of Object.entries(await saidBefore())) known.set(region, readStatus(text));

  async function saidBefore(): Promise<Readonly<Record<string, string>>> {
    for (;;) {
      try {
        return (await unlessMissing(api.get(CONFIGMAPS, id, { signal })))?.data ?? {};
      } catch (error) {
        if (signal.aborted) return {};
        log.warn('what was said before is not to be had', { configMap: id.name, because: reasonOf(error) });
        await sleep(1_000, signal);
      }
    }
  }

  async function write(region: string, status: RegionStatus | undefined | 'forgotten'): Promise<void> {
    if (options.dryRun || !options.mayWrite()) return;
    const text = status === 'forgotten' ? null : JSON.stringify(status ?? {});
    try {
      const data = { [region]: text } as Record<string, string>;
      const found = await unlessMissing(api.patch(CONFIGMAPS, id, { data }));
      if (found === undefined && text !== null) await api.create(CONFIGMAPS, { metadata: { ...id, labels: PART_OF }, data });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }

  const said = (region: string): Omit<Said, 'at' | 'before'> => ({
    become: options.orphans,
    left: (api) => options.left(region, api),
  });
  /** That nobody is told is no reason to make no ENIs. */
  const tell = async (region: string, status: RegionStatus) => {
    known.set(region, status);
    await write(region, status).catch((error: unknown) => log.warn('the status was not written', { region, because: reasonOf(error) }));
  };
  const now = () => wallClock().toISOString();

  return {
    regions: () => [...known.keys()],
    async note(region) {
      if (known.has(region)) return;
      await write(region, undefined);
      known.set(region, undefined);
    },
    round: (region, round) => tell(region, regionStatus(round, { ...said(region), at: now(), before: known.get(region)?.lastError })),
    failure: (region, error) => tell(region, failedStatus(known.get(region), now(), reasonOf(error), said(region))),
    async forget(region) {
      await write(region, 'forgotten');
      known.delete(region);
    },
  };
}

/** What another version, or a person, wrote there may be anything: then only the region is known. */
export function readStatus(text: string): RegionStatus | undefined {
  try {
    const read = JSON.parse(text) as Partial<RegionStatus> | null;
    return read?.at === undefined || read.pools === undefined || read.orphans === undefined || read.budget === undefined
      ? undefined
      : (read as RegionStatus);
  } catch {
    return undefined;
  }
}
