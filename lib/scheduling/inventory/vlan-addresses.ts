/** The addresses of a VLAN, a bit each: which are taken, how many are free, and which of those come first. */
import type { Range } from '../../api/range.ts';
import { size } from '../../api/range.ts';

export interface VlanAddresses {
  readonly range: Range;
  readonly free: number;
  set(address: number, taken: boolean): void;
  has(address: number): boolean;
  isFree(address: number): boolean;
  /** Free addresses, lowest first. */
  inOrder(): Generator<number>;
}

export function vlanAddresses(range: Range): VlanAddresses {
  const total = size(range);
  const taken = new Uint32Array(Math.ceil(total / 32));
  let free = total;
  const bitOf = (address: number) => address - range.first;
  const isTaken = (bit: number) => ((taken[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  const has = (address: number) => address >= range.first && address <= range.last;

  return {
    range,
    get free() {
      return free;
    },
    has,
    isFree: (address) => has(address) && !isTaken(bitOf(address)),
    set(address, now) {
      if (!has(address)) return;
      const bit = bitOf(address);
      if (isTaken(bit) === now) return;
      taken[bit >>> 5]! ^= 1 << (bit & 31);
      free += now ? -1 : 1;
    },
    *inOrder() {
      for (let word = 0; word < taken.length; word++) {
        if (taken[word] === 0xffff_ffff) continue;
        const end = Math.min(total, (word + 1) * 32);
        for (let bit = word * 32; bit < end; bit++) if (!isTaken(bit)) yield range.first + bit;
      }
    },
  };
}
