/** Line: pods whose writes wait for room, namespace by namespace in turn, so that one without room holds up no other. Pure. */
export interface Line {
  /** @param pod `<namespace>/<name>` */
  add(pod: string): void;
  remove(pod: string): void;
  /** The first of the namespace that is next, of those that may go on. It leaves the line. */
  next(mayGo: (pod: string) => boolean): string | undefined;
  readonly size: number;
}

export function line(): Line {
  /** In turn. */
  const namespaces = new Map<string, Set<string>>();
  const namespaceOf = (pod: string) => pod.slice(0, pod.indexOf('/'));
  let size = 0;

  function remove(pod: string): void {
    if (size === 0) return;
    const namespace = namespaceOf(pod);
    const pods = namespaces.get(namespace);
    if (!pods?.delete(pod)) return;
    size--;
    if (pods.size === 0) namespaces.delete(namespace);
  }

  return {
    remove,
    add(pod) {
      const namespace = namespaceOf(pod);
      const pods = namespaces.get(namespace) ?? new Set();
      if (pods.has(pod)) return;
      size++;
      namespaces.set(namespace, pods.add(pod));
    },
    next(mayGo) {
      for (const [namespace, pods] of namespaces) {
        const [pod] = pods as Set<string> & Iterable<string>;
        if (pod === undefined || !mayGo(pod)) continue;
        remove(pod);
        if (namespaces.delete(namespace)) namespaces.set(namespace, pods);
        return pod;
      }
      return undefined;
    },
    get size() {
      return size;
    },
  };
}
