/** Alarm: keys, and when to look at each again. The earliest time of a key counts. Pure; time is a number. */
import FlatQueue from 'flatqueue';

export interface Alarm {
  /** Looks at the key again at that moment, or sooner if that was said before. */
  set(key: string, atMs: number): void;
  clear(key: string): void;
  /** The keys whose time has come; each is told once. */
  due(nowMs: number): string[];
  /** When the next one is due. */
  next(): number | undefined;
}

export function alarm(): Alarm {
  const at = new Map<string, number>();
  const queue = new FlatQueue<string>();
  /** Times that were cleared or set sooner stay in the queue until they come up. */
  const stale = () => queue.length > 0 && at.get(queue.peek() as string) !== queue.peekValue();

  return {
    set(key, atMs) {
      const before = at.get(key);
      if (before !== undefined && before <= atMs) return;
      at.set(key, atMs);
      queue.push(key, atMs);
    },
    clear: (key) => void at.delete(key),
    due(nowMs) {
      const keys: string[] = [];
      for (;;) {
        while (stale()) queue.pop();
        if (queue.length === 0 || (queue.peekValue() as number) > nowMs) return keys;
        const key = queue.pop() as string;
        at.delete(key);
        keys.push(key);
      }
    },
    next() {
      while (stale()) queue.pop();
      return queue.peekValue();
    },
  };
}
