/**
 * Brute: how many pods fit, by trying. Every rule is written down as kube-scheduler's own filters have it, object by object
 * (kubernetes, pkg/scheduler/framework/plugins: noderesources/fit.go, nodeaffinity, tainttoleration, nodeunschedulable, nodeports,
 * podtopologyspread/filtering.go, interpodaffinity/filtering.go), Gala's caps and addresses beside them, and every order of
 * placing pods is walked to its end. Shares nothing with stock and place; far too slow for anything but a handful of nodes.
 */
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import type { Manifest } from '../../lib/api/manifest.ts';
import { addressRange, toAddress } from '../../lib/api/range.ts';
import type { Level, PlacedSlot } from '../../lib/scheduling/types.ts';
import type { ClusterObjects } from './random-cluster.ts';
import type { Question } from './random-question.ts';

type Node = Manifest<V1Node>;
type Spec = NonNullable<Manifest<V1Pod>['spec']>;
type Labels = Readonly<Record<string, string>>;

/** A pod that is somewhere, or would be. */
interface Body {
  readonly namespace: string;
  readonly labels: Labels;
  readonly spec: Spec;
  readonly deleting: boolean;
}

/** How many of the asked pods are on each node, by the order of the nodes. */
type State = readonly number[];

export interface Brute {
  /** Every node's and domain's caps when percentages are of `slots`; the fewest and the most pods that any order of placing ends at. */
  ends(slots: number): { readonly least: number; readonly most: number };
  /** The largest number of slots, up to `ceiling`, that some order of placing gets under caps of that number. */
  largest(ceiling?: number): number;
  /** The fewest nodes that any way to place `count` pods takes; undefined: there is none. */
  fewestNodes(count: number): number | undefined;
  /** The first thing that is wrong with slots taken one after the other; undefined: nothing. */
  wrong(slots: readonly PlacedSlot[]): string | undefined;
}

export interface BruteOptions {
  /** Pods are pinned to their nodes, as Gala's are. @default true */
  readonly pinned?: boolean;
}

export function brute(objects: ClusterObjects, question: Question, { pinned = true }: BruteOptions = {}): Brute {
  const asked: Body = {
    namespace: question.namespace,
    labels: question.template.metadata?.labels ?? {},
    spec: question.template.spec as Spec,
    deleting: false,
  };
  const nodes = objects.nodes.filter((node) => question.pools === undefined || question.pools.includes(poolOf(objects, node) ?? ''));
  const bodies = objects.pods.map((pod) => ({
    node: pod.spec!.nodeName!,
    body: {
      namespace: pod.metadata!.namespace!,
      labels: pod.metadata!.labels ?? {},
      spec: pod.spec as Spec,
      deleting: pod.metadata!.deletionTimestamp !== undefined,
    },
  }));
  const supply = addressesOf(objects, question);

  const standing = (state: State) => {
    const there = new Map<string, Body[]>(objects.nodes.map((node) => [nameOf(node), []]));
    for (const { node, body } of bodies) there.get(node)!.push(body);
    state.forEach((count, at) => {
      for (let one = 0; one < count; one++) there.get(nameOf(nodes[at]!))!.push(asked);
    });
    return there;
  };

  /** One more pod on a node, by kube-scheduler's filters. */
  const suitable = nodes.map((node) => isSchedulable(node, asked) && isSelected(node, asked.spec) && isTolerated(node, asked.spec));
  const may = (there: ReadonlyMap<string, Body[]>, at: number): boolean => {
    const node = nodes[at]!;
    const cluster: Standing = { objects, there, pinned };
    return (
      suitable[at]! &&
      hasRoom(node, asked, there.get(nameOf(node))!) &&
      hasPorts(asked, there.get(nameOf(node))!) &&
      isSpread(cluster, node, asked) &&
      isAttracted(cluster, node, asked) &&
      isNotRepelled(cluster, node, asked)
    );
  };

  const places = Object.fromEntries(LEVELS.map((level) => [level, nodes.map((node) => placeOf(objects, node, level))])) as Record<
    Level,
    string[]
  >;
  const capped = (state: State, caps: Caps): boolean =>
    LEVELS.every((level) => {
      if (caps[level] === Number.POSITIVE_INFINITY) return true;
      const count = new Map<string, number>();
      state.forEach((pods, at) => {
        const place = places[level][at]!;
        count.set(place, (count.get(place) ?? 0) + pods);
      });
      return Math.max(0, ...count.values()) <= caps[level];
    });

  /** All that can be come to, one pod after the other, and from which nothing more can be had. */
  const memo = new Map<string, Walked>();
  function walked(caps: Caps): Walked {
    const key = JSON.stringify(Object.values(caps));
    const known = memo.get(key);
    if (known !== undefined) return known;
    const seen = new Map<string, State>();
    const ends: number[] = [];
    const open: State[] = [nodes.map(() => 0)];
    while (open.length > 0) {
      const state = open.pop()!;
      if (seen.has(state.join())) continue;
      seen.set(state.join(), state);
      const there = standing(state);
      const next = nodes
        .map((_, at) => state.map((count, other) => (other === at ? count + 1 : count)))
        .filter((more, at) => capped(more, caps) && may(there, at) && supply.suffice(more.map((pods, at) => [nameOf(nodes[at]!), pods])));
      if (next.length === 0) ends.push(sum(state));
      open.push(...next);
    }
    const found = { states: [...seen.values()], ends };
    memo.set(key, found);
    return found;
  }

  const capsFor = (slots: number) => Object.fromEntries(LEVELS.map((level) => [level, capAt(question.maxPer?.[level], slots)])) as Caps;
  const ends = (slots: number) => {
    const { ends } = walked(capsFor(slots));
    return { least: Math.min(...ends), most: Math.max(...ends) };
  };

  return {
    ends,
    largest(ceiling = Number.POSITIVE_INFINITY) {
      for (let slots = Math.min(ceiling, ends(Number.POSITIVE_INFINITY).most); ; slots--) if (ends(slots).most >= slots) return slots;
    },
    fewestNodes(count) {
      const ways = walked(capsFor(count)).states.filter((state) => sum(state) === count);
      return ways.length === 0 ? undefined : Math.min(...ways.map((state) => state.filter((pods) => pods > 0).length));
    },
    wrong(slots) {
      const caps = capsFor(slots.length);
      let state: State = nodes.map(() => 0);
      const given = new Set<string>();
      for (const [step, { node, address }] of slots.entries()) {
        const at = nodes.findIndex((it) => nameOf(it) === node);
        if (at === -1) return `slot ${step} is on ${node}, which wasn't asked about`;
        if (!may(standing(state), at)) return `slot ${step} on ${node}: kube-scheduler would not put it there`;
        state = state.map((count, other) => (other === at ? count + 1 : count));
        if (!capped(state, caps)) return `slot ${step} on ${node} breaks a cap`;
        const wants = supply.of(node);
        if ((wants === undefined) !== (address === undefined)) return `slot ${step} on ${node} has address ${address}`;
        if (address !== undefined && (!wants!.includes(address) || given.has(address)))
          return `slot ${step} on ${node}: ${address} is not to be had`;
        if (address !== undefined) given.add(address);
      }
      return supply.suffice(state.map((pods, at) => [nameOf(nodes[at]!), pods])) ? undefined : 'a switch port shows too many MACs';
    },
  };
}

interface Walked {
  readonly states: readonly State[];
  readonly ends: readonly number[];
}

interface Standing {
  readonly objects: ClusterObjects;
  readonly there: ReadonlyMap<string, readonly Body[]>;
  readonly pinned: boolean;
}

const LEVELS: readonly Level[] = ['node', 'rack', 'zone', 'datacenter'];
type Caps = Readonly<Record<Level, number>>;

const sum = (state: State) => state.reduce((total, pods) => total + pods, 0);
const nameOf = (node: Node) => node.metadata!.name!;
const labelsOf = (node: Node): Labels => node.metadata!.labels ?? {};
const capAt = (cap: number | string | undefined, slots: number) =>
  cap === undefined ? Number.POSITIVE_INFINITY : typeof cap === 'number' ? cap : Math.ceil((slots * Number.parseInt(cap, 10)) / 100);

function poolOf({ hostPools }: ClusterObjects, node: Node): string | undefined {
  return hostPools.find(({ metadata }) => metadata.name === labelsOf(node)['gala.internal/pool'])?.metadata.name;
}

/** A rack is a rack of its zone, a zone one of its datacenter; what isn't said is one place of the place above. */
function placeOf(objects: ClusterObjects, node: Node, level: Level): string {
  const labels = labelsOf(node);
  const region = poolOf(objects, node) === 'burst' ? 'ap-northeast-1' : undefined;
  const datacenter = region ?? labels['topology.kubernetes.io/zone'] ?? '?';
  const zone = `${datacenter}/${labels['topology.kubernetes.io/zone'] ?? '?'}`;
  if (level === 'node') return nameOf(node);
  if (level === 'datacenter') return datacenter;
  return level === 'zone' ? zone : `${zone}/${labels['gala.internal/rack'] ?? '?'}`;
}

// nodeunschedulable, tainttoleration, nodeaffinity; and Gala puts nothing on a node that isn't Ready.

function isSchedulable(node: Node, { spec }: Body): boolean {
  const ready = node.status!.conditions!.some(({ type, status }) => type === 'Ready' && status === 'True');
  const cordoned =
    node.spec?.unschedulable === true && !tolerates(spec, { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' });
  return ready && !cordoned;
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const tolerates = (spec: Spec, taint: Taint) =>
  (spec.tolerations ?? []).some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === taint.effect) &&
      (key === undefined || key === taint.key) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );

const isTolerated = (node: Node, spec: Spec) =>
  (node.spec?.taints ?? []).every((taint) => taint.effect === 'PreferNoSchedule' || tolerates(spec, taint));

function isSelected(node: Node, { nodeSelector = {}, affinity }: Spec): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return (
    Object.entries(nodeSelector).every(([key, value]) => labelsOf(node)[key] === value) &&
    (terms === undefined || terms.some(({ matchExpressions = [] }) => matchExpressions.every((it) => meets(it, labelsOf(node)))))
  );
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

function meets({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key];
  if (operator === 'In') return value !== undefined && values.includes(value);
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  return (operator === 'Exists') === (value !== undefined);
}

// noderesources, nodeports

const THOUSANDTHS: Readonly<Record<string, number>> = { m: 1, '': 1000, Mi: 1000 * 2 ** 20, Gi: 1000 * 2 ** 30 };

const parsed = new Map<string | number, number>();

function thousandths(quantity: string | number): number {
  const known = parsed.get(quantity);
  if (known !== undefined) return known;
  const [, number, unit] = /^([0-9.]+)([A-Za-z]*)$/.exec(String(quantity))!;
  const value = Math.round(Number(number) * THOUSANDTHS[unit!]!);
  parsed.set(quantity, value);
  return value;
}

const requestOf = ({ spec }: Body, resource: string) =>
  spec.containers.reduce((total, { resources }) => total + thousandths(resources?.requests?.[resource] ?? 0), 0);

function hasRoom(node: Node, asked: Body, there: readonly Body[]): boolean {
  const allocatable = node.status!.allocatable!;
  if (there.length + 1 > Number(allocatable.pods)) return false;
  return ['cpu', 'memory', 'acme.example/gpu'].every((resource) => {
    const wants = requestOf(asked, resource);
    const used = there.reduce((total, body) => total + requestOf(body, resource), 0);
    return wants === 0 || used + wants <= thousandths(allocatable[resource] ?? 0);
  });
}

/** On the host's network every port of a container is one of the host (SetDefaults in core/v1). */
const portsOf = ({ spec }: Body) =>
  spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, containerPort }) => hostPort ?? (spec.hostNetwork === true ? containerPort : [])),
  );

const hasPorts = (asked: Body, there: readonly Body[]) =>
  !portsOf(asked).some((port) => there.some((body) => portsOf(body).includes(port)));

// podtopologyspread

type Constraint = NonNullable<Spec['topologySpreadConstraints']>[number];

const selects = (selector: Constraint['labelSelector'], labels: Labels) =>
  selector !== undefined && Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
const isEmpty = (selector: Constraint['labelSelector']) => selector !== undefined && Object.keys(selector.matchLabels ?? {}).length === 0;

function isSpread({ objects, there, pinned }: Standing, node: Node, asked: Body): boolean {
  const constraints = (asked.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule');
  const labelled = objects.nodes.filter((it) => constraints.every(({ topologyKey }) => labelsOf(it)[topologyKey] !== undefined));
  const matching = (on: Node, { labelSelector }: Constraint) =>
    isEmpty(labelSelector)
      ? 0
      : there
          .get(nameOf(on))!
          .filter(({ namespace, labels, deleting }) => !deleting && namespace === asked.namespace && selects(labelSelector, labels)).length;
  return constraints.every((constraint) => {
    const { topologyKey, maxSkew, minDomains = 1, nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint;
    if (labelsOf(node)[topologyKey] === undefined) return false;
    const counts = new Map<string, number>();
    for (const it of labelled) {
      if (nodeAffinityPolicy === 'Honor' && !isSelected(it, asked.spec)) continue;
      if (nodeTaintsPolicy === 'Honor' && !isTolerated(it, asked.spec)) continue;
      const domain = labelsOf(it)[topologyKey]!;
      counts.set(domain, (counts.get(domain) ?? 0) + matching(it, constraint));
    }
    const self = selects(constraint.labelSelector, asked.labels) ? 1 : 0;
    const least = counts.size < minDomains ? 0 : Math.min(...counts.values());
    const skew = (counts.get(labelsOf(node)[topologyKey]!) ?? 0) + self - least;
    // Pinned to the node, as Gala does it, the pod has this node alone as its domains where the policy honors affinity.
    const alone = pinned && nodeAffinityPolicy === 'Honor' && minDomains > 1 ? matching(node, constraint) + self : 0;
    return skew <= maxSkew && alone <= maxSkew;
  });
}

// interpodaffinity

type Term = NonNullable<
  NonNullable<NonNullable<Spec['affinity']>['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>[number];

function termMeets({ namespaces }: ClusterObjects, term: Term, of: Body, other: Body): boolean {
  const named = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector === undefined;
  const selected = term.namespaceSelector !== undefined && selects(term.namespaceSelector, namespaces[other.namespace]!);
  return (
    (own ? other.namespace === of.namespace : named.includes(other.namespace) || selected) && selects(term.labelSelector, other.labels)
  );
}

/** Whether a pod in the same domain as the node, by this key, is one of these. */
const inDomain = ({ objects, there }: Standing, node: Node, key: string, is: (body: Body) => boolean) =>
  objects.nodes.some(
    (it) => labelsOf(it)[key] !== undefined && labelsOf(it)[key] === labelsOf(node)[key] && there.get(nameOf(it))!.some(is),
  );

function isAttracted(standing: Standing, node: Node, asked: Body): boolean {
  const terms = asked.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (terms.some(({ topologyKey }) => labelsOf(node)[topologyKey] === undefined)) return false;
  const all = (body: Body) => terms.every((term) => termMeets(standing.objects, term, asked, body));
  if (terms.every(({ topologyKey }) => inDomain(standing, node, topologyKey, all))) return true;
  const somewhere = standing.objects.nodes.some((it) => terms.some(({ topologyKey }) => inDomain(standing, it, topologyKey, all)));
  return !somewhere && all(asked);
}

function isNotRepelled(standing: Standing, node: Node, asked: Body): boolean {
  const termsOf = ({ spec }: Body) => spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const own = termsOf(asked).some((term) =>
    inDomain(standing, node, term.topologyKey, (body) => termMeets(standing.objects, term, asked, body)),
  );
  const others = [...standing.there].some(([name, bodies]) => {
    const at = labelsOf(standing.objects.nodes.find((it) => nameOf(it) === name)!);
    return bodies.some((body) =>
      termsOf(body).some(
        (term) =>
          at[term.topologyKey] !== undefined &&
          at[term.topologyKey] === labelsOf(node)[term.topologyKey] &&
          termMeets(standing.objects, term, body, asked),
      ),
    );
  });
  return !own && !others;
}

// Addresses, where Gala owns the network

function addressesOf(objects: ClusterObjects, { namespace, owner, template }: Question) {
  const { nodes, hostPools, nodeNetworks, ipLocks } = objects;
  const needs = (template.spec as Spec).hostNetwork !== true;
  const free = (ip: string) => {
    const lock = ipLocks.find(({ metadata }) => metadata.name === ip);
    return lock === undefined || (lock.spec.phase === 'Held' && lock.spec.owner === owner);
  };
  const known = new Map<string, readonly string[] | undefined>();
  /** Undefined: pods there need none of Gala. */
  const of = (name: string): readonly string[] | undefined => {
    if (!known.has(name)) known.set(name, look(name));
    return known.get(name);
  };
  const look = (name: string): readonly string[] | undefined => {
    const labels = labelsOf(nodes.find((node) => nameOf(node) === name)!);
    const pool = hostPools.find(({ metadata }) => metadata.name === labels['gala.internal/pool']);
    if (!needs || pool === undefined || pool.spec.cni !== undefined) return undefined;
    if (pool.spec.intranet === undefined)
      return (nodeNetworks.find(({ metadata }) => metadata.name === name)?.spec.eniSlots ?? []).map(({ ip }) => ip).filter(free);
    const rack = labels['gala.internal/rack'] ?? '';
    return pool.spec.intranet.vlans
      .filter(({ racks, namespaces }) => (racks?.includes(rack) ?? true) && (namespaces?.includes(namespace) ?? true))
      .flatMap(({ addresses }) => {
        const { first, last } = addressRange(addresses);
        return Array.from({ length: last - first + 1 }, (_, at) => toAddress(first + at));
      })
      .filter(free);
  };
  const macsLeft = (name: string) => {
    const pool = hostPools.find(
      ({ metadata }) => metadata.name === labelsOf(nodes.find((node) => nameOf(node) === name)!)['gala.internal/pool'],
    );
    const used = ipLocks.filter(({ spec }) => spec.node === name && ['Locked', 'Bound'].includes(spec.phase)).length;
    return (pool?.spec.intranet?.macsPerPort ?? Number.POSITIVE_INFINITY) - used;
  };
  /** Every pod an address of its own: augmenting paths, pod by pod. */
  const suffice = (pods: readonly (readonly [node: string, count: number])[]): boolean => {
    const wants = pods.flatMap(([name, count]) => {
      const list = of(name);
      return list === undefined ? [] : Array.from({ length: count }, () => list);
    });
    const holder = new Map<string, number>();
    const find = (pod: number, tried: Set<string>): boolean =>
      wants[pod]!.some((ip) => {
        if (tried.has(ip)) return false;
        tried.add(ip);
        if (holder.has(ip) && !find(holder.get(ip)!, tried)) return false;
        holder.set(ip, pod);
        return true;
      });
    return (
      pods.every(([name, count]) => count === 0 || of(name) === undefined || count <= macsLeft(name)) &&
      wants.every((_, pod) => find(pod, new Set()))
    );
  };
  return { of, suffice };
}
