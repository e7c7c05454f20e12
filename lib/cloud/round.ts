/**
 * Round: one look at a region and the steps that it comes to. Every round begins with a look, so nothing is tried again before EC2 was
 * asked what became of it; a step for which the budget has no token is left to the next round, which looks first.
 *
 * NodeNetworks are written before the steps: a slot leaves its node's list before its ENI leaves the node.
 */
import { reasonOf } from '../kube/log.ts';
import { type Ec2, Ec2Error, type Ec2Type, type Meaning, meaningOf, NotNow } from './ec2.ts';
import { afterConflict, afterCreate, type Memory, NO_MEMORY, type Step } from './eni-plan.ts';
import { type Look, NOTHING_KNOWN, type NodePlan, type RegionMemory, type RegionPlan, regionPlan } from './region-plan.ts';
import { tagsOf } from './tags.ts';

export interface RoundOptions {
  readonly ec2: Ec2;
  /** Read when the look at EC2 is over: what was locked meanwhile counts. */
  readonly cluster: () => Pick<Look, 'tags' | 'nodes' | 'listed' | 'taken'>;
  /** Asked of the API server, not of a watch, right before an ENI is detached or deleted. */
  readonly isTaken: (ip: string) => Promise<boolean>;
  /** Writes `eniSlots` of the node where they differ. */
  readonly writeSlots: (plan: Extract<NodePlan, { state: 'planned' }>) => Promise<void>;
  /** Asked right before each call that changes something. */
  readonly mayWrite: () => boolean;
  /** Nothing is changed, at EC2 or in the cluster: the steps are told. */
  readonly dryRun: boolean;
  readonly orphans: 'delete' | 'list';
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onStep?: (did: Taken) => void;
}

export interface Taken {
  readonly what: Step['do'] | 'delete';
  readonly eniId?: string;
  readonly instanceId?: string;
  readonly slot?: number;
  /** Undefined: EC2 has done it. */
  readonly not?: Meaning | 'not now' | 'taken' | 'no answer' | 'dry run';
  readonly because?: string;
}

export interface Round {
  readonly plan: RegionPlan;
  readonly taken: readonly Taken[];
  /** Until there is something to see or to do. */
  readonly nextInMs: number;
}

/** Steps at a time. */
const AT_ONCE = 8;
/** An attachment takes a few seconds. */
const SOON_MS = 2_000;
/** What EC2 refuses for want of addresses, quota or rights is not mended within seconds. */
const REFUSED_MS = 30_000;
/** Nothing to do: somebody may have meddled. */
const STILL_MS = 60_000;

const ORDER: readonly Taken['what'][] = ['end with instance', 'attach', 'create', 'detach', 'delete'];

/** Rounds of one region; what one learnt the next one knows. */
export function rounds(options: RoundOptions): { round(): Promise<Round> } {
  const { ec2, now } = options;
  const types = new Map<string, Ec2Type>();
  let memory: RegionMemory = NOTHING_KNOWN;

  async function look(): Promise<Look> {
    const ids = [...new Set(options.cluster().nodes.map(({ instanceId }) => instanceId))].sort();
    const instances = ids.length === 0 ? [] : await ec2.instances(ids);
    const unknown = [...new Set(instances.map(({ type }) => type))].filter((type) => !types.has(type));
    if (unknown.length > 0) for (const [name, type] of await ec2.types(unknown.sort())) types.set(name, type);
    const enis = await ec2.enis(ids, options.cluster().tags.clusterUid);
    const after = options.cluster();
    // A node that came meanwhile was not looked at: it must not count as gone.
    const asked = new Set(ids);
    return { ...after, nodes: after.nodes.filter(({ instanceId }) => asked.has(instanceId)), instances, types, enis };
  }

  const remember = (instanceId: string, change: (memory: Memory) => Memory) => {
    const instances = new Map(memory.instances).set(instanceId, change(memory.instances.get(instanceId) ?? NO_MEMORY));
    memory = { ...memory, instances };
  };

  async function take(job: Job, seen: Look): Promise<Taken> {
    const { what, instanceId, slot, eniId, ip } = job;
    const told = { what, instanceId, slot, eniId };
    if (options.dryRun) return { ...told, not: 'dry run' };
    if (!options.mayWrite()) return { ...told, not: 'not now', because: 'another leads' };
    try {
      if ((what === 'detach' || what === 'delete') && (ip === undefined || (await options.isTaken(ip))))
        return { ...told, not: 'taken', because: `${ip ?? 'its address'} was just locked` };
      const made = await job.send(seen);
      if (what === 'create') remember(instanceId!, (it) => afterCreate(it, slot!, made!, now()));
      return { ...told, ...(made === undefined ? {} : { eniId: made }) };
    } catch (error) {
      if (error instanceof NotNow) return { ...told, not: 'not now', because: reasonOf(error) };
      if (!(error instanceof Ec2Error)) return { ...told, not: 'no answer', because: reasonOf(error) };
      const not = meaningOf(error);
      if (not === 'place taken' && job.place) remember(instanceId!, (it) => afterConflict(it, job.place!, now()));
      // The token was used for something else, which is gone or would be shown: as if it had been made and never came.
      if (not === 'token used') remember(instanceId!, (it) => afterCreate(it, slot!, '', now()));
      return { ...told, not, because: error.message };
    }
  }

  return {
    async round() {
      const seen = await look();
      const plan = regionPlan(seen, memory, now());
      memory = plan.memory;
      for (const node of plan.nodes) if (node.state === 'planned' && !options.dryRun && options.mayWrite()) await options.writeSlots(node);
      const jobs = jobsOf(plan, seen, options);
      const taken: Taken[] = [];
      const queue = [...jobs];
      const spent = new Set<string>();
      const worker = async () => {
        for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
          const did: Taken = spent.has(job.what) ? { what: job.what, not: 'not now' } : await take(job, seen);
          if (did.not === 'throttled' || did.not === 'not now') spent.add(job.what);
          taken.push(did);
          options.onStep?.(did);
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker));
      return { plan, taken, nextInMs: nextInMs(plan, taken) };
    },
  };

  interface Job extends Pick<Taken, 'what' | 'eniId' | 'instanceId' | 'slot'> {
    readonly ip?: string;
    readonly place?: Extract<Step, { do: 'attach' }>['place'];
    readonly send: (seen: Look) => Promise<string | undefined>;
  }

  function jobsOf(plan: RegionPlan, { enis, tags }: Look, { orphans }: RoundOptions): Job[] {
    const ips = new Map(enis.map(({ id, ip }) => [id, ip]));
    const jobs = plan.nodes.flatMap((node): Job[] => {
      if (node.state !== 'planned') return [];
      return node.plan.steps.map((step): Job => {
        const { instanceId } = node;
        if (step.do === 'create') {
          const { slot, clientToken } = step;
          const { subnetId, securityGroupIds } = node.instance;
          return {
            what: step.do,
            instanceId,
            slot,
            send: () => ec2.create({ clientToken, subnetId, securityGroupIds, tags: tagsOf(tags, instanceId, slot) }),
          };
        }
        const about = { what: step.do, instanceId, eniId: step.eniId, ip: ips.get(step.eniId) };
        if (step.do === 'attach')
          return { ...about, slot: step.slot, place: step.place, send: nothing(() => ec2.attach(step.eniId, instanceId, step.place)) };
        if (step.do === 'detach') return { ...about, send: nothing(() => ec2.detach(step.attachmentId)) };
        return { ...about, send: nothing(() => ec2.endWithInstance(step.eniId, step.attachmentId)) };
      });
    });
    if (orphans === 'delete')
      for (const eniId of plan.orphans.delete)
        jobs.push({ what: 'delete', eniId, ip: ips.get(eniId), send: nothing(() => ec2.delete(eniId)) });
    // Each instance has its first ENI before any has its last.
    return jobs.sort((a, b) => ORDER.indexOf(a.what) - ORDER.indexOf(b.what) || (a.slot ?? 0) - (b.slot ?? 0));
  }
}

const nothing = (send: () => Promise<void>) => async () => {
  await send();
  return undefined;
};

/** How soon the next look is worth its calls. */
function nextInMs({ nodes }: RegionPlan, taken: readonly Taken[]): number {
  const waits = nodes.some(
    (node) =>
      node.state === 'planned' &&
      node.plan.waits.some((wait) => wait.for === 'to be shown' || wait.for === 'attaching' || wait.for === 'detaching'),
  );
  const passing: readonly Taken['not'][] = [undefined, 'place taken', 'not there', 'token used', 'no answer', 'not now', 'throttled'];
  if (waits || taken.some(({ not }) => not !== 'dry run' && passing.includes(not))) return SOON_MS;
  return taken.some(({ not }) => not === 'refused') ? REFUSED_MS : STILL_MS;
}
