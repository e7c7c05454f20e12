/** Turns: whoever asks for the same name goes one after the other. */
export interface Turns {
  /** Waits for those who asked before, then does it. */
  take<T>(name: string, act: () => Promise<T>): Promise<T>;
  /** Whether somebody has it, or waits for it. */
  isTaken(name: string): boolean;
}

export function turns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    isTaken: (name) => last.has(name),
    async take(name, act) {
      const before = last.get(name);
      const mine = (before ?? Promise.resolve()).then(act, act);
      last.set(name, mine);
      try {
        return await mine;
      } finally {
        if (last.get(name) === mine) last.delete(name);
      }
    },
  };
}
