/**
 * Rows: which node has which row, and columns that are as long as there are rows. A row whose node is gone is a hole until the
 * next node takes it; columns grow by doubling, so a column's array is its holder's `data` of the moment.
 */

type Numbers = Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** One value a row. `data` may be longer than there are rows. */
export interface Column<A extends Numbers = Numbers> {
  data: A;
}

export interface Rows {
  /** Holes included. */
  readonly count: number;
  /** By row; undefined is a hole. */
  readonly names: readonly (string | undefined)[];
  add(name: string): number;
  /** Its values stay what they are: whoever keeps a column empties them. */
  remove(row: number): void;
  /** `hole`: the value of rows that have no node yet. */
  ints(hole?: number): Column<Int32Array<ArrayBuffer>>;
  bytes(hole?: number): Column<Uint8Array<ArrayBuffer>>;
  floats(hole?: number): Column<Float64Array<ArrayBuffer>>;
  /** A column that nobody asks any more: it grows no longer. */
  drop(column: Column): void;
}

const FIRST = 64;

export function rows(): Rows {
  const names: (string | undefined)[] = [];
  const holes: number[] = [];
  const columns = new Map<Column, number>();
  let capacity = FIRST;

  function made<A extends Numbers>(data: A, hole: number): Column<A> {
    const column = { data };
    if (hole !== 0) data.fill(hole);
    columns.set(column, hole);
    return column;
  }

  function grow(): void {
    const before = capacity;
    capacity *= 2;
    for (const [column, hole] of columns) {
      const { data } = column;
      const longer = new (data.constructor as new (length: number) => Numbers)(capacity);
      longer.set(data as never);
      if (hole !== 0) longer.fill(hole, before);
      column.data = longer;
    }
  }

  return {
    get count() {
      return names.length;
    },
    names,
    add(name) {
      const row = holes.pop() ?? names.length;
      if (row === capacity) grow();
      names[row] = name;
      return row;
    },
    remove(row) {
      names[row] = undefined;
      holes.push(row);
    },
    ints: (hole = 0) => made(new Int32Array(capacity), hole),
    bytes: (hole = 0) => made(new Uint8Array(capacity), hole),
    floats: (hole = 0) => made(new Float64Array(capacity), hole),
    drop: (column) => {
      columns.delete(column);
    },
  };
}
