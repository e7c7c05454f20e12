/**
 * Stories: users, controllers, the scheduler and one or more lock writers on the model, one small step after the other, in an order
 * that a list of numbers says. After each step what must always hold is looked at.
 */
import { FREE_ANNOTATION, MOVE_ANNOTATION, RELEASES } from '../../../lib/api/network.ts';
import { LOOSE, SCHEDULER_NAME } from '../../../lib/api/scheduling.ts';
import type { PodFacts, StatefulSetFacts } from '../../../lib/scheduling/facts.ts';
import { verify } from '../../../lib/scheduling/verify.ts';
import { type IPLockObject, slotsOf } from '../../../lib/scheduling/writer/books.ts';
import { conditionOf, wiredBy } from '../../../lib/scheduling/writer/found-out.ts';
import type { Outcome } from '../../../lib/scheduling/writer/write.ts';
import { aLock, aNode, aPod, aPool, aTemplate, aUid, aVlan } from '../builders.ts';
import { type Dice, dice } from '../dice.ts';
import { type ModelApi, modelApi } from './model-api.ts';
import { type ModelWriter, modelWriter, type Site, type Under } from './model-writer.ts';

/** Which step, and two numbers to choose by. */
export type Roll = readonly [step: number, a: number, b: number];

export interface StoryOptions {
  /** Whether pods take addresses from Gala. */
  readonly addresses: boolean;
  /** Whether calls of a lock writer that has ended may be done later. */
  readonly late: boolean;
  /** Agents on the nodes say what is wired, and look for addresses on the wire, where other machines answer for some. @default false */
  readonly agents?: boolean;
  /** No faults, no ends of lock writers, and users only ask for more. @default false */
  readonly calm?: boolean;
}

/** Of each node; every pod takes one. */
const CPUS = 3;
/** A late call is done within this, or never. */
const LATE_SECONDS = 60;

const NOT_DONE: readonly Outcome[] = [
  { is: 'undone', message: '429' },
  { is: 'refused', reason: 'Forbidden', message: 'a policy says no' },
];

export interface Story {
  readonly api: ModelApi;
  step(roll: Roll): void;
  /** Everybody does what there is to do, without faults, until nothing moves. */
  settle(): void;
  /** Users take away everything; what is then left over is a leak. */
  clear(): void;
  readonly writer: ModelWriter;
  /** What happened, for whoever reads a failure. */
  readonly told: string[];
  /** Calls that found the world other than they thought. */
  readonly stumbles: number;
}

export function story(options: StoryOptions): Story {
  const { addresses, late, calm = false, agents = false } = options;
  const api = modelApi();
  const pool = aPool('web', {
    racks: { r1: 'n[1-4]' },
    vlans: [aVlan(110, 4), aVlan(120, 3)],
    cni: addresses ? undefined : 'calico',
    locks: 'advisory',
  });
  const nodes = new Map(['n1', 'n2', 'n3', 'n4'].map((name) => [name, aNode(name, { pool: 'web', rack: 'r1', cpu: CPUS })]));
  const sets = new Map<string, StatefulSetFacts>();
  const site: Site = { api, nodes, pools: [pool], statefulSets: sets };
  const told: string[] = [];
  let writer = aWriter(0);
  /** Addresses that other machines answer for. */
  const foreign = new Set<string>();
  /** Nodes that kube-scheduler has something against, and Gala knows nothing of it. */
  const refusing = new Set<string>();
  let lates: { under: Under; untilS: number }[] = [];
  let made = 0;
  let stumbles = 0;
  /** A lock writer that began with caches that were behind may promise what it hadn't heard of: kube-scheduler has the last word. */
  let exact = !late;
  const look = () => check(api, options, exact);

  /** Agents of some nodes say of each address when nothing of it is left; those of the others are of before. */
  function aWriter(behind: number): ModelWriter {
    const made = modelWriter(site, behind);
    const says = { type: RELEASES, status: 'True', reason: 'OfEveryPod', lastTransitionTime: '2026-11-27T00:00:00Z' } as const;
    for (const node of agents ? ['n1', 'n2'] : [])
      made.networkIs(node, { metadata: {}, spec: { pool: 'web' }, status: { conditions: [says] } } as Parameters<
        ModelWriter['networkIs']
      >[1]);
    return made;
  }

  const pick = <T>(of: readonly T[], at: number): T | undefined => of[at % Math.max(1, of.length)];
  const say = (what: string) => void told.push(`${api.now} ${what}`);

  function bind(pod: PodFacts): boolean {
    const node = nodes.get(pod.pinned ?? '');
    if (pod.gated || pod.slot === undefined || pod.node !== undefined || node === undefined || !node.ready || node.unschedulable)
      return false;
    const rivals = [...api.objects.Pod.values()].filter(
      (it) => it.lock === pod.lock && it.slot === pod.slot && it.uid !== pod.uid && !it.done,
    );
    const [verdict] = verify({ ...pod, hostNetwork: false }, [node.name], {
      uid: pod.uid,
      lock: pod.lock === undefined ? undefined : api.objects.Lock.get(`${pod.namespace}/${pod.lock}`),
      rivals: pod.slot === LOOSE ? [] : rivals,
      addressFromGala: () => addresses,
      addresses: [...api.objects.IPLock.values()],
    } as unknown as Parameters<typeof verify>[2]);
    const reason = verdict?.reason ?? (refusing.has(node.name) ? 'a plugin says no' : undefined);
    if (reason !== undefined) {
      if (pod.unschedulable === undefined) api.change('Pod', pod.key, (it) => ({ ...it, unschedulable: reason }));
      return false;
    }
    api.change('Pod', pod.key, (it) => ({ ...it, node: node.name, unschedulable: undefined }));
    say(`bound ${pod.key} to ${node.name}`);
    return true;
  }

  function apply(under: Under): void {
    under.outcome ??= api.do(under.write.call);
    if (under.outcome.is === 'doubtful') stumbles++;
    say(`${under.write.call.do} ${under.write.object}: ${under.outcome.is}`);
  }

  function crash(behind: number): void {
    say(`crash ${behind}`);
    if (behind > 0) exact = false;
    const untilS = api.now + LATE_SECONDS;
    lates = late ? [...lates, ...writer.under.filter(({ outcome }) => outcome === undefined).map((under) => ({ under, untilS }))] : [];
    writer.agenda.close();
    writer = aWriter(behind);
  }

  function aWaitingPod(a: number, b: number): PodFacts {
    made++;
    const lock = pick([...api.objects.Lock.keys()], b);
    const common = { gated: true, cpu: 1, uid: aUid() };
    switch (a % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return aPod({
          ...common,
          name: `l${made}`,
          lock: lock?.slice(5) ?? (b % 9 === 0 ? 'nobody' : undefined),
          controller: { group: 'apps', kind: 'ReplicaSet', name: 'web', uid: 'rs' },
        });
      case 5: {
        sets.set('feed/db', { key: 'feed/db', uid: 'set', replicas: 1 + (b % 3), firstOrdinal: 0 });
        return aPod({ ...common, name: `db-${b % 3}`, controller: { group: 'apps', kind: 'StatefulSet', name: 'db', uid: 'set' } });
      }
      case 6:
        return aPod({ ...common, name: `j${made}`, controller: { group: 'batch', kind: 'Job', name: 'job', uid: 'job' } });
      default:
        return aPod({ ...common, name: `p${made}`, priority: b % 2 });
    }
  }

  /** One move of the watches, the calls or kube-scheduler. */
  function move({ upTo, pick, chance }: Dice): void {
    api.now += 0.01;
    switch (upTo(7)) {
      case 0:
      case 1:
        for (let more = upTo(6); more >= 0; more--) writer.deliver(pick(['Pod', 'Lock', 'IPLock'] as const));
        return;
      case 2:
        writer.begin();
        return;
      case 3: {
        const undone = writer.under.filter(({ outcome }) => outcome === undefined);
        if (undone.length > 0) apply(pick(undone));
        return;
      }
      case 4:
      case 5: {
        if (writer.under.length === 0) return;
        const under = pick(writer.under);
        writer.under.splice(writer.under.indexOf(under), 1);
        // No answer: done or not, the lock writer doesn't know.
        if (!calm && chance(0.06)) under.outcome = { is: 'doubtful', message: 'reset' };
        else if (!calm && under.outcome === undefined && chance(0.08)) under.outcome = pick(NOT_DONE);
        else apply(under);
        writer.agenda.ended(under.write, under.outcome!, api.now * 1000);
        return;
      }
      default: {
        const pods = [...api.objects.Pod.values()];
        if (pods.length > 0) bind(pick(pods));
      }
    }
  }

  function wire(ipLock: IPLockObject): void {
    // An agent looks first whether another machine answers for it.
    if (agents && foreign.has(ipLock.metadata.name)) return void probe(ipLock);
    const bound = { ...ipLock.spec, phase: 'Bound' as const };
    api.change('IPLock', ipLock.metadata.name, (it) => ({ ...(agents ? saying(it, 'Wired', 'True', 'Wired') : it), spec: bound }));
  }

  /** @returns whether there was anything to take down */
  function unwire(ipLock: IPLockObject): boolean {
    const pod = [...api.objects.Pod.values()].find(({ uid }) => uid === ipLock.spec.podUID);
    // A pod that was given it and has not come to the node counts as gone after a while.
    if (wiredBy(ipLock) !== 'may be' || (pod !== undefined && !pod.done && pod.node === ipLock.spec.node)) return false;
    api.change('IPLock', ipLock.metadata.name, (it) => saying(it, 'Wired', 'False', 'Unwired'));
    return true;
  }

  /** @returns whether it has not been looked for yet */
  function probe(ipLock: IPLockObject): boolean {
    const isForeign = foreign.has(ipLock.metadata.name);
    const before = conditionOf(ipLock, 'Probed');
    if (ipLock.spec.phase !== 'Locked' || (before !== undefined && (before.status === 'False') === isForeign)) return false;
    say(`${ipLock.metadata.name} is looked for: ${isForeign ? 'another answers' : 'free'}`);
    api.change('IPLock', ipLock.metadata.name, (it) =>
      isForeign ? saying(it, 'Probed', 'False', 'Conflict') : saying(it, 'Probed', 'True', 'Free'),
    );
    return true;
  }

  const steps: readonly ((a: number, b: number) => void)[] = [
    ...Array.from({ length: 18 }, () => (a: number, b: number) => {
      const chance = dice(a * 1_000 + b);
      for (let moves = 1 + (a % 25); moves > 0; moves--) {
        move(chance);
        look();
      }
    }),
    ...Array.from({ length: 2 }, () => (a: number, b: number) => {
      const spec = aLock('x', { template: aTemplate({ spec: { schedulerName: SCHEDULER_NAME } }) }).spec;
      const name = `feed/lock${a % 3}`;
      const more = {
        count: 1 + (b % 3),
        allowPartial: a % 3 === 0,
        owner: `owner${a % 2}`,
        ttlSeconds: 60,
        holdSeconds: b % 5 === 0 ? 0 : 30,
      };
      if (!api.objects.Lock.has(name)) say(`lock ${name} ${JSON.stringify(more)}`);
      api.createLock(name, { ...spec, ...more });
    }),
    ...Array.from({ length: 4 }, () => (a: number, b: number) => {
      const pod = aWaitingPod(a, b);
      if (!api.objects.Pod.has(pod.key)) say(`pod ${pod.key} lock ${pod.lock}`);
      api.createPod(pod);
    }),
    (a) => {
      const key = pick([...api.objects.Pod.keys()], a);
      if (key !== undefined) say(`pod ${key} deleted`);
      if (key !== undefined) api.remove('Pod', key);
    },
    (a, b) => {
      const lock = pick([...api.objects.Lock.values()], a);
      const key = `feed/${lock?.metadata.name}`;
      // The policy refuses it; now and then there is none.
      if (lock === undefined || b % 3 > 0 || ((lock.status?.counts?.used ?? 0) > 0 && b % 10 > 0)) return;
      say(`lock ${key} deleted`);
      api.remove('Lock', key);
    },
    (a) => {
      const key = pick([...api.objects.Lock.keys()], a);
      if (key !== undefined) api.change('Lock', key, (it) => ({ ...it, spec: { ...it.spec, renewedAt: `${api.now}-${a}` } }));
    },
    (a, b) => {
      if (a % 3 === 0) crash(b % 3 === 0 ? a % 12 : 0);
    },
    (a) => {
      const pod = pick([...api.objects.Pod.values()], a);
      if (pod?.node !== undefined && !pod.done) api.change('Pod', pod.key, (it) => ({ ...it, done: true }));
    },
    (a) => {
      // A node's agent wires a pod that is there.
      const ipLock = pick([...api.objects.IPLock.values()], a);
      const pod = [...api.objects.Pod.values()].find(({ uid }) => uid === ipLock?.spec.podUID);
      if (ipLock?.spec.phase === 'Locked' && pod?.node === ipLock.spec.node && !pod.done) wire(ipLock);
    },
    (a) => pass([1, 1, 1, 5, 5, 20, 40, 120][a % 8]!),
    (a, b) => {
      // A person wants the slot of an address that no pod has elsewhere.
      const ipLock = pick([...api.objects.IPLock.values()], a);
      const { phase, podUID, lock } = ipLock?.spec ?? {};
      if (ipLock === undefined || lock === undefined || (phase !== 'Held' && (phase !== 'Locked' || podUID !== undefined))) return;
      const to = pick([...nodes.keys(), '*'], b)!;
      say(`${ipLock.metadata.name} is asked to ${to}`);
      annotate(ipLock.metadata.name, { [MOVE_ANNOTATION]: to });
    },
    (a, b) => {
      const { name } = pick([...nodes.values()], a)!;
      if (b % 2 === 0) refusing.add(name);
      else refusing.delete(name);
      say(`kube-scheduler refuses ${[...refusing]}`);
    },
    (a, b) => {
      const node = pick([...nodes.values()], a)!;
      const now = { ...node, unschedulable: b % 4 === 0, ready: b % 4 !== 1 };
      nodes.set(node.name, now);
      writer.nodeIs(now);
    },
    ...Array.from({ length: 3 }, () => (a: number) => {
      const one = pick(lates, a);
      if (one === undefined) return;
      lates = lates.filter((it) => it !== one);
      say('late:');
      apply(one.under);
    }),
    ...(agents
      ? [
          ...Array.from({ length: 3 }, () => (a: number) => {
            const ipLock = pick([...api.objects.IPLock.values()], a);
            if (ipLock !== undefined) probe(ipLock);
          }),
          (a: number) => {
            const ipLock = pick([...api.objects.IPLock.values()], a);
            if (ipLock !== undefined) unwire(ipLock);
          },
          (a: number, b: number) => {
            // Of few machines, so that there are addresses that nobody else has.
            if (b % 3 === 0 || foreign.size === 2) foreign.clear();
            else foreign.add(b % 2 === 0 ? `10.110.0.${10 + (a % 4)}` : `10.120.0.${10 + (a % 3)}`);
            say(`others answer for ${[...foreign]}`);
          },
          (a: number) => {
            const ipLock = pick([...api.objects.IPLock.values()], a);
            if (ipLock?.spec.phase === 'Held' || ipLock?.spec.phase === 'Quarantined') letGo(ipLock);
          },
        ]
      : []),
  ];

  /** A person says so. */
  function letGo({ metadata: { name } }: IPLockObject): void {
    say(`${name} is let go`);
    foreign.delete(name);
    annotate(name, { [FREE_ANNOTATION]: 'true' });
  }

  function annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    api.change('IPLock', name, ({ metadata, ...it }) => ({
      ...it,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
    }));
  }

  /** The first so many steps: moves, new Locks, new pods. */
  const CALM = 24;

  function pass(seconds: number): void {
    api.now += seconds;
    lates = lates.filter(({ untilS }) => untilS >= api.now);
  }

  function work(): boolean {
    let moved = false;
    for (const kind of ['Pod', 'Lock', 'IPLock'] as const) while (writer.deliver(kind)) moved = true;
    writer.begin();
    for (const under of writer.under.splice(0)) {
      moved = true;
      apply(under);
      writer.agenda.ended(under.write, under.outcome!, api.now * 1000);
      look();
    }
    for (const pod of [...api.objects.Pod.values()]) if (bind(pod)) moved = true;
    if (agents)
      for (const ipLock of [...api.objects.IPLock.values()]) {
        if (probe(ipLock)) moved = true;
        else if (unwire(ipLock)) moved = true;
      }
    look();
    return moved;
  }

  function settle(): void {
    lates = [];
    refusing.clear();
    for (const [name, node] of nodes) {
      const well = { ...node, ready: true, unschedulable: false };
      nodes.set(name, well);
      writer.nodeIs(well);
    }
    for (let still = 0, rounds = 0; still < 4; rounds++) {
      if (rounds > 2_000) throw new Error(`it never comes to rest:\n${told.slice(-40).join('\n')}`);
      if (work()) still = 0;
      else {
        still++;
        // Far enough for any wait between tries, for the 30 s of pinned pods and the 90 s of late writes.
        pass(50);
      }
    }
  }

  return {
    api,
    told,
    get writer() {
      return writer;
    },
    get stumbles() {
      return stumbles;
    },
    step([step, a, b]) {
      steps[step % (calm ? CALM : steps.length)]!(a, b);
      look();
    },
    settle,
    clear() {
      foreign.clear();
      for (const key of [...api.objects.Pod.keys()]) api.remove('Pod', key);
      for (const key of [...sets.keys()]) {
        sets.delete(key);
        writer.agenda.statefulSetChanged(key, api.now * 1000);
      }
      settle();
      for (const key of [...api.objects.Lock.keys()]) api.remove('Lock', key);
      settle();
      pass(5_000);
      settle();
      for (const ipLock of [...api.objects.IPLock.values()]) if (ipLock.spec.phase === 'Quarantined') letGo(ipLock);
      pass(5_000);
      settle();
    },
  };
}

/** With a condition, as an agent writes it. */
function saying(ipLock: IPLockObject, type: string, status: 'True' | 'False', reason: string): IPLockObject {
  const others = ipLock.status?.conditions?.filter((one) => one.type !== type) ?? [];
  return { ...ipLock, status: { conditions: [...others, { type, status, reason, lastTransitionTime: '2026-11-26T00:00:00Z' }] } };
}

/** What must hold after every single step, whoever crashed, and whatever comes late. */
function check({ objects }: ModelApi, { addresses, late }: StoryOptions, exact: boolean): void {
  const listed = new Map<string, string>();
  for (const [key, lock] of objects.Lock) {
    if (lock.status?.phase !== 'Ready') continue;
    for (const { slot, address } of slotsOf(lock)) {
      if (address === undefined) continue;
      const other = listed.get(address);
      if (other !== undefined) throw new Error(`address ${address} is promised twice: to ${other} and to ${key}#${slot}`);
      listed.set(address, `${key}#${slot}`);
    }
  }
  const bearers = new Map<string, PodFacts>();
  for (const pod of objects.Pod.values()) {
    if (pod.gated || pod.done) continue;
    if (pod.slot !== LOOSE) {
      const slot = `${pod.namespace}/${pod.lock}#${pod.slot}`;
      const other = bearers.get(slot);
      // Without addresses nothing stops a late write from giving a slot that is given: then the extender lets one of them through.
      if (other !== undefined && (!late || (other.node !== undefined && pod.node !== undefined)))
        throw new Error(`slot ${slot} has two pods: ${other.key} and ${pod.key}`);
      bearers.set(slot, pod);
      const lock = objects.Lock.get(`${pod.namespace}/${pod.lock}`);
      if (!late && lock?.status?.phase === 'Ready' && !slotsOf(lock).some((it) => String(it.slot) === pod.slot))
        throw new Error(`pod ${pod.key} bears slot ${slot}, and its Lock lists no such slot`);
    }
    if (!addresses || (late && pod.node === undefined)) continue;
    const node = pod.node ?? pod.pinned;
    if (![...objects.IPLock.values()].some(({ spec }) => spec.podUID === pod.uid && spec.node === node))
      throw new Error(`pod ${pod.key} has a slot on ${node}, and no address there is its own`);
  }
  if (exact) fits(objects);
}

/** No node has more promised than it has. */
function fits(objects: ModelApi['objects']): void {
  const used = new Map<string, string[]>();
  const use = (node: string | undefined, what: string) => {
    if (node !== undefined) used.set(node, [...(used.get(node) ?? []), what]);
  };
  const bearers = new Set<string>();
  for (const pod of objects.Pod.values()) {
    if (pod.done) continue;
    use(pod.node ?? pod.pinned, pod.key);
    if (!pod.gated) bearers.add(`${pod.namespace}/${pod.lock}#${pod.slot}`);
  }
  for (const [key, lock] of objects.Lock)
    for (const { slot, node } of slotsOf(lock)) if (!bearers.has(`${key}#${slot}`)) use(node, `${key}#${slot}`);
  for (const [node, all] of used) if (all.length > CPUS) throw new Error(`${node} has ${CPUS} CPUs, and promised ${all.join(', ')}`);
}
