/** Locked: slots that no pod uses, by row and by whom they are for. */
import type { Rows } from './rows.ts';

export interface Locked {
  change(row: number, owner: string | undefined, sign: 1 | -1): void;
  /** By row: those of all owners but this one. */
  byOthers(owner: string | undefined): Int32Array;
}

export function locked(rows: Rows): Locked {
  const all = rows.ints();
  const byOwner = new Map<string, Map<number, number>>();
  return {
    change(row, owner, sign) {
      all.data[row]! += sign;
      if (owner === undefined) return;
      const own = byOwner.get(owner) ?? new Map<number, number>();
      const left = (own.get(row) ?? 0) + sign;
      if (left === 0) own.delete(row);
      else own.set(row, left);
      if (own.size === 0) byOwner.delete(owner);
      else byOwner.set(owner, own);
    },
    byOthers(owner) {
      const own = owner === undefined ? undefined : byOwner.get(owner);
      if (own === undefined) return all.data;
      const others = all.data.slice();
      for (const [row, slots] of own) others[row]! -= slots;
      return others;
    },
  };
}
