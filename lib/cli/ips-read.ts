/** The address book as it is read: of a cluster page by page, of a saved snapshot, or of a definition, where nothing is taken. */
import { HostPool, IPLock, NodeNetwork } from '../api/kinds.ts';
import type { Api } from '../kube/client.ts';
import { ApiError } from '../kube/error.ts';
import { type AnyObject, type Kind, kindOf, NODES } from '../kube/kinds.ts';
import { eachPage } from '../kube/verbs.ts';
import { interning } from '../scheduling/intern.ts';
import { type AddressBook, addressBook, type NetworkObject, type PoolObject, takenOf } from './address-book.ts';
import { utcOf } from './amount.ts';
import { isNoSuchKind, unlessNoAddresses } from './cluster.ts';
import { say } from './output.ts';

/** Where it was read. */
export interface BookSource {
  readonly from: 'cluster' | 'snapshot' | 'definition';
  /** URL of the API server, path of the file, name of the cluster. */
  readonly name: string;
}

export interface BookRead {
  readonly book: AddressBook;
  readonly source: BookSource;
  /** When reading began, by the API server's clock; of a snapshot by the clock of who saved it. Undefined of a definition. Unix milliseconds. */
  readonly readAtMs?: number;
}

/** Reads with the rights of whoever asks: IPLocks are needed, what else can't be listed is told. */
export async function bookOfCluster(api: Api): Promise<BookRead> {
  const began = Date.now();
  const intern = interning();
  let serverMs: number | undefined;
  const { request } = api;
  const timed: Pick<Api, 'request'> = {
    request: async (call) => {
      const answer = await request(call);
      serverMs ??= answer.atMs;
      return answer;
    },
  };
  const unread: string[] = [];
  const read = async <T extends AnyObject, S>(kind: Kind<T>, keep: (object: T) => S): Promise<S[]> => {
    const found: S[] = [];
    await eachPage(
      timed,
      kind,
      {},
      (page) => {
        for (const object of page) found.push(keep(object));
      },
      () => found.splice(0),
    );
    return found;
  };
  const unlessRefused = async <S>(kind: string, goodFor: string, reading: Promise<S[]>): Promise<S[] | undefined> => {
    try {
      return await reading;
    } catch (error) {
      if (!isNoSuchKind(error) && !(error instanceof ApiError && error.status === 403)) throw error;
      if (!isNoSuchKind(error)) unread.push(`${kind} (${goodFor})`);
      return undefined;
    }
  };
  const [taken, pools = [], networks = [], nodes] = await Promise.all([
    read(kindOf(IPLock), (ipLock) => takenOf(ipLock, intern)).catch(unlessNoAddresses),
    unlessRefused(
      'HostPool',
      'VLANs, and what is free',
      read(kindOf(HostPool), ({ metadata: { name }, spec }): PoolObject => ({ metadata: { name }, spec })),
    ),
    unlessRefused(
      'NodeNetwork',
      'ENIs',
      read(kindOf(NodeNetwork), ({ metadata: { name }, spec, status }): NetworkObject => ({ metadata: { name }, spec, status })),
    ),
    unlessRefused(
      'Node',
      'racks by label',
      read(NODES, ({ metadata: { name, labels = {} } }) => ({ name, labels })),
    ),
  ]);
  if (unread.length > 0)
    say(`Not counted, for you may not list it: ${unread.sort().join(', ')}. The ClusterRole gala-operator may: docs/constructs/roles.md.`);
  return {
    book: addressBook({ pools, networks, ...(nodes === undefined ? {} : { nodes }), taken }),
    source: { from: 'cluster', name: api.url },
    readAtMs: serverMs ?? began,
  };
}

export async function bookOfSnapshot(path: string): Promise<BookRead> {
  const [{ readSnapshotFile }, { tellUnread }] = await Promise.all([import('./snapshot-file.ts'), import('./facts.ts')]);
  const { inventory, readAtMs, unread } = readSnapshotFile(path);
  tellUnread({ unread });
  const of = <K extends 'HostPool' | 'NodeNetwork' | 'IPLock' | 'Node'>(kind: K) => [...inventory.objects(kind).values()];
  const intern = interning();
  const taken = of('IPLock').map((ipLock) => takenOf(ipLock, intern));
  return {
    book: addressBook({ pools: of('HostPool'), networks: of('NodeNetwork'), nodes: of('Node'), taken }),
    source: { from: 'snapshot', name: path },
    readAtMs,
  };
}

/** Of EC2 pools the instances that are there at least; their addresses EC2 gives when they are launched. */
export async function bookOfDefinition(asked: string): Promise<BookRead> {
  const [{ readDefinition }, { planned }] = await Promise.all([import('./definition.ts'), import('../scheduling/planned.ts')]);
  const cluster = await readDefinition(asked);
  const { inventory } = planned(cluster).launched();
  const of = <K extends 'HostPool' | 'NodeNetwork' | 'Node'>(kind: K) => [...inventory.objects(kind).values()];
  return {
    book: addressBook({ pools: of('HostPool'), networks: of('NodeNetwork'), nodes: of('Node'), taken: [], nameless: true }),
    source: { from: 'definition', name: cluster.name },
  };
}

/** `https://10.8.0.10:6443 · read at 2027-02-16 19:58:02 UTC, by its clock` */
export function sourceText({ source: { from, name }, readAtMs }: Pick<BookRead, 'source' | 'readAtMs'>): string {
  const at = readAtMs === undefined ? '' : utcOf(readAtMs);
  switch (from) {
    case 'cluster':
      return `${name} · read at ${at}, by its clock`;
    case 'snapshot':
      return `snapshot ${name} · read at ${at}, by the clock of who saved it`;
    case 'definition':
      return `definition ${name} · nothing is taken`;
    default:
      return from satisfies never;
  }
}
