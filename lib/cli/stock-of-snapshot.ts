/** Stock of what `gala snapshot` saved: as it was then, promises of the lock writer included. */
import { tellUnread } from './facts.ts';
import { factsOf } from './facts-of.ts';
import { readSnapshotFile } from './snapshot-file.ts';
import { type AskedOf, answerWithAbsent } from './stock-answer.ts';
import type { StockAnswer } from './stock-text.ts';

export async function stockOfSnapshot(path: string, asked: AskedOf): Promise<StockAnswer> {
  const snapshot = readSnapshotFile(path);
  tellUnread(snapshot);
  const ageSeconds = (Date.now() - snapshot.readAtMs) / 1000;
  return answerWithAbsent(factsOf(snapshot.inventory), { from: 'snapshot', name: path, ageSeconds }, asked);
}
