/**
 * A small cluster in one process: two nodes on one VLAN, each with the real agent over a strict kernel, a journal on a disk of its
 * own, a runtime that loses, repeats and forgets, and an API server whose answers get lost and whose watches are late. Everything
 * that the agent asks of the outside waits until the dice let it go on, so that one seed is one schedule; an agent can be killed
 * between any two of its steps.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { HostPool, IPLock } from '../../../lib/api/kinds.ts';
import { WIRED } from '../../../lib/api/network.ts';
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
  /** In the list of the runtime. */
  listed: boolean;
}

interface Waiting {
  readonly node: string;
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
  readonly did = { added: 0, refused: 0, killed: 0, rebooted: 0, collected: 0 };

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

  /** Everything from outside comes after a while, or never. */
  async gate<T>(node: Node, act: () => T): Promise<T> {
    const { life } = node;
    await new Promise<void>((go) => this.waiting.push({ node: node.name, go }));
    // A process that was killed does nothing any more, and nobody waits for it.
    if (life !== node.life) return await new Promise<never>(() => {});
    return act();
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
    if (this.waiting.length > 0 && chance.chance(0.75)) this.waiting.splice(chance.upTo(this.waiting.length), 1)[0]!.go();
    else if (chance.chance(0.3)) this.pass(chance.pick([10, 100, 1_000, 5_000]));
    else if (chance.chance(0.4)) for (const node of this.nodes) node.sync();
    else if (isCalm) void chance.pick(this.nodes).round();
    else this.something();
    await turn();
    this.look();
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
    else if (act < 82 && pod !== undefined) pod.exists = false;
    else if (act < 88) void node.round();
    else if (act < 92) node.repeat(chance);
    else if (act < 97) node.kill();
    else if (act < 98) node.reboot();
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
    if (ip !== undefined && this.chance.chance(0.95))
      this.write(ip, { phase: 'Locked', node: node.name, mac: macOf(ip), owner: `feed/${uid}`, podUID: uid });
    this.pods.push(pod);
  }

  /** The lock writer gives back what nobody has: by the word of the agent where it was Bound. */
  private give(): void {
    for (const [ip, lock] of this.locks) {
      const pod = this.pods.find(({ uid }) => uid === lock.spec.podUID);
      if (pod?.exists) continue;
      if (lock.spec.phase === 'Locked' || conditionOf(lock, WIRED)?.status === 'False') {
        this.tell(`${ip} is freed, ${lock.spec.phase}`);
        this.locks.delete(ip);
      }
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
  async patch(node: Node, lock: Lock, patch: Parameters<NodeView['patchLock']>[1]): Promise<Lock> {
    const fails = this.chance.chance(0.1) ? this.chance.pick(['before', 'after'] as const) : undefined;
    return await this.gate(node, () => {
      const what = `PATCH ${lock.metadata.name}`;
      if (fails === 'before') throw new NoAnswer(what, { maybeDone: true });
      const there = this.locks.get(lock.metadata.name);
      if (there === undefined) throw new ApiError(what, { status: 404, reason: 'NotFound', message: 'gone' });
      if (there.metadata.resourceVersion !== lock.metadata.resourceVersion || there.metadata.uid !== lock.metadata.uid)
        throw new ApiError(what, { status: 409, reason: 'Conflict', message: 'changed' });
      this.tell(`${node.name} writes ${lock.metadata.name} ${JSON.stringify(patch)}${fails === undefined ? '' : ', and is not told'}`);
      const written = this.write(lock.metadata.name, { ...there.spec, ...patch.spec }, patch.status ?? there.status);
      if (fails === 'after') throw new NoAnswer(what, { maybeDone: true });
      return written;
    });
  }

  all = (): Lock[] => [...this.locks.values()];
  read = (ip: string): Lock | undefined => this.locks.get(ip);

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
        if (lock?.spec.podUID !== uid || lock.spec.phase !== 'Bound' || lock.spec.node !== node.name)
          this.violations.push(`${ip} is in ${netns} of ${uid} on ${node.name}, and its IPLock says ${JSON.stringify(lock?.spec)}`);
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
    const { cluster } = this;
    const clock = cluster.clockOf(this);
    const [view, kernel, journal] = [this.view(), this.kernel(), this.journal()];
    const sandboxes = () => cluster.gate(this, () => this.listed());
    const made = agent({
      ...{ view, journal, kernel, sandboxes, clock, log: silent },
      onDown: (ip, podUID) => void this.rounds?.release(ip, podUID).catch(() => {}),
    });
    this.agent = made;
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
    for (const sandbox of this.sandboxes) sandbox.runs = false;
    this.kill();
  }

  /** The runtime begins a sandbox: a namespace, and ADD; on any failure it takes it back by DEL. */
  begin(pod: Pod): void {
    if (!pod.exists || this.sandboxes.some((one) => one.pod === pod)) return;
    const id = `c${this.calls++}${this.name.at(-1)}`;
    const sandbox: SandboxMade = { containerId: id, ifname: 'eth0', netns: `/run/netns/${id}`, pod, runs: false, listed: false };
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
      await this.del(sandbox);
    } else {
      cluster.did.added++;
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
    const asked = this.sandboxes.filter(({ pod }) => pod.exists);
    if (asked.length > 0) void this.add(chance.pick(asked));
  }

  /** The runtime loses one: neither in its list, nor is there a DEL. */
  forget(chance: Dice): void {
    if (this.sandboxes.length === 0) return;
    this.remove(chance.pick(this.sandboxes));
  }

  async round(): Promise<void> {
    if (this.isInRound) return;
    const { life } = this;
    this.isInRound = true;
    await this.rounds?.run().catch(() => {});
    if (life === this.life) this.isInRound = false;
  }

  /** The watches tell what is. */
  sync(): void {
    this.watched = this.cluster.all().filter(({ spec }) => spec.node === this.name);
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
    const { cluster, host } = this;
    const names = (set: ReadonlySet<string>) => [...set].flatMap((each) => (each.startsWith('link ') ? [each.slice('link '.length)] : []));
    const link = (name: string, mac: string) => ({ name, mac, carrier: true });
    return {
      hostLinks: () => names(host).map((name) => link(name, '52:54:00:00:00:01')),
      podLinks: (netns = '') =>
        cluster.gate(this, () => {
          const space = this.spaces.get(netns);
          if (space === undefined) throw new Error(`${netns}: no such namespace`);
          return names(space.kernel.has.pod).map((name) => link(name, space.kernel.macs.get(name) ?? ''));
        }),
      run: async (lines: readonly Line[], netns) => {
        for (const line of lines)
          await cluster.gate(this, () => {
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
    };
  }

  private view(): NodeView {
    const { cluster } = this;
    const found = (podUID: string) => cluster.all().find(({ spec }) => spec.podUID === podUID);
    return {
      node: this.name,
      hasSynced: () => true,
      unread: () => [],
      facts: () => ({ pool: 'web', rack: 'r12', ip: '10.8.1.11' }),
      network: () => ({ pool: 'web', trunk: 'bond0' }) as ReturnType<NodeView['network']>,
      pool: () => POOL,
      trunk: () => 'bond0',
      status: () => undefined,
      writeStatus: async () => {},
      locks: () => this.watched,
      lockAt: (ip) => this.watched.find(({ metadata }) => metadata.name === ip),
      lockOf: (uid) => this.watched.find(({ spec }) => spec.podUID === uid),
      findLock: (uid) => cluster.gate(this, () => found(uid)),
      readLock: (ip) => cluster.gate(this, () => cluster.read(ip)),
      pod: (uid) => ({ uid, namespace: 'feed', name: uid, annotations: {} }),
      patchLock: (lock, patch) => cluster.patch(this, lock, patch),
      onChange: (tell) => {
        this.listeners.add(tell);
        return () => this.listeners.delete(tell);
      },
      onPodChange: () => {},
      reflectors: [],
      stopped: Promise.resolve(),
    };
  }
}
