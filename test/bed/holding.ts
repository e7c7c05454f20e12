/**
 * What a bed holds, and its end: processes and connections are added as they come to be, and `end()` takes all of them, also
 * those of a bed that is still starting. Afterwards nothing can be added: a test that was given up, and runs on, starts no
 * process that nobody would end.
 */
export interface Holding {
  /** Adds something that `end()` ends, or, where the end has come already, ends it and throws. */
  add(end: () => unknown): void;
  /** Ends everything. Calling it again waits for the same end. */
  end(): Promise<void>;
}

const holdings = new Set<Holding>();

/** @param last what is done when all else has ended */
export function aHolding(last: () => void): Holding {
  const ends: (() => unknown)[] = [];
  let ending: Promise<void> | undefined;
  const holding: Holding = {
    add: (end) => {
      if (ending) {
        end();
        throw new Error('the bed has been stopped');
      }
      ends.push(end);
    },
    end: () => {
      ending ??= Promise.all(ends.map((end) => end())).then(() => {
        holdings.delete(holding);
        last();
      });
      return ending;
    },
  };
  holdings.add(holding);
  return holding;
}

/** Ends every bed of this process: those whose test or hook failed, or ran out of time, before it could stop them. */
export async function endAll(): Promise<void> {
  await Promise.all([...holdings].map((holding) => holding.end()));
}
