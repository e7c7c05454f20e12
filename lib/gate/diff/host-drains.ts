/**
 * Which changes to a pool's kubelets need a drained host. A kubelet that restarts admits the pods on its host once more, as
 * if they were new (HandlePodAdditions in pkg/kubelet/kubelet.go, kubernetes#123980): those that no longer fit are failed.
 * Its CPU and memory managers do not start on a state that another policy wrote (pkg/kubelet/cm/*manager/state).
 * Compared is what a host reads in the end, all drop-ins of its pool and rack together: a setting that moves between
 * files is no change.
 */
import { parse } from 'yaml';
import { toNumber } from '../../api/quantity.ts';
import { type Leaf, leafText, leaves } from './leaves.ts';

/** What follows, by what has to be done. */
export const DRAIN_FIRST = {
  'drain first: kubelet': 'the restart admits running pods anew and fails what no longer fits (OutOfpods, OutOfcpu, OutOfmemory)',
  'drain first: eviction': 'pods over the new threshold are evicted, and the restart fails what no longer fits',
  'drain first: managers': 'then stop the kubelet and remove its *_manager_state files, or it does not start',
  'drain first: swap': 'swap goes off before the kubelet restarts; what is swapped out must fit into memory',
} as const;
type DrainPart = keyof typeof DRAIN_FIRST;

export interface Drain {
  readonly pool: string;
  readonly part: DrainPart;
  readonly files: readonly string[];
  readonly what: string;
}

type Files = ReadonlyMap<string, string>;
type Settings = Readonly<Record<string, unknown>>;

/** A line for each setting that needs a drain, with the racks it is changed on where not all of the pool's are. */
export function drains(before: Files, after: Files): Drain[] {
  const pools = [...new Set([...after.keys()].flatMap((file) => place(file)?.pool ?? []))].sort();
  return pools.flatMap((pool) => {
    const racks = racksOf(pool, before, after);
    const found = new Map<string, { readonly drain: Drain; readonly on: string[] }>();
    for (const rack of racks) {
      const [old, now] = [settingsOf(pool, rack, before), settingsOf(pool, rack, after)];
      // A pool that was not there has no pods, and a rack that goes no kubelet to restart.
      if (old === undefined || now === undefined) continue;
      for (const leaf of leaves(old.settings, now.settings)) {
        const part = partOf(leaf);
        const what = leafText(leaf);
        const file = now.from.get(leaf.path[0] ?? '') ?? old.from.get(leaf.path[0] ?? '') ?? '';
        const known = found.get(what);
        if (known !== undefined) known.on.push(rack);
        else if (part !== undefined) found.set(what, { drain: { pool, part, files: [file], what }, on: [rack] });
      }
    }
    return [...found.values()].map(({ drain, on }) =>
      on.length === racks.length ? drain : { ...drain, what: `${drain.what} on ${on.length === 1 ? 'rack' : 'racks'} ${on.join(', ')}` },
    );
  });
}

/** `hosts/web/racks/r12/etc/kubernetes/kubelet.conf.d/41-gala-rack.conf`: pool web, rack r12; no rack: on every host of the pool. */
function place(file: string): { readonly pool: string; readonly rack?: string; readonly dropIn: boolean } | undefined {
  const [, pool, , rack, inside] = /^hosts\/([^/]+)\/(racks\/([^/]+)\/)?(.*)$/.exec(file) ?? [];
  if (pool === undefined || inside === undefined) return undefined;
  return { pool, ...(rack === undefined ? {} : { rack }), dropIn: /(^|\/)kubelet\.conf\.d\/[^/]+\.conf$/.test(inside) };
}

/** Racks with an overlay after, which are those with hosts; `''` for a pool without racks. */
function racksOf(pool: string, before: Files, after: Files): readonly string[] {
  const all = (files: Files) =>
    new Set(
      [...files.keys()].flatMap((file) => {
        const at = place(file);
        return at?.pool === pool && at.rack !== undefined ? [at.rack] : [];
      }),
    );
  const [old, now] = [all(before), all(after)];
  if (now.size === 0) return [''];
  // Hosts of a new rack register anew.
  const stayed = [...now].filter((rack) => old.size === 0 || old.has(rack));
  return stayed.sort();
}

/** All settings of the hosts of one rack, and the file each stands in; undefined where there are none. */
function settingsOf(pool: string, rack: string, files: Files) {
  const from = new Map<string, string>();
  const settings: Record<string, unknown> = {};
  for (const file of [...files.keys()].sort()) {
    const at = place(file);
    if (at === undefined || at.pool !== pool || !at.dropIn || (at.rack ?? rack) !== rack) continue;
    for (const [key, value] of Object.entries(read(files.get(file) ?? ''))) {
      settings[key] = value;
      from.set(key, file);
    }
  }
  return from.size === 0 ? undefined : { settings, from };
}

function read(text: string): Settings {
  try {
    const value: unknown = parse(text);
    return typeof value === 'object' && value !== null ? (value as Settings) : {};
  } catch {
    return {};
  }
}

const MANAGERS: ReadonlySet<string> = new Set([
  'cpuManagerPolicy',
  'cpuManagerPolicyOptions',
  'memoryManagerPolicy',
  'reservedMemory',
  'reservedSystemCPUs',
  'topologyManagerPolicy',
  'topologyManagerScope',
]);

function partOf(leaf: Leaf): DrainPart | undefined {
  const key = leaf.path[0] ?? '';
  if (MANAGERS.has(key)) return 'drain first: managers';
  if (key === 'maxPods') return rises(leaf.after, leaf.before) ? 'drain first: kubelet' : undefined;
  if (key === 'systemReserved' || key === 'kubeReserved') return rises(leaf.before, leaf.after) ? 'drain first: kubelet' : undefined;
  if (key === 'evictionHard' || key === 'evictionSoft') return rises(leaf.before, leaf.after) ? 'drain first: eviction' : undefined;
  return key === 'failSwapOn' && leaf.after === true ? 'drain first: swap' : undefined;
}

/** Whether a value becomes larger; what can't be compared (unset, a share beside a quantity) may have. */
function rises(from: unknown, to: unknown): boolean {
  const [low, high] = [amount(from), amount(to)];
  return low === undefined || high === undefined || low.unit !== high.unit || high.value > low.value;
}

function amount(value: unknown): { readonly value: number; readonly unit: '%' | '' } | undefined {
  if (typeof value === 'number') return { value, unit: '' };
  if (typeof value !== 'string') return undefined;
  if (value.endsWith('%')) return { value: Number(value.slice(0, -1)), unit: '%' };
  try {
    return { value: toNumber(value), unit: '' };
  } catch {
    return undefined;
  }
}
