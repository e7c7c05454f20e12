/** A listener that believes nothing: it keeps its own copy from what it is told, and notes what cannot be. */
import type { AnyObject } from '../../lib/kube/kinds.ts';
import type { Handlers } from '../../lib/kube/store.ts';

export interface Follower<S> {
  readonly handlers: Handlers<S>;
  /** As told. */
  readonly copy: ReadonlyMap<string, S>;
  /** `+web/a 1`, `~web/a 1 2`, `-web/a 2`, `synced`: with what `textOf` says of the objects. */
  readonly said: string[];
  /** What no order of events explains. */
  readonly mistakes: string[];
}

export function aFollower<S extends Pick<AnyObject, 'metadata'>>(textOf: (object: S) => string): Follower<S> {
  const copy = new Map<string, S>();
  const newest = new Map<string, number>();
  const said: string[] = [];
  const mistakes: string[] = [];
  const must = (so: boolean, what: string) => void (so || mistakes.push(what));
  const moves = (key: string, { metadata }: S) => {
    const version = Number(metadata.resourceVersion);
    must(version > (newest.get(key) ?? 0), `${key} went back to ${version}`);
    newest.set(key, version);
  };
  return {
    ...{ copy, said, mistakes },
    handlers: {
      added(object, key) {
        must(!copy.has(key), `${key} was added twice`);
        moves(key, object);
        copy.set(key, object);
        said.push(`+${key} ${textOf(object)}`);
      },
      updated(old, object, key) {
        must(copy.get(key) === old, `${key} was updated from what it was not`);
        must(old.metadata.uid === object.metadata.uid, `${key} became another object`);
        moves(key, object);
        copy.set(key, object);
        said.push(`~${key} ${textOf(old)} ${textOf(object)}`);
      },
      deleted(object, key) {
        must(copy.get(key) === object, `${key} was deleted as what it was not`);
        copy.delete(key);
        said.push(`-${key} ${textOf(object)}`);
      },
      synced: () => void said.push('synced'),
    },
  };
}

/** Waits until it is so, half a minute at most: a test that waits for what never comes must still end. */
export async function until(so: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!so()) {
    if (performance.now() > end) throw new Error(`never came: ${so}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
