/**
 * Flow: how much gets from a source to a sink through edges that each carry at least a floor and at most an upper bound, in
 * whole units. What shares addresses or caps is counted by it, exactly; and what was decided stays decided: `commit` raises an
 * edge's floor where the rest can still be arranged around it, and says so where it can't.
 *
 * Pure. The largest flow is found by Dinic's algorithm (E. A. Dinic, 1970): shortest augmenting paths, level by level.
 */

const NONE = -1;

/** The source and the sink of every network. */
export const SOURCE = 0;
export const SINK = 1;

/** An upper bound that nothing reaches. */
export const UNBOUNDED = 2 ** 40;

export interface Flow {
  /** Adds a vertex and returns its number. */
  vertex(): number;
  /** Adds an edge that carries 0 to `upper`, and returns its number. */
  edge(from: number, to: number, upper: number): number;
  /** What an edge may carry from now on. Never below what it carries. */
  bound(edge: number, upper: number): void;
  /** What an edge carries at least from now on. Never above what it carries. */
  floor(edge: number, floor: number): void;
  /** Takes all flow back, floors too. */
  reset(): void;
  /** Raises the flow to the largest that is possible, and returns it. */
  run(): number;
  /** From now on the whole may change, but not fall below `floor`; `run` is over. */
  close(floor: number): void;
  /** Sends one more unit along these edges, from the source to the sink. False, and nothing changed: one of them is full. */
  send(edges: readonly number[]): boolean;
  /** Raises the floor of an edge by one, rearranging what is not committed. False, and nothing changed: there is no way. */
  commit(edge: number): boolean;
  carried(edge: number): number;
  /** By vertex, 1: one more unit would get there from the source. The smallest of all minimal cuts, whatever flow was found. */
  reached(): Uint8Array;
}

export function flow(): Flow {
  // Edge e is the pair 2e (forth) and 2e + 1 (back); `left` is how much more either way takes.
  const head: number[] = [NONE, NONE];
  const next: number[] = [];
  const to: number[] = [];
  const left: number[] = [];
  const uppers: number[] = [];
  const floors: number[] = [];
  let total = 0;
  let closed = NONE;

  const arc = (from: number, target: number, room: number) => {
    to.push(target);
    left.push(room);
    next.push(head[from]!);
    head[from] = to.length - 1;
  };

  const edge = (from: number, target: number, upper: number): number => {
    arc(from, target, upper);
    arc(target, from, 0);
    uppers.push(upper);
    floors.push(0);
    return uppers.length - 1;
  };

  const carried = (e: number) => uppers[e]! - left[2 * e]!;

  let level = new Int32Array(0);
  let cursor = new Int32Array(0);

  /** Numbers vertices by their distance from the source; false: the sink is out of reach. */
  function layer(): boolean {
    level.fill(NONE);
    level[SOURCE] = 0;
    const queue = [SOURCE];
    for (let at = 0; at < queue.length; at++) {
      const vertex = queue[at]!;
      for (let a = head[vertex]!; a !== NONE; a = next[a]!) {
        const target = to[a]!;
        if (left[a]! <= 0 || level[target] !== NONE) continue;
        level[target] = level[vertex]! + 1;
        queue.push(target);
      }
    }
    return level[SINK] !== NONE;
  }

  function push(vertex: number, most: number): number {
    if (vertex === SINK) return most;
    let pushed = 0;
    for (; cursor[vertex] !== NONE; cursor[vertex] = next[cursor[vertex]!]!) {
      const a = cursor[vertex]!;
      if (left[a]! <= 0 || level[to[a]!] !== level[vertex]! + 1) continue;
      const got = push(to[a]!, Math.min(most - pushed, left[a]!));
      left[a]! -= got;
      left[a ^ 1]! += got;
      pushed += got;
      // The arc may take more another time: the cursor stays on it.
      if (pushed === most) return pushed;
    }
    return pushed;
  }

  function run(): number {
    if (level.length !== head.length) {
      level = new Int32Array(head.length);
      cursor = new Int32Array(head.length);
    }
    while (layer()) {
      cursor.set(head);
      total += push(SOURCE, UNBOUNDED);
    }
    return total;
  }

  /** A way from one vertex to another that takes one more unit, as the arc by which each vertex was reached. */
  function way(from: number, target: number): Int32Array | undefined {
    const by = new Int32Array(head.length).fill(NONE);
    const queue = [from];
    for (let at = 0; at < queue.length; at++)
      for (let a = head[queue[at]!]!; a !== NONE; a = next[a]!) {
        const vertex = to[a]!;
        if (left[a]! <= 0 || by[vertex] !== NONE || vertex === from) continue;
        by[vertex] = a;
        if (vertex === target) return by;
        queue.push(vertex);
      }
    return undefined;
  }

  function commit(e: number): boolean {
    const [forth, back] = [2 * e, 2 * e + 1];
    if (left[back]! > 0) {
      // It carries more than its floor already.
      left[back]! -= 1;
      floors[e]! += 1;
      return true;
    }
    if (left[forth]! <= 0) return false;
    // One unit in a circle: along the edge, and by some other way back to where it begins.
    const [start, end] = [to[back]!, to[forth]!];
    const by = way(end, start);
    if (by === undefined) return false;
    for (let vertex = start; vertex !== end; ) {
      const a = by[vertex]!;
      left[a]! -= 1;
      left[a ^ 1]! += 1;
      vertex = to[a ^ 1]!;
    }
    left[forth]! -= 1;
    floors[e]! += 1;
    return true;
  }

  return {
    vertex: () => head.push(NONE) - 1,
    edge,
    carried,
    run,
    commit,
    send(edges) {
      for (const e of edges) if (left[2 * e]! <= 0) return false;
      for (const e of closed === NONE ? edges : [...edges, closed]) {
        left[2 * e]! -= 1;
        left[2 * e + 1]! += 1;
      }
      total++;
      return true;
    },
    bound(e, upper) {
      left[2 * e]! += upper - uppers[e]!;
      uppers[e] = upper;
    },
    floor(e, floor) {
      left[2 * e + 1] = carried(e) - floor;
      floors[e] = floor;
    },
    reset() {
      for (let e = 0; e < uppers.length; e++) {
        left[2 * e] = uppers[e]!;
        left[2 * e + 1] = 0;
        floors[e] = 0;
      }
      total = 0;
    },
    close(floor) {
      closed = edge(SINK, SOURCE, UNBOUNDED);
      left[2 * closed]! -= total;
      left[2 * closed + 1] = total - floor;
      floors[closed] = floor;
    },
    reached() {
      const seen = new Uint8Array(head.length);
      seen[SOURCE] = 1;
      const queue = [SOURCE];
      for (let at = 0; at < queue.length; at++)
        for (let a = head[queue[at]!]!; a !== NONE; a = next[a]!) {
          if (left[a]! <= 0 || seen[to[a]!]) continue;
          seen[to[a]!] = 1;
          queue.push(to[a]!);
        }
      return seen;
    },
  };
}
