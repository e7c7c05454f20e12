/**
 * A small cluster in one process: two nodes on one VLAN, each with the real agent over a strict kernel, a journal on a disk of its
 * own, a runtime that loses, repeats and forgets, and an API server whose answers get lost and whose watches are late. Everything
 * that the agent asks of the outside waits until the dice let it go on, so that one seed is one schedule; an agent can be killed
 * between any two of its steps.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { HostPool, IPLock } from '../../../lib/api/kinds.ts';
import { PROBED, PROBED_REASONS, WIRED, WIRED_REASONS } from '../../../lib/api/network.ts';
import type { Clock } from '../../../lib/kube/clock.ts';
import { ApiError, NoAnswer } from '../../../lib/kube/error.ts';
import { silent } from '../../../lib/kube/log.ts';
import { type Agent, agent, type Reply } from '../../../lib/network/agent/agent.ts';
import type { Sandbox } from '../../../lib/network/agent/call.ts';
import type { SandboxSeen } from '../../../lib/network/agent/cri.ts';
import { type Attachment, type Journal, keyOf } from '../../../lib/network/agent/journal.ts';
import type { Kernel as KernelPort } from '../../../lib/network/agent/kernel.ts';
import { conditionOf } from '../../../lib/network/agent/next-for-add.ts';
import { MISSING_MS } from '../../../lib/network/agent/next-for-round.ts';
import type { Lock, NodeView } from '../../../lib/network/agent/node-view.ts';
import { type Round, round } from '../../../lib/network/agent/round.ts';
import { type Saying, saying } from '../../../lib/network/agent/saying.ts';
import { versions } from '../../../lib/network/agent/versions.ts';
import { isRefusal } from '../../../lib/network/wiring/refusal.ts';
import type { Line } from '../../../lib/network/wiring/step.ts';
import { type Dice, dice } from '../../scheduling/dice.ts';
import { Kernel } from '../wiring/a-kernel.ts';

const NODES = ['h-r12-01', 'h-r12-02'] as const;
const IPS = ['10.110.0.130', '10.110.0.131', '10.110.0.132'];
const POOL: HostPool['spec'] = {
  shape: 'intranet',
  intranet: {
    trunk: 'bond0',
    racks: [{ name: 'r12', hosts: 'h-r12-[01-02]' }],
    vlans: [{ id: 110, subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.128-10.110.0.191' }],
    macsPerPort: 64,
  },
  locks: 'hard',
};
const macOf = (ip: string) =>
  `02:67:${ip
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0'))
    .join(':')}`;

interface Pod {
  readonly uid: string;
  readonly name: string;
  readonly node: string;
  /** Its object is there. */
  exists: boolean;
}

interface SandboxMade extends Sandbox {
  readonly pod: Pod;
  /** ADD was answered with a result. */
  runs: boolean;
  /** The runtime ends it: the kubelet may begin another one. */
  ended: boolean;
  /** In the list of the runtime. */
  listed: boolean;
}

interface Waiting {
  readonly node: Node;
  readonly life: number;
  /** A write, which is done whatever becomes of who has sent it. */
  readonly sent: boolean;
  readonly go: () => void;
}

export class Cluster {
  private readonly waiting: Waiting[] = [];
  private nowMs = 0;
  private timers: { readonly atMs: number; readonly node: string; readonly act: () => void }[] = [];
  private readonly locks = new Map<string, Lock>();
  private version = 1;
  private made = 0;
  private readonly pods: Pod[] = [];
  readonly nodes: readonly Node[];
  /** What must not be, as it was seen first. */
  readonly violations: string[] = [];
  readonly did = { added: 0, trusted: 0, refused: 0, killed: 0, rebooted: 0, quarantined: 0, released: 0, late: 0 };

  private readonly chance: Dice;

  constructor(chance: Dice) {
    this.chance = chance;
    this.nodes = NODES.map((name) => new Node(name, this));
  }

  /** What was done, in its order: told when something is wrong. */
  readonly story: string[] = [];

  tell(what: string): void {
    this.story.push(`${this.nowMs}: ${what}`);
  }

  /**
   * Everything from outside comes after a while, or never.
   * @param life of the process that asks: one that was killed asks nothing more, though its promises go on here
   * @param sent a call that is on its way is done whoever has sent it, and dead or not
   */
  async gate<T>(node: Node, life: number, act: () => T, sent = false): Promise<T> {
    if (life !== node.life) return await new Promise<never>(() => {});
    await new Promise<void>((go) => this.waiting.push({ node, life, sent, go }));
    // A process that was killed does nothing any more, and nobody waits for it.
    if (life === node.life) return act();
    try {
      if (sent) act();
      if (sent) this.did.late++;
    } catch {
      // Nobody hears of it.
    }
    return await new Promise<never>(() => {});
  }

  clockOf(node: Node): Clock {
    const { life } = node;
    return {
      now: () => this.nowMs,
      after: (ms, act) => {
        const timer = { atMs: this.nowMs + ms, node: node.name, act: () => life === node.life && act() };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((one) => one !== timer);
        };
      },
    };
  }

  /** One step of the schedule, whichever. */
  async step(isCalm = false): Promise<void> {
    const { chance } = this;
    if (this.waiting.length > 0 && chance.chance(0.75)) this.goOn(chance.upTo(this.waiting.length));
    else if (chance.chance(0.3)) this.pass(chance.pick([10, 100, 1_000, 5_000]));
    else if (chance.chance(0.4)) for (const node of this.nodes) node.sync();
    else if (isCalm) void chance.pick(this.nodes).round();
    else this.something();
    await turn();
    this.look();
  }

  /** A write may be late by as much as the next process needs to begin. */
  private goOn(at: number): void {
    const { sent, node, life } = this.waiting[at]!;
    if (this.chance.chance(life !== node.life ? 0.1 : sent ? 0.3 : 1)) this.waiting.splice(at, 1)[0]!.go();
  }

  private pass(ms: number): void {
    this.nowMs += ms;
    const due = this.timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.timers = this.timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { act } of due) act();
  }

  private something(): void {
    const { chance } = this;
    const node = chance.pick(this.nodes);
    const pod = this.pods.length === 0 ? undefined : chance.pick(this.pods);
    const act = chance.upTo(100);
    if (act < 20) this.newPod(node);
    else if (act < 45) this.give();
    else if (act < 60 && pod !== undefined) this.nodeOf(pod).begin(pod);
    else if (act < 75) node.end(chance);
    else if (act < 81 && pod !== undefined) pod.exists = false;
    else if (act < 86) void node.round();
    else if (act < 90) node.repeat(chance);
    else if (act < 92) this.chance.pick(this.nodes).probe(this.chance);
    else if (act < 95) this.hurry(node);
    else if (act < 98) (this.waiting.find((one) => one.sent && one.life === one.node.life)?.node ?? node).kill();
    else if (act < 99) node.reboot();
    else node.forget(chance);
  }

  nodeOf = (pod: Pod): Node => this.nodes.find(({ name }) => name === pod.node)!;

  /** The lock writer: a free address and then the pod; what it keeps to is that an address that is there is somebody's. */
  private newPod(node: Node): void {
    if (this.pods.filter(({ exists }) => exists).length >= 4) return;
    const ip = IPS.find((one) => !this.locks.has(one));
    const uid = `pod-${this.made++}`;
    const pod: Pod = { uid, name: uid, node: node.name, exists: true };
    // Now and then one comes that was given none.
    if (ip !== undefined && this.chance.chance(0.95)) this.lock(ip, pod);
    this.pods.push(pod);
  }

  /** As the lock writer gives it; one of before doesn't say that the node may wire it without another word. */
  private lock(ip: string, { uid, node }: Pod): void {
    const conditions = [
      ...(this.chance.chance(0.8) ? [said(WIRED, 'Unknown', WIRED_REASONS.given)] : []),
      ...(this.chance.chance(0.5) ? [said(PROBED, 'True', PROBED_REASONS.free)] : []),
    ];
    this.write(ip, { phase: 'Locked', node, mac: macOf(ip), owner: `feed/${uid}`, podUID: uid }, { conditions });
  }

  /**
   * The lock writer gives back what nobody has: by the word of the agent, and of one that was given without that when its pod is gone
   * before it was Bound. What another machine answers for it takes out of use, gives the pod another, and a person lets it go.
   */
  private give(): void {
    for (const [ip, lock] of this.locks) {
      const pod = this.pods.find(({ uid }) => uid === lock.spec.podUID);
      const { phase } = lock.spec;
      const wired = conditionOf(lock, WIRED);
      const free = () => {
        this.tell(`${ip} is freed, ${phase}`);
        this.locks.delete(ip);
      };
      if (phase === 'Quarantined') free();
      else if (phase === 'Locked' && conditionOf(lock, PROBED)?.reason === PROBED_REASONS.conflict) {
        this.tell(`${ip} is quarantined`);
        this.did.quarantined++;
        this.write(ip, { ...lock.spec, phase: 'Quarantined' }, lock.status);
        const other = IPS.find((one) => !this.locks.has(one));
        if (pod?.exists && other !== undefined) this.lock(other, pod);
      } else if (wired?.status === 'False' && (!pod?.exists || this.chance.chance(0.2))) free();
      else if (wired === undefined && phase === 'Locked' && !pod?.exists) free();
    }
  }

  private write(ip: string, spec: IPLock['spec'], status?: IPLock['status']): Lock {
    const resourceVersion = String(this.version++);
    const uid = this.locks.get(ip)?.metadata.uid ?? `uid-${resourceVersion}`;
    const lock = {
      apiVersion: 'gala.internal/v1alpha1',
      kind: 'IPLock',
      metadata: { name: ip, uid, resourceVersion },
      spec,
      status,
    } as Lock;
    this.locks.set(ip, lock);
    return lock;
  }

  /** Of the API server: the call may fail before or after it was done. */
  async patch(node: Node, life: number, lock: Lock, patch: Parameters<NodeView['patchLock']>[1]): Promise<Lock> {
    const fails = this.chance.chance(0.1) ? this.chance.pick(['before', 'after'] as const) : undefined;
    const done = () => {
      const what = `PATCH ${lock.metadata.name}`;
      if (fails === 'before') throw new NoAnswer(what, { maybeDone: true });
      const there = this.locks.get(lock.metadata.name);
      if (there === undefined) throw new ApiError(what, { status: 404, reason: 'NotFound', message: 'gone' });
      if (there.metadata.resourceVersion !== lock.metadata.resourceVersion || there.metadata.uid !== lock.metadata.uid)
        throw new ApiError(what, { status: 409, reason: 'Conflict', message: 'changed' });
      this.tell(`${node.name} writes ${lock.metadata.name} ${JSON.stringify(patch)}${fails === undefined ? '' : ', and is not told'}`);
      if (conditionOf({ status: patch.status }, WIRED)?.status === 'False') this.did.released++;
      const written = this.write(lock.metadata.name, { ...there.spec, ...patch.spec }, patch.status ?? there.status);
      if (fails === 'after') throw new NoAnswer(what, { maybeDone: true });
      return written;
    };
    return await this.gate(node, life, done, true);
  }

  all = (): Lock[] => [...this.locks.values()];
  read = (ip: string): Lock | undefined => this.locks.get(ip);

  /** What is seldom by itself: an agent ends with a write on its way, and the next one is asked for the very pod. */
  private hurry(node: Node): void {
    const lock = node.probe(this.chance);
    node.kill();
    const pod = this.pods.find(({ uid }) => uid === lock?.spec.podUID);
    if (pod !== undefined) node.begin(pod);
  }

  isLucky = (): boolean => this.chance.chance(0.8);

  podsOn = (node: string): readonly Pod[] => this.pods.filter((pod) => pod.exists && pod.node === node);

  /** No address is on two links, and none is on a link that the API server has as somebody else's. */
  private look(): void {
    const on = new Map<string, string>();
    for (const node of this.nodes)
      for (const [netns, ip, uid] of node.addresses()) {
        const other = on.get(ip);
        if (this.violations.length > 0) return;
        if (other !== undefined) this.violations.push(`${ip} is in ${other} and in ${netns}`);
        on.set(ip, netns);
        const lock = this.locks.get(ip);
        const wired = lock && conditionOf(lock, WIRED)?.status;
        const isKept = lock?.spec.phase === 'Bound' || (lock?.spec.phase === 'Locked' && wired !== undefined);
        if (lock?.spec.podUID !== uid || lock.spec.node !== node.name || !isKept || wired === 'False')
          this.violations.push(`${ip} is in ${netns} of ${uid} on ${node.name}, and its IPLock says ${JSON.stringify(lock)}`);
      }
  }

  /** Everybody goes, what was lost is found, and nothing may be left. @returns what is */
  async settled(): Promise<string[]> {
    for (const pod of this.pods) pod.exists = false;
    for (const node of this.nodes) node.revive();
    for (let times = 0; times < 12; times++) {
      for (const node of this.nodes) node.endAll();
      for (let steps = 0; steps < 60; steps++) await this.step(true);
      while (this.waiting.length > 0) {
        this.waiting.shift()!.go();
        await turn();
      }
      this.pass(times % 2 === 0 ? MISSING_MS : 10_000);
      for (const node of this.nodes) node.sync();
      for (const node of this.nodes) void node.round();
      this.give();
      if (times > 3 && this.left().length === 0) return [];
    }
    return this.left();
  }

  private left(): string[] {
    return [
      ...this.nodes.flatMap((node) => node.left()),
      ...this.all().map(({ metadata, spec, status }) => `IPLock ${metadata.name} ${JSON.stringify({ spec, status })}`),
    ];
  }
}

const said = (type: string, status: 'True' | 'False' | 'Unknown', reason: string) =>
  ({ type, status, reason, lastTransitionTime: '2026-11-27T00:00:00Z' }) as const;

/** One schedule from its seed. */
export async function scheduleOf(seed: number, steps: number): Promise<{ readonly wrong: readonly string[]; readonly cluster: Cluster }> {
  const cluster = new Cluster(dice(seed));
  for (let step = 0; step < steps && cluster.violations.length === 0; step++) await cluster.step();
  const left = cluster.violations.length > 0 ? [] : await cluster.settled();
  return { wrong: [...cluster.violations, ...left], cluster };
}

class Node {
  readonly name: string;
  private readonly cluster: Cluster;
  /** Grows with each process of the agent. */
  life = 0;
  private readonly host = new Set<string>(['link lo', 'link bond0']);
  private readonly spaces = new Map<string, { readonly kernel: Kernel; readonly sandbox: SandboxMade }>();
  private sandboxes: SandboxMade[] = [];
  private readonly disk = new Map<string, Attachment>();
  private tombstones: Sandbox[] = [];
  private watched: Lock[] = [];
  private watchedPods: ReadonlySet<string> = new Set();
  private known = versions();
  private hasRead = false;
  private said?: Saying;
  private theView?: NodeView;
  private agent?: Agent;
  private rounds?: Round;
  private isInRound = false;
  private listeners = new Set<() => void>();
  private calls = 0;

  constructor(name: string, cluster: Cluster) {
    this.name = name;
    this.cluster = cluster;
    this.revive();
  }

  /** A new process of the agent, if there is none. */
  revive(): void {
    if (this.agent !== undefined) return;
    const { cluster, life } = this;
    const clock = cluster.clockOf(this);
    this.known = versions();
    this.hasRead = false;
    // A consistent list, as of some moment after the process has begun.
    void cluster.gate(this, life, () => {
      this.sync(true);
      this.known.began(this.watched);
      this.hasRead = true;
    });
    const [view, kernel, journal] = [this.view(), this.kernel(), this.journal()];
    this.theView = view;
    const sandboxes = () => cluster.gate(this, life, () => this.listed());
    const made = agent({
      ...{ view, journal, kernel, sandboxes, clock, log: silent, probes: true },
      onDown: (ip, podUID) => void this.rounds?.release(ip, podUID).catch(() => {}),
      onUp: (ip) => this.said?.up(ip),
    });
    this.agent = made;
    this.said = saying({ view, journal, adding: made.adding, clock, log: silent });
    const cri = { sandboxes, netnsOf: async (id: string) => this.sandboxes.find(({ containerId }) => containerId === id)?.netns };
    this.rounds = round({ agent: made, view, journal, kernel, cri, tombstones: '/nowhere', clock, log: silent });
    const left = this.tombstones;
    this.tombstones = [];
    for (const sandbox of left) void made.del(sandbox).catch(() => this.tombstones.push(sandbox));
  }

  kill(): void {
    this.cluster.tell(`${this.name} agent killed`);
    this.cluster.did.killed++;
    this.life++;
    void this.said?.queue.stop();
    this.agent = undefined;
    this.isInRound = false;
    this.listeners.clear();
    // kubelet starts it again; what it was asked for gets no answer.
    this.revive();
  }

  /** Links, namespaces and tmpfs go; the runtime remembers its sandboxes, which have ended. */
  reboot(): void {
    this.cluster.tell(`${this.name} boots`);
    this.cluster.did.rebooted++;
    this.spaces.clear();
    for (const each of [...this.host]) if (each !== 'link lo' && each !== 'link bond0') this.host.delete(each);
    this.disk.clear();
    this.tombstones = [];
    for (const sandbox of this.sandboxes) Object.assign(sandbox, { runs: false, ended: true });
    this.kill();
  }

  /** The runtime begins a sandbox: a namespace, and ADD; on any failure it takes it back by DEL. */
  begin(pod: Pod): void {
    if (!pod.exists || this.sandboxes.some((one) => one.pod === pod && !one.ended)) return;
    const id = `c${this.calls++}${this.name.at(-1)}`;
    const sandbox: SandboxMade = {
      containerId: id,
      ifname: 'eth0',
      netns: `/run/netns/${id}`,
      pod,
      runs: false,
      ended: false,
      listed: false,
    };
    const kernel = new Kernel({ host: [], pod: ['lo'] });
    (kernel.has as { host: Set<string> }).host = this.host;
    this.spaces.set(sandbox.netns, { kernel, sandbox });
    this.sandboxes.push(sandbox);
    void this.add(sandbox);
  }

  private async add(sandbox: SandboxMade): Promise<void> {
    const { life, cluster } = this;
    cluster.tell(`${this.name} ADD ${sandbox.containerId} ${sandbox.pod.uid}`);
    const call = { verb: 'ADD', cniVersion: '1.1.0', network: 'gala', sandbox, pod: { ...sandbox.pod, namespace: 'feed' } } as const;
    const reply: Reply | Error =
      this.agent === undefined ? new Error('no agent') : await this.agent.add(call).catch((error: Error) => error);
    if (life !== this.life || !this.sandboxes.includes(sandbox)) return;
    if (reply === undefined || reply instanceof Error || isRefusal(reply)) {
      cluster.did.refused++;
      sandbox.ended = true;
      await this.del(sandbox);
    } else {
      cluster.did.added++;
      if (cluster.all().some(({ spec }) => spec.podUID === sandbox.pod.uid && spec.phase === 'Locked')) cluster.did.trusted++;
      sandbox.runs = true;
      sandbox.listed = true;
    }
  }

  private async del(sandbox: SandboxMade): Promise<void> {
    this.cluster.tell(`${this.name} DEL ${sandbox.containerId}`);
    const { life } = this;
    const gone = await this.agent?.del(sandbox).then(
      () => true,
      () => false,
    );
    if (life !== this.life || gone !== true) return;
    this.remove(sandbox);
  }

  /** The namespace goes, and with it what is in it; a MacVlan dies there, as does a veth. */
  private remove(sandbox: SandboxMade): void {
    const space = this.spaces.get(sandbox.netns);
    if (space !== undefined)
      for (const name of [...this.host].filter((one) => one.startsWith('link gala'))) {
        if (!space.kernel.peerOf(name.slice('link '.length))) continue;
        this.host.delete(name);
        for (const each of [...this.host]) if (each.endsWith(`@${name.slice('link '.length)}`)) this.host.delete(each);
      }
    this.spaces.delete(sandbox.netns);
    this.sandboxes = this.sandboxes.filter((one) => one !== sandbox);
  }

  /** The runtime ends one: by a DEL, by two, without the namespace, or by one that the shim leaves as a tombstone. */
  end(chance: Dice): void {
    if (this.sandboxes.length === 0) return;
    const sandbox = chance.pick(this.sandboxes);
    sandbox.runs = false;
    sandbox.ended = true;
    const how = chance.upTo(4);
    if (how === 3) this.tombstones.push({ ...sandbox });
    else void this.del(sandbox);
    if (how === 1) void this.agent?.del(sandbox).catch(() => {});
    if (how === 2) void this.agent?.del({ ...sandbox, netns: '' }).catch(() => {});
  }

  endAll(): void {
    for (const sandbox of this.sandboxes) {
      sandbox.runs = false;
      void this.del(sandbox);
    }
  }

  /** The runtime asks again for what it has been told: its answer was lost. */
  repeat(chance: Dice): void {
    const asked = this.sandboxes.filter(({ pod, ended }) => pod.exists && !ended);
    if (asked.length > 0) void this.add(chance.pick(asked));
  }

  /** The runtime loses one: neither in its list, nor is there a DEL. */
  forget(chance: Dice): void {
    if (this.sandboxes.length === 0) return;
    this.remove(chance.pick(this.sandboxes));
  }

  /** As the prober does: of what no link has, and nobody is about to wire. */
  probe(chance: Dice): Lock | undefined {
    const asked = this.watched.filter(({ metadata, spec, status }) => {
      const isWired = conditionOf({ status }, WIRED)?.status === 'True';
      return spec.phase === 'Locked' && !isWired && this.agent?.holds(metadata.name, spec.podUID) === false;
    });
    if (!this.hasRead || asked.length === 0) return undefined;
    const lock = chance.pick(asked);
    const found = chance.chance(0.3) ? said(PROBED, 'False', PROBED_REASONS.conflict) : said(PROBED, 'True', PROBED_REASONS.free);
    const others = (lock.status?.conditions ?? []).filter(({ type }) => type !== PROBED);
    void this.theView?.patchLock(lock, { status: { ...lock.status, conditions: [...others, found] } }).catch(() => {});
    return lock;
  }

  async round(): Promise<void> {
    if (this.isInRound) return;
    const { life } = this;
    this.isInRound = true;
    await this.rounds?.run().catch(() => {});
    if (life === this.life) this.isInRound = false;
  }

  /** The watches tell what is. */
  sync(isFirst = false): void {
    if (!isFirst && !this.hasRead) return;
    // Each of them on its own.
    if (isFirst || this.cluster.isLucky()) this.watched = this.cluster.all().filter(({ spec }) => spec.node === this.name);
    if (isFirst || this.cluster.isLucky()) this.watchedPods = new Set(this.cluster.podsOn(this.name).map(({ uid }) => uid));
    for (const tell of [...this.listeners]) tell();
  }

  *addresses(): Iterable<readonly [netns: string, ip: string, podUID: string]> {
    for (const [netns, { kernel, sandbox }] of this.spaces)
      for (const each of kernel.has.pod) {
        const ip = /^addr ([0-9.]+)\/\d+ @eth0$/.exec(each)?.[1];
        if (ip !== undefined) yield [netns, ip, sandbox.pod.uid];
      }
  }

  left(): string[] {
    const links = [...this.host].filter((each) => !['link lo', 'link bond0', 'link bond0.110'].includes(each));
    return [
      ...links.map((each) => `${this.name}: ${each}`),
      ...[...this.spaces.keys()].map((netns) => `${this.name}: ${netns}`),
      ...[...this.disk.values()].map(({ sandbox }) => `${this.name}: journal ${keyOf(sandbox)}`),
    ];
  }

  private listed(): ReadonlyMap<string, SandboxSeen> {
    return new Map(
      this.sandboxes.flatMap(({ containerId, pod, runs, listed }) =>
        listed ? [[containerId, { isReady: runs, podUID: pod.uid, namespace: 'feed', name: pod.name }] as const] : [],
      ),
    );
  }

  private journal(): Journal {
    const { disk, life } = this;
    const alive = () => life === this.life;
    return {
      get: (key) => disk.get(key),
      values: () => disk.values(),
      put: (attachment) => {
        if (!alive()) return;
        this.cluster.tell(`${this.name} notes ${keyOf(attachment.sandbox)} ${attachment.state}`);
        disk.set(keyOf(attachment.sandbox), attachment);
      },
      remove: (key) => {
        if (!alive()) return;
        this.cluster.tell(`${this.name} forgets ${key}`);
        disk.delete(key);
      },
      get size() {
        return disk.size;
      },
    };
  }

  private kernel(): KernelPort {
    const { cluster, host, life } = this;
    const names = (set: ReadonlySet<string>) => [...set].flatMap((each) => (each.startsWith('link ') ? [each.slice('link '.length)] : []));
    const link = (name: string, mac: string) => ({ name, mac, carrier: true });
    return {
      hostLinks: () => names(host).map((name) => link(name, '52:54:00:00:00:01')),
      podLinks: (netns = '') =>
        cluster.gate(this, life, () => {
          const space = this.spaces.get(netns);
          if (space === undefined) throw new Error(`${netns}: no such namespace`);
          return names(space.kernel.has.pod).map((name) => link(name, space.kernel.macs.get(name) ?? ''));
        }),
      run: async (lines: readonly Line[], netns) => {
        for (const line of lines)
          await cluster.gate(this, life, () => {
            cluster.tell(`${this.name} ${netns}: ${line.line}`);
            const space = this.spaces.get(netns);
            if (line.where === 'pod' && space === undefined) throw new Error(`${netns}: no such namespace`);
            // The host's end of a veth takes the pod's along, in whichever namespace that is.
            const name = /^link del dev (\S+)$/.exec(line.line)?.[1] ?? '';
            const owner = [...this.spaces.values()].find(({ kernel }) => kernel.peerOf(name));
            const bare = new Kernel({ host: [], pod: [] });
            (bare.has as { host: Set<string> }).host = host;
            (line.where === 'host' && owner !== undefined ? owner.kernel : (space?.kernel ?? bare)).run([line]);
          });
      },
      // What is put back is tried on the real kernel (kernel.test.ts).
      seen: async () => ({ links: [], routes: [], neighbours: [], qdiscs: [] }),
      has: (netns) => this.spaces.has(netns),
      bornMs: (netns) => [...this.spaces.keys()].indexOf(netns) + 1,
    };
  }

  private view(): NodeView {
    const { cluster, known, life } = this;
    const found = (podUID: string) => cluster.all().find(({ spec }) => spec.podUID === podUID);
    return {
      node: this.name,
      hasSynced: () => this.hasRead,
      isQuiet: (lock) => known.isQuiet(lock),
      unread: () => [],
      facts: () => ({ pool: 'web', rack: 'r12', ip: '10.8.1.11' }),
      network: () => ({ pool: 'web', trunk: 'bond0' }) as ReturnType<NodeView['network']>,
      pool: () => POOL,
      trunk: () => 'bond0',
      status: () => undefined,
      writeStatus: async () => {},
      locks: () => this.watched,
      lockAt: (ip) => this.watched.find(({ metadata }) => metadata.name === ip),
      lockOf: (uid) => {
        const all = this.watched.filter(({ spec }) => spec.podUID === uid);
        return all.find(({ spec }) => spec.phase !== 'Quarantined') ?? all[0];
      },
      findLock: (uid) => cluster.gate(this, life, () => found(uid)),
      readLock: (ip) => cluster.gate(this, life, () => cluster.read(ip)),
      pod: (uid) => (this.watchedPods.has(uid) ? { uid, namespace: 'feed', name: uid, annotations: {} } : undefined),
      patchLock: (lock, patch) => {
        known.writing(lock);
        return cluster.patch(this, life, lock, patch);
      },
      onChange: (tell) => {
        this.listeners.add(tell);
        return () => this.listeners.delete(tell);
      },
      onPodChange: () => {},
      onPodEnd: () => {},
      reflectors: [],
      stopped: Promise.resolve(),
    };
  }
}
