/**
 * What applying a new synth would do to a cluster that has the old one: what rolls, what restarts, what is refused, what
 * changes in place, what is pruned. Pure: two synths in, sorted changes out. `gala diff` prints them; tests compare them.
 * Knows nothing of live state: what depends on it (an address in use) is said as a note.
 */
import { type KubeObject, keyOf, nameOf } from '../api/manifest.ts';
import { CONSEQUENCE, hostChanges } from './diff/hosts.ts';
import { type Verdict, verdict } from './diff/immutable.ts';
import { type Leaf, leafText, leaves, pathText } from './diff/leaves.ts';
import { pace, templateChanges } from './diff/rolls.ts';
import { type HostCount, hostsSelected } from './diff/selected.ts';
import type { GateInput } from './finding.ts';
import type { Synth } from './read-synth.ts';
import { within } from './shape.ts';

export { diffExitCode, diffText } from './diff/text.ts';

/** What becomes of one object, or of one part of a pool's host files. */
export interface Change {
  /** `DaemonSet/gala-system/gala-cni`; for host files `kubelet on web`. */
  readonly object: string;
  readonly file: string;
  /** `image 91c… → c07…`; empty for what comes or goes as a whole. */
  readonly what: string;
  /** The first difference: `spec.template.spec.containers[agent].image`. */
  readonly path: string;
  /** What follows: `40 hosts, 4 at a time`; for a refusal what to do instead. */
  readonly note?: string;
}

export interface SynthDiff {
  /** Pods are replaced. */
  readonly rolls: readonly Change[];
  /** Host files: something on the hosts restarts once they are rolled out. */
  readonly restarts: readonly Change[];
  /** The API server would say no. */
  readonly refused: readonly Change[];
  /** Deleted under one namespace or workload kind and created under another: its pods or data go with it. */
  readonly recreates: readonly Change[];
  readonly inPlace: readonly Change[];
  readonly prunes: readonly Change[];
  readonly creates: readonly Change[];
}

export interface DiffOptions {
  /** How many hosts a DaemonSet runs on, for `40 hosts, 4 at a time`. @default counted from the new synth's pools; else said as a share */
  readonly hosts?: HostCount;
}

/** What is compared: a synth read from disk, or one in memory. */
export type DiffSide = Pick<Synth, 'objects' | 'hosts'>;

/**
 * Compares two synths of one cluster.
 * @returns each list sorted by object; an object may roll and be refused at once
 * @example diffSynth(readSynth('golden/bj-a'), readSynth('dist/bj-a')).rolls.map((change) => change.object)
 */
export function diffSynth(before: DiffSide, after: DiffSide, options: DiffOptions = {}): SynthDiff {
  const [old, now] = [byKey(before.objects), byKey(after.objects)];
  const { hosts = hostsSelected(after.objects.map(({ object }) => object)) } = options;
  const crds = customKinds([...before.objects, ...after.objects]);
  const to = { rolls: [], restarts: [], refused: [], recreates: [], inPlace: [], prunes: [], creates: [] } as Record<
    keyof SynthDiff,
    Change[]
  >;
  const gone = [...old].filter(([key]) => !now.has(key)).map(([, input]) => input);
  for (const [key, input] of now) {
    const was = old.get(key);
    if (was !== undefined) compare(was.object, input, { to, hosts, crd: crds.get(kindKey(input.object)) });
    else if (!moved(input, gone, to)) to.creates.push(whole(input));
  }
  for (const input of gone)
    if (!to.recreates.some(({ path }) => path === keyOf(input.object))) to.prunes.push({ ...whole(input), ...pruneNote(input.object) });
  for (const change of hostChanges(before.hosts, after.hosts)) {
    const { pool, part, files, what } = change;
    const list = part === 'files' || part === 'user data' ? to.inPlace : to.restarts;
    list.push({ object: `${part} on ${pool}`, file: files[0] ?? '', what, path: files.join(', '), note: CONSEQUENCE[part] });
  }
  for (const list of Object.values(to)) list.sort((a, b) => (a.object < b.object ? -1 : a.object > b.object ? 1 : 0));
  return { ...to, recreates: to.recreates.map((change) => ({ ...change, path: '' })) };
}

interface Comparing {
  readonly to: Record<keyof SynthDiff, Change[]>;
  readonly hosts: HostCount;
  readonly crd: KubeObject | undefined;
}

function compare(before: KubeObject, { object, file }: GateInput, { to, hosts, crd }: Comparing): void {
  // The version is how the object is spoken of, not what it is.
  const changed = leaves({ ...before, apiVersion: '' }, { ...object, apiVersion: '' });
  if (changed.length === 0) return;
  const verdicts = new Map(changed.map((leaf) => [leaf, verdict(leaf, before, object, crd)]));
  const refused = changed.filter((leaf) => verdicts.get(leaf)?.is === 'refused');
  const rest = changed.filter((leaf) => !refused.includes(leaf));
  const rolling = templateChanges(object, rest);
  const inPlace = rest.filter((leaf) => !rolling.includes(leaf));
  const change = (of: readonly Leaf[], note?: string): Change => ({
    object: nameOf(object),
    file,
    what: summary(of),
    path: pathText(byInterest(of)[0]?.path ?? []),
    ...(note === undefined ? {} : { note }),
  });
  if (refused.length > 0) to.refused.push(change(refused, notes(refused.map((leaf) => verdicts.get(leaf)))));
  if (rolling.length > 0 && isOnDelete(object)) to.inPlace.push(change(rolling, pace(object, hosts(object))));
  else if (rolling.length > 0) to.rolls.push(change(rolling, pace(object, hosts(object))));
  if (inPlace.length > 0) to.inPlace.push(change(inPlace, inPlace.map((leaf) => doubt(verdicts.get(leaf))).find(Boolean)));
}

/** What may come of a change that is not refused for sure. */
function doubt(said: Verdict | undefined): string | undefined {
  return said?.is === 'perhaps' ? `may be refused: ${said.note}` : said?.note;
}

function isOnDelete(object: KubeObject): boolean {
  return within(object, 'spec', 'updateStrategy').type === 'OnDelete';
}

function notes(verdicts: readonly (Verdict | undefined)[]): string {
  return [...new Set(verdicts.flatMap((said) => (said === undefined ? [] : [said.note])))].join(' ');
}

/** The two most telling differences and how many more there are. */
function summary(changed: readonly Leaf[]): string {
  const [first, second, ...more] = byInterest(changed).map(leafText);
  if (second === undefined) return first ?? '';
  return more.length === 0 ? `${first}, ${second}` : `${first}, ${second} and ${more.length} more`;
}

/** Images first, labels and annotations (hashes of what is told elsewhere) last. */
function byInterest(changed: readonly Leaf[]): Leaf[] {
  const rank = ({ path }: Leaf) => (path.at(-1) === 'image' ? 0 : path.includes('metadata') ? 2 : 1);
  return [...changed].sort((a, b) => rank(a) - rank(b));
}

function byKey(inputs: readonly GateInput[]): Map<string, GateInput> {
  return new Map(inputs.map((input) => [keyOf(input.object), input]));
}

/** CRDs by the kind they make; the later ones, those of the new synth, win. */
function customKinds(inputs: readonly GateInput[]): Map<string, KubeObject> {
  const crds = inputs.map(({ object }) => object).filter(({ kind }) => kind === 'CustomResourceDefinition');
  return new Map(crds.map((crd) => [`${within(crd, 'spec').group}/${within(crd, 'spec', 'names').kind}`, crd]));
}

function kindKey({ apiVersion, kind }: KubeObject): string {
  return `${apiVersion.split('/')[0]}/${kind}`;
}

function whole({ object, file }: GateInput): Change {
  return { object: nameOf(object), file, what: '', path: '' };
}

const WORKLOADS: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet']);

/** The same name elsewhere: in another namespace, or as another kind of workload. */
function moved(input: GateInput, gone: readonly GateInput[], to: Record<keyof SynthDiff, Change[]>): boolean {
  const { kind, metadata } = input.object;
  const from = gone.find(({ object }) => {
    if (object.metadata.name !== metadata.name) return false;
    if (object.kind === kind) return object.metadata.namespace !== undefined && object.metadata.namespace !== metadata.namespace;
    return WORKLOADS.has(kind) && WORKLOADS.has(object.kind) && object.metadata.namespace === metadata.namespace;
  });
  if (from === undefined || to.recreates.some(({ path }) => path === keyOf(from.object))) return false;
  to.recreates.push({
    object: nameOf(input.object),
    file: input.file,
    what: `was ${nameOf(from.object)}`,
    path: keyOf(from.object),
    note: 'the old one is pruned, with its pods or data',
  });
  return true;
}

/** Pruning these takes more with it than the object. */
const TAKES_ALONG: Readonly<Record<string, string>> = {
  CustomResourceDefinition: 'deletes every object of this kind',
  Namespace: 'deletes everything in it',
  PersistentVolumeClaim: "deletes the volume's data unless it is retained",
};

function pruneNote({ kind }: KubeObject): { note?: string } {
  const note = Object.hasOwn(TAKES_ALONG, kind) ? TAKES_ALONG[kind] : undefined;
  return note === undefined ? {} : { note };
}
