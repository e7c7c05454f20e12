/** What is taken and serves nobody in what `gala snapshot` saved: as it was then. */
import { isOff } from '../scheduling/node.ts';
import { tellUnread } from './facts.ts';
import { booksOf } from './facts-of.ts';
import { type Leaks, leaksIn, type Places } from './leaks-rows.ts';
import { readSnapshotFile } from './snapshot-file.ts';

export function leaksOfSnapshot(path: string): Leaks {
  const snapshot = readSnapshotFile(path);
  tellUnread(snapshot);
  const { inventory, statefulSets, readAtMs } = snapshot;
  const nodes = inventory.objects('Node');
  const places: Places = {
    statefulSets: new Map(statefulSets.map((set) => [set.key, set])),
    hasNode: (name) => nodes.has(name),
    isOff: (name) => {
      const node = nodes.get(name);
      return node !== undefined && isOff(node);
    },
    isReady: (name) => nodes.get(name)?.ready ?? true,
    conflicts: [...inventory.objects('NodeNetwork').values()].flatMap(({ metadata: { name: node }, status }) =>
      (status?.conflicts ?? []).map((conflict) => ({ ...conflict, node })),
    ),
  };
  return leaksIn(booksOf(inventory), places, readAtMs);
}
