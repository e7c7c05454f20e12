/** A cluster of few nodes on the model, with one lock writer that nobody disturbs: what happens second by second. */
import type { PodFacts } from '../../../lib/scheduling/facts.ts';
import type { NodeFacts } from '../../../lib/scheduling/node.ts';
import type { IPLockObject } from '../../../lib/scheduling/writer/books.ts';
import { type APoolOptions, aNode, aPool, aVlan } from '../builders.ts';
import { modelApi } from './model-api.ts';
import { type ModelWriter, modelWriter } from './model-writer.ts';
import { aStoredIPLock, saying } from './objects.ts';

/** @param addresses of the VLAN that all nodes share @param racks hosts by rack */
export function aSmallCluster({
  addresses = 8,
  vlans = [aVlan(110, addresses)],
  racks = { r12: ['r12-01', 'r12-02'] },
}: {
  readonly addresses?: number;
  readonly vlans?: APoolOptions['vlans'];
  readonly racks?: Readonly<Record<string, readonly string[]>>;
} = {}) {
  const api = modelApi();
  const nodes = new Map(
    Object.entries(racks).flatMap(([rack, names]) => names.map((name) => [name, aNode(name, { pool: 'web', rack, cpu: 4 })] as const)),
  );
  const pool = aPool('web', {
    racks: Object.fromEntries(Object.entries(racks).map(([rack, names]) => [rack, names.join(',')])),
    vlans,
    locks: 'advisory',
  });
  let current: ModelWriter | undefined;
  /** Begins when it is asked for first. */
  function writer(): ModelWriter {
    current ??= modelWriter({ api, nodes, pools: [pool], statefulSets: new Map() }, 0);
    return current;
  }
  const events = (reason: string) =>
    writer().notes.flatMap((note) => (note.note === 'event' && note.reason === reason ? [`${note.on} ${note.key}: ${note.message}`] : []));
  return {
    api,
    writer,
    run(seconds: number): void {
      const it = writer();
      for (const until = api.now + seconds; api.now < until; api.now += 0.2) {
        for (const kind of ['Pod', 'Lock', 'IPLock'] as const) while (it.deliver(kind));
        it.begin();
        for (const { write } of it.under.splice(0)) it.agenda.ended(write, api.do(write.call), api.now * 1000);
      }
    },
    /** An address that is there before the lock writer begins. */
    stored(ip: string, options: Parameters<typeof aStoredIPLock>[1]): void {
      const it = aStoredIPLock(ip, options);
      api.objects.IPLock.set(ip, it);
      api.change('IPLock', ip, (same) => same);
    },
    /** The agent of its node writes a condition of it, and the phase where it binds. */
    says(ip: string, type: string, said: string, phase?: IPLockObject['spec']['phase']): void {
      api.change('IPLock', ip, (it) => ({
        ...it,
        spec: { ...it.spec, ...(phase && { phase }) },
        status: { conditions: [...(it.status?.conditions ?? []).filter((one) => one.type !== type), saying(type, said)] },
      }));
    },
    /** A person annotates it. */
    annotate(ip: string, annotations: Readonly<Record<string, string>>): void {
      api.change('IPLock', ip, (it) => ({
        ...it,
        metadata: { ...it.metadata, annotations: { ...it.metadata.annotations, ...annotations } },
      }));
    },
    /** Its Node object is deleted, and made anew. */
    lose(node: string): void {
      writer().inventory.unset('Node', node);
      writer().agenda.freed(api.now * 1000, node);
    },
    find: (node: string, more: Partial<NodeFacts> = {}) => writer().nodeIs({ ...(nodes.get(node) as NodeFacts), ...more }),
    /** kube-scheduler has bound it, and the agent of its node has wired it. */
    wire(name: string): { readonly ip: string; readonly node: string } {
      const pod = api.objects.Pod.get(`feed/${name}`) as PodFacts;
      const node = pod.pinned as string;
      const [ip] = [...api.objects.IPLock].find(([, { spec }]) => spec.podUID === pod.uid && spec.phase === 'Locked') as [string, unknown];
      api.change('Pod', pod.key, (it) => ({ ...it, node }));
      this.says(ip, 'Wired', 'True', 'Bound');
      return { ip, node };
    },
    kept: () => writer().notes.filter((note) => note.note === 'log' && note.sentence.startsWith('address kept')),
    events,
    told: () => writer().notes.flatMap((note) => (note.note === 'event' && note.reason === 'AddressNotBack' ? [note.message] : [])),
    pod: (name: string) => api.objects.Pod.get(`feed/${name}`),
    slots: (lock: string) => api.objects.Lock.get(`feed/${lock}`)?.status?.slots ?? [],
    lock: (lock: string) => api.objects.Lock.get(`feed/${lock}`),
    ip: (address: string) => api.objects.IPLock.get(address),
    /** Those of a pod by its name, with their phases. */
    ofPod: (name: string) =>
      Object.fromEntries(
        [...api.objects.IPLock].flatMap(([ip, { spec }]) =>
          spec.podUID === api.objects.Pod.get(`feed/${name}`)?.uid ? [[ip, spec.phase]] : [],
        ),
      ),
  };
}
