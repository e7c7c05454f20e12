/** What an instance of an ec2 pool has on its disk when its user data has run, on a node of the bed that plays it (ec2/play-instance.ts). */
import { parse } from 'yaml';
import type { Rendered } from '../../constructs/testing.ts';

/** What its metadata service says of an instance. */
export interface BedInstance {
  readonly pool: string;
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly region: string;
}

/** By which an instance asks for its certificates; here a site has given it some (node-files.ts), as it does a racked host. */
const JOINS = /35-gala-join\.conf$|kubelet\.service\.d/;

/**
 * The files of an instance, by path on it: its pool's, and those that its user data writes at boot, when it knows who it is.
 * @throws {Error} when the pool has no user data
 */
export function instanceFilesOf(out: Rendered, { pool, ...facts }: BedInstance): Record<string, string> {
  const under = `hosts/${pool}/`;
  const userData = out.files.find(({ path }) => path === `${under}user-data/cloud-config.txt`);
  if (userData === undefined)
    throw new Error(`${out.cluster.name} renders no user data for pool ${pool}: give it join: { bootstrap: true }`);
  const { write_files } = parse(userData.text) as { write_files: { path: string; content: string }[] };
  const script = write_files.find(({ path }) => path.endsWith('/gala-instance'))?.content ?? '';
  const known: Readonly<Record<string, string>> = facts;
  const written = [...script.matchAll(/^cat > \/(\S+) <<END\n([\s\S]*?)^END$/gm)].map(([, path = '', text = '']) => [
    path,
    text.replace(/\$([a-z]+)/g, (_, name: string) => known[name] ?? ''),
  ]);
  const fixed = out.files.filter(({ path }) => path.startsWith(`${under}etc/`) && !JOINS.test(path));
  return Object.fromEntries([...fixed.map(({ path, text }) => [path.slice(under.length), text]), ...written]);
}
