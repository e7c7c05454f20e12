/**
 * The agent's verbs: what becomes of a CNI call. Each address and each attachment has one at a time; what to do next is decided in
 * next-for-add.ts and in lib/network/wiring, what was done stands in the journal, and it can end anywhere: the next call, the next
 * round (round.ts) or the next agent goes on from journal, runtime and kernel.
 */
import type { HostPool } from '../../api/kinds.ts';
import { WIRED } from '../../api/network.ts';
import type { Clock } from '../../kube/clock.ts';
import { ApiError, isConflict, isNotFound, NoAnswer } from '../../kube/error.ts';
import { type Log, reasonOf } from '../../kube/log.ts';
import { isKnown } from '../../kube/resource-version.ts';
import { bandwidthOf, reshaped, withLimits } from '../wiring/bandwidth.ts';
import { deviations, type Seen } from '../wiring/check.ts';
import { optionsOf } from '../wiring/options.ts';
import { type Ask, type Plan, plan, vethNames } from '../wiring/plan.ts';
import { isRefusal, type Refusal, refuse } from '../wiring/refusal.ts';
import { type CniResult, resultOf } from '../wiring/result.ts';
import { type Line, linesOf } from '../wiring/step.ts';
import { unplan } from '../wiring/unplan.ts';
import type { Call, PodName, Sandbox } from './call.ts';
import { isGiven, statusWith, wiredMessage } from './conditions.ts';
import { type Attachment, type Journal, keyOf } from './journal.ts';
import { isVeth, type Kernel } from './kernel.ts';
import { otherMachine } from './machine.ts';
import { conditionOf, nextForAdd } from './next-for-add.ts';
import type { Lock, NodeView } from './node-view.ts';
import { turns } from './turns.ts';

/** Which sandboxes the runtime has; rejects when it does not answer. */
export type Sandboxes = () => Promise<ReadonlyMap<string, { readonly isReady: boolean; readonly podUID: string }>>;

export interface AgentOptions {
  readonly view: NodeView;
  readonly journal: Journal;
  readonly kernel: Kernel;
  readonly sandboxes: Sandboxes;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether addresses are looked for on the wire before they are wired. @default false */
  readonly probes?: boolean;
  /** What is reached over the veth on this node: the service range, for one. @default nothing but the node */
  readonly throughNode?: readonly string[];
  /** Networks of EC2 subnets beside those that the definition says. @default none */
  readonly subnets?: () => Readonly<Record<string, string>>;
  /** Told of an address that was taken down. */
  readonly onDown?: (ip: string, podUID: string) => void;
  /** Told of an address that was wired. */
  readonly onUp?: (ip: string) => void;
}

/** A result, nothing, or why not. */
export type Reply = CniResult | undefined | Refusal;

export interface Agent {
  add(call: Call & { readonly sandbox: Sandbox; readonly pod: PodName }): Promise<Reply>;
  del(sandbox: Sandbox): Promise<void>;
  check(call: Call & { readonly sandbox: Sandbox }): Promise<Reply>;
  gc(call: Call & { readonly valid: NonNullable<Call['valid']> }): Promise<void>;
  /** Takes down what the journal has under a key, if its sandbox is no more. */
  collect(key: string): Promise<void>;
  /** Notes what a pod has that runs, and was wired before the journal was lost; puts right what is not as it is planned. */
  adopt(sandbox: Sandbox, podUID: string): Promise<void>;
  /** Brings the limits of a wired pod to what its annotations say now. */
  reshape(key: string): Promise<void>;
  /**
   * Puts back what is not as it was left.
   * @param host as it was seen since that was wired; undefined: it is looked at
   * @returns what that was
   */
  repair(key: string, host?: Seen): Promise<readonly string[]>;
  /** Whether a call, or a step of the round, is at work on it. */
  isBusy(key: string): boolean;
  /**
   * Whether a link may have the address, is about to, had it for this pod before, or had it a moment ago: a probe that was sent then may have
   * been answered by it.
   */
  holds(ip: string, podUID: string | undefined): boolean;
  /** Pods that an ADD is at work on. */
  readonly adding: { has(podUID: string): boolean; readonly size: number };
}

/** What the kernel says of a name that is taken (EEXIST). */
const EXISTS = 'File exists';

/** A probe asks for some seconds (probe.ts), and its answers are read after that. */
const ANSWERED_MS = 20_000;

/** Something may have changed that nobody tells of: the clock. */
const LOOK_MS = 100;

export function agent(options: AgentOptions): Agent {
  const { view, journal, kernel, sandboxes, clock, log, probes = false, throughNode = [], onDown = () => {}, onUp = () => {} } = options;
  const byKey = turns();
  const byIp = turns();
  const adopting = new Set<string>();
  /** By sandbox, each with the addresses that were bound for it. A runtime that was restarted may begin a second one of a pod. */
  const atWork = new Map<string, { readonly podUID: string; readonly ips: Set<string> }>();
  /** By address: for whom it was wired last, and when it was taken down. */
  const heldBy = new Map<string, string>();
  const heldUntil = new Map<string, number>();
  const adding: Agent['adding'] = {
    has: (podUID) => [...atWork.values()].some((one) => one.podUID === podUID),
    get size() {
      return atWork.size;
    },
  };

  function askFor(
    call: { readonly sandbox: Sandbox; readonly pod: PodName },
    lock: Lock | undefined,
    podLinks: Ask['links']['pod'],
  ): Ask | Refusal {
    const network = view.network();
    const pool = network && view.pool(network.pool);
    const facts = view.facts();
    if (network === undefined || pool === undefined || facts?.ip === undefined)
      return refuse('TryLater', `${missing(view)} The pod start is tried again.`);
    const stranger = otherMachine(view.node, facts, network);
    if (stranger !== undefined) return refuse('TryLater', `${stranger} The pod start is tried again.`);
    const annotations = view.pod(call.pod.uid)?.annotations ?? {};
    return {
      ...{ node: view.node, rack: facts.rack, lock, network, pool, nodeIP: facts.ip, nodeIPv6: facts.ipv6 },
      subnets: { ...options.subnets?.(), ...subnetsOf(pool) },
      ...{ pod: { ...call.pod, annotations }, sandbox: call.sandbox },
      links: { host: kernel.hostLinks(), pod: podLinks },
      options: { ...optionsOf(pool, lock?.metadata.name, network.eniSlots), throughNode },
    };
  }

  const rivalsOf = (ip: string, key: string): Attachment[] =>
    [...journal.values()].filter((one) => one.ip === ip && keyOf(one.sandbox) !== key);

  async function gone(
    rivals: readonly Attachment[],
    { sandbox, pod }: { readonly sandbox: Sandbox; readonly pod: PodName },
  ): Promise<{ key: string; gone: boolean }[]> {
    if (rivals.length === 0) return [];
    const known = await sandboxes().catch((error: unknown) => {
      log.warn('the runtime does not say which sandboxes it has', { because: reasonOf(error) });
      return undefined;
    });
    // Neither is listed before it runs. Where the runtime was restarted, an ADD of its last life may come on beside that of the sandbox
    // which the kubelet has had made since: of two that are not listed the newer one is the pod's.
    const isNext = (one: Attachment) =>
      one.pod.uid === pod.uid && !known?.has(sandbox.containerId) && kernel.bornMs(one.sandbox.netns) > kernel.bornMs(sandbox.netns);
    return rivals.map((one) => ({ key: keyOf(one.sandbox), gone: known !== undefined && !isAlive(known, one, kernel) && !isNext(one) }));
  }

  async function add(call: Call & { sandbox: Sandbox; pod: PodName }): Promise<Reply> {
    const { sandbox, pod } = call;
    const key = keyOf(sandbox);
    const began = clock.now();
    let found: Lock | undefined;
    let asked = false;
    /** UID of the IPLock that this call has written: another one, of the same name or not, is another's until it is written too. */
    let boundTo: string | undefined;
    // An ENI that this sandbox has already is on the host no more.
    const podLinks = journal.get(key) === undefined || !kernel.has(sandbox.netns) ? [] : await kernel.podLinks(sandbox.netns);
    for (;;) {
      const lock = newer(view.lockOf(pod.uid), found);
      const bound = lock !== undefined && lock.metadata.uid === boundTo;
      const reply = await byIp.take(lock?.metadata.name ?? key, async (): Promise<Reply | 'again' | 'wait'> => {
        // After it was bound it is planned anew, with the links as they are then.
        const made = view.hasSynced() && !bound ? planFor(call, lock, podLinks) : undefined;
        const step = nextForAdd({
          ...{ pod, synced: view.hasSynced(), waitedMs: clock.now() - began, lock, asked, bound, probes },
          given: lock !== undefined && isGiven(lock) && view.isQuiet(lock),
          refusal: made !== undefined && isRefusal(made) ? made : undefined,
          rivals: lock === undefined ? [] : await gone(rivalsOf(lock.metadata.name, key), call),
        });
        switch (step.do) {
          case 'wait':
            return 'wait';
          case 'find':
            asked = true;
            found = await view.findLock(pod.uid);
            return 'again';
          case 'collect':
            // Not in this turn: taking it down takes its own.
            void collect(step.key).catch((error: unknown) =>
              log.warn('what a sandbox left is still there', { key: step.key, because: reasonOf(error) }),
            );
            return 'wait';
          case 'bind':
            // Noted first: without an answer it may be written all the same.
            atWork.get(key)?.ips.add(lock!.metadata.name);
            found = await bind(lock!, sandbox);
            if (found === undefined || !isOn(found, sandbox)) return 'wait';
            boundTo = found.metadata.uid;
            return 'again';
          case 'wire':
            atWork.get(key)?.ips.add(lock!.metadata.name);
            return await wire(call, lock!, { made });
          case 'refuse':
            return step;
          default:
            return step satisfies never;
        }
      });
      if (reply === 'wait') await changeOr(LOOK_MS);
      else if (reply !== 'again') return reply;
    }
  }

  /** Says meanwhile that it is at work on the pod, and afterwards that an address was bound for nothing. */
  async function noted(call: Call & { sandbox: Sandbox; pod: PodName }): Promise<Reply> {
    const podUID = call.pod.uid;
    const key = keyOf(call.sandbox);
    const ips = new Set<string>();
    atWork.set(key, { podUID, ips });
    try {
      return await add(call);
    } catch (error) {
      // It is away, or has too much to do: no fault of this node.
      if (error instanceof NoAnswer || (error instanceof ApiError && (error.status === 429 || error.status >= 500)))
        return refuse('TryLater', `nothing is wired without the API server, and ${reasonOf(error)}. The pod start is tried again.`);
      throw error;
    } finally {
      atWork.delete(key);
      for (const ip of ips) if (journal.get(key)?.ip !== ip) onDown(ip, podUID);
    }
  }

  function planFor(call: { sandbox: Sandbox; pod: PodName }, lock: Lock | undefined, podLinks: Ask['links']['pod']): Plan | Refusal {
    const ask = askFor(call, lock, podLinks);
    return isRefusal(ask) ? ask : plan(ask);
  }

  /** Before there is a link: from here on nobody else gets the address. @returns what it is now; undefined: there is none */
  async function bind(lock: Lock, { containerId }: Sandbox): Promise<Lock | undefined> {
    try {
      const spec = lock.spec.phase === 'Locked' ? { spec: { phase: 'Bound' as const } } : {};
      return await view.patchLock(lock, { ...spec, status: statusWith(lock, containerId, new Date()) });
    } catch (error) {
      // Somebody wrote it meanwhile: it is read anew.
      if (!isConflict(error) && !isNotFound(error)) throw error;
      return await view.readLock(lock.metadata.name);
    }
  }

  /**
   * @param made as it was planned a moment ago, of a pod that has nothing yet
   * @param looks at what the pod has
   */
  async function wire(
    call: Call & { sandbox: Sandbox; pod: PodName },
    lock: Lock,
    { made: planned, looks = false }: { readonly made?: Plan | Refusal; readonly looks?: boolean } = {},
  ): Promise<Reply> {
    const { sandbox, pod } = call;
    const earlier = journal.get(keyOf(sandbox));
    // A new sandbox has nothing but `lo`; where that is not so, the kernel says so, and it is looked at. Not of an ENI: one that can't
    // be named as it should has moved all the same (do_setlink).
    const isNew = earlier === undefined && !looks && view.trunk() !== undefined;
    const made = (isNew ? planned : undefined) ?? planFor(call, lock, isNew ? [] : await kernel.podLinks(sandbox.netns));
    if (isRefusal(made)) return made;
    const annotations = view.pod(pod.uid)?.annotations ?? {};
    const bandwidth = bandwidthOf(annotations);
    if (isRefusal(bandwidth)) return bandwidth;
    const { ip, mac, vlan } = made.place;
    const move = made.steps.find((step) => step.do === 'move');
    const attachment: Attachment = {
      ...{ version: 1, sandbox, pod, network: call.network, ip, mac, bandwidth, steps: made.steps, state: 'wiring' },
      // When it is in the pod already, what it was called is known from before.
      ...(vlan === undefined ? { eni: earlier?.eni ?? { mac, device: move?.device ?? sandbox.ifname } } : {}),
    };
    journal.put(attachment);
    heldBy.set(ip, pod.uid);
    try {
      await kernel.run(made.steps.flatMap(linesOf), sandbox.netns);
    } catch (error) {
      if (isNew && reasonOf(error).includes(EXISTS)) {
        const again = await wire(call, lock, { looks: true });
        // A pod that runs keeps what it has, and the note of it.
        if (again !== undefined && isRefusal(again) && !adopting.has(keyOf(sandbox))) await takenDown(sandbox, attachment);
        return again;
      }
      if (adopting.has(keyOf(sandbox))) return refuse('Failed', reasonOf(error));
      log.warn('a pod was not wired', { pod: `${pod.namespace}/${pod.name}`, ip, because: reasonOf(error) });
      const left = await takenDown(sandbox, attachment).then(
        () => 'Nothing is left of it',
        (error: unknown) => `Something may be left of it (${reasonOf(error)}), and DEL comes`,
      );
      return refuse('Failed', `${reasonOf(error)} ${left}; the pod start is tried again.`);
    }
    journal.put({ ...attachment, state: 'wired' });
    onUp(ip);
    log.info('wired', { pod: `${pod.namespace}/${pod.name}`, ip, container: sandbox.containerId });
    return resultOf(made, sandbox, call.cniVersion);
  }

  /** All of it, whatever is still there, and then its note. */
  async function takenDown(sandbox: Sandbox, attachment: Attachment | undefined): Promise<void> {
    const lines = await leftOf(sandbox, attachment);
    try {
      await kernel.run(lines, sandbox.netns);
    } catch (error) {
      // A namespace that dies takes its links along meanwhile, the host's ends of veths too.
      const rest = await leftOf(sandbox, attachment);
      if (rest.length === lines.length) throw error;
      await kernel.run(rest, sandbox.netns);
    }
    if (attachment === undefined) return;
    journal.remove(keyOf(sandbox));
    heldUntil.set(attachment.ip, clock.now());
    onDown(attachment.ip, attachment.pod.uid);
    log.info('taken down', {
      pod: `${attachment.pod.namespace}/${attachment.pod.name}`,
      ip: attachment.ip,
      container: sandbox.containerId,
    });
  }

  /** Lines that take down what is still there. */
  async function leftOf(sandbox: Sandbox, attachment: Attachment | undefined): Promise<Line[]> {
    const netns = kernel.has(sandbox.netns) ? sandbox.netns : undefined;
    const pod = netns === undefined ? [] : await kernel.podLinks(netns);
    const named = kernel.hostLinks();
    const eni = attachment?.eni?.mac;
    // An ENI that fell back to the host with a MAC that its pod gave it: only iproute2 says which one it came with.
    const isLost = eni !== undefined && ![...named, ...pod].some(({ mac, permanentMac = mac }) => permanentMac === eni);
    const links = { host: isLost ? await kernel.podLinks() : named, pod };
    return unplan({ ...sandbox, netns }, { links, mac: attachment?.mac, eni: attachment?.eni });
  }

  /** A DEL of the runtime may know the namespace no more, or know it by another path. */
  async function del(sandbox: Sandbox): Promise<void> {
    const attachment = journal.get(keyOf(sandbox));
    const netns = kernel.has(sandbox.netns) ? sandbox.netns : (attachment?.sandbox.netns ?? '');
    await byIp.take(attachment?.ip ?? keyOf(sandbox), () => takenDown({ ...sandbox, netns }, attachment));
  }

  async function collect(key: string): Promise<void> {
    await byKey.take(key, async () => {
      const attachment = journal.get(key);
      if (attachment === undefined || isAlive(await sandboxes(), attachment, kernel)) return;
      log.warn('its sandbox is no more', { pod: `${attachment.pod.namespace}/${attachment.pod.name}`, ip: attachment.ip, key });
      await del(attachment.sandbox);
    });
  }

  async function check({ sandbox, prevResult }: Call & { sandbox: Sandbox }): Promise<Reply> {
    const attachment = journal.get(keyOf(sandbox));
    if (attachment?.state !== 'wired')
      return refuse('NotWired', `${keyOf(sandbox)} is not in the journal. The runtime calls DEL, and ADD again: delete the pod.`);
    const promised = ipsOf(prevResult);
    if (promised !== undefined && !promised.some((each) => each.split('/')[0] === attachment.ip))
      return refuse(
        'NotAsWired',
        `prevResult has ${promised.join(', ') || 'no address'}; the sandbox has ${attachment.ip}. Delete the pod.`,
      );
    const found = await deviationsOf(attachment);
    if (found.length === 0) return undefined;
    return refuse('NotAsWired', `${found.join('; ')}. It is put back within a minute; if not, delete the pod.`);
  }

  async function deviationsOf({ sandbox: { netns }, steps }: Attachment, seen?: Seen): Promise<string[]> {
    if (!kernel.has(netns)) return [`there is no namespace ${netns}`];
    const [host, pod] = await Promise.all([seen ?? kernel.seen(), kernel.seen(netns)]);
    return deviations(steps, { host, pod });
  }

  async function gc({ network, valid }: Call & { valid: NonNullable<Call['valid']> }): Promise<void> {
    const known = new Set(valid.map(keyOf));
    for (const { sandbox, network: of } of [...journal.values()])
      if (of === network && !known.has(keyOf(sandbox))) await byKey.take(keyOf(sandbox), () => del(sandbox));
    // What no journal knows of: the host's ends of veths, whose names say whose they are.
    const names = new Set(
      [...valid, ...[...journal.values()].map(({ sandbox }) => sandbox)].map((one) => vethNames(one.containerId, one.ifname).host),
    );
    const strays = kernel.hostLinks().filter(({ name }) => isVeth(name) && !names.has(name));
    await kernel.run(
      strays.map(({ name }) => ({ where: 'host', tool: 'ip', line: `link del dev ${name}` })),
      '',
    );
  }

  async function reshape(key: string): Promise<void> {
    const attachment = journal.get(key);
    const pod = attachment && view.pod(attachment.pod.uid);
    if (attachment?.state !== 'wired' || pod === undefined) return;
    const { sandbox, bandwidth } = attachment;
    const after = bandwidthOf(pod.annotations);
    // A mistake in an annotation of a pod that runs changes nothing; ADD refuses it.
    if (isRefusal(after)) return log.warn('a limit is not changed', { pod: `${pod.namespace}/${pod.name}`, because: after.details });
    if (after.egress === bandwidth.egress && after.ingress === bandwidth.ingress) return;
    await kernel.run(reshaped(sandbox.ifname, bandwidth, after), sandbox.netns);
    journal.put({ ...attachment, bandwidth: after, steps: withLimits(attachment.steps, sandbox.ifname, bandwidth, after) });
    log.info('limits changed', { pod: `${pod.namespace}/${pod.name}`, ...after });
  }

  async function repair(key: string, host?: Seen): Promise<readonly string[]> {
    const attachment = journal.get(key);
    if (attachment?.state !== 'wired' || !kernel.has(attachment.sandbox.netns)) return [];
    const found = await deviationsOf(attachment, host);
    if (found.length === 0) return [];
    const { sandbox, pod, ip } = attachment;
    const lock = view.lockOf(pod.uid);
    // What it was wired with, and nothing that is given to the pod meanwhile: that is for an ADD to bind.
    if (lock !== undefined && lock.metadata.name !== ip)
      return [...found, `it is not put back: ${ip} is wired, and IPLock ${lock.metadata.name} names the pod. Delete the pod.`];
    const made = planFor({ sandbox, pod }, lock, await kernel.podLinks(sandbox.netns));
    if (isRefusal(made)) return [...found, `it is not put back: ${made.details}`];
    await kernel.run(made.steps.flatMap(linesOf), sandbox.netns);
    return found;
  }

  async function adopt(sandbox: Sandbox, podUID: string): Promise<void> {
    const pod = view.pod(podUID);
    if (pod === undefined || journal.get(keyOf(sandbox)) !== undefined || !kernel.has(sandbox.netns)) return;
    adopting.add(keyOf(sandbox));
    const reply = await noted({ verb: 'ADD', cniVersion: '1.1.0', network: 'gala', sandbox, pod }).finally(() =>
      adopting.delete(keyOf(sandbox)),
    );
    if (reply !== undefined && isRefusal(reply))
      log.warn('a pod that runs is not noted', { pod: `${pod.namespace}/${pod.name}`, because: reply.details });
  }

  /** Whatever changes, and at the latest after so long. */
  function changeOr(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        stop();
        cancel();
        resolve();
      };
      const stop = view.onChange(() => setImmediate(end));
      const cancel = clock.after(ms, end);
    });
  }

  return {
    add: (call) => byKey.take(keyOf(call.sandbox), () => noted(call)),
    del: (sandbox) => byKey.take(keyOf(sandbox), () => del(sandbox)),
    check: (call) => byKey.take(keyOf(call.sandbox), () => check(call)),
    gc,
    collect,
    adopt: (sandbox, podUID) => byKey.take(keyOf(sandbox), () => adopt(sandbox, podUID)),
    reshape: (key) => byKey.take(key, () => reshape(key)),
    repair: (key, host) => byKey.take(key, () => repair(key, host)),
    isBusy: (key) => byKey.isTaken(key),
    holds: (ip, podUID) =>
      (podUID !== undefined && heldBy.get(ip) === podUID) ||
      clock.now() - (heldUntil.get(ip) ?? Number.NEGATIVE_INFINITY) < ANSWERED_MS ||
      [...journal.values()].some((one) => one.ip === ip) ||
      [...atWork.values()].some(({ ips }) => ips.has(ip)),
    adding,
  };
}

/** Of two readings of one IPLock the later one. */
function newer(watched: Lock | undefined, found: Lock | undefined): Lock | undefined {
  if (watched === undefined || found === undefined) return watched ?? found;
  if (watched.metadata.uid !== found.metadata.uid) return watched;
  return isKnown(watched.metadata.resourceVersion, found.metadata.resourceVersion) ? found : watched;
}

/** Whether what it says of links is this sandbox's own word. */
const isOn = (lock: Lock, { containerId }: Sandbox): boolean =>
  lock.spec.phase === 'Bound' && conditionOf(lock, WIRED)?.message === wiredMessage(containerId);

/** Whether its links may still be there: the runtime has its sandbox, or has begun it a moment ago and does not list it yet. */
const isAlive = (known: Awaited<ReturnType<Sandboxes>>, { sandbox }: Attachment, kernel: Kernel): boolean =>
  known.get(sandbox.containerId)?.isReady === true || (known.has(sandbox.containerId) && kernel.has(sandbox.netns));

function missing(view: NodeView): string {
  const { node } = view;
  const network = view.network();
  if (network === undefined)
    return `NodeNetwork ${node} is not there: gala controller makes it from the label gala.internal/pool of the Node.`;
  if (view.pool(network.pool) === undefined)
    return `HostPool ${network.pool}, which NodeNetwork ${node} names, is not there: apply the cluster's 30-pools.`;
  return `Node ${node} has no InternalIP yet: its kubelet, or the cloud's controller, says it.`;
}

/** Networks of the subnets that pods' ENIs lie in, as far as the definition says them. */
export const subnetsOf = ({ ec2 }: HostPool['spec']): Ask['subnets'] =>
  Object.fromEntries(
    (ec2?.zones ?? []).flatMap(({ podSubnetId, podSubnetCidr }) => (podSubnetCidr === undefined ? [] : [[podSubnetId, podSubnetCidr]])),
  );

/** "ips" of a result: `10.110.0.130/24`. */
function ipsOf(result: unknown): string[] | undefined {
  const ips = (result as { ips?: unknown } | undefined)?.ips;
  if (!Array.isArray(ips)) return undefined;
  return ips.flatMap((one: unknown) => {
    const address = (one as { address?: unknown } | null)?.address;
    return typeof address === 'string' ? [address] : [];
  });
}
