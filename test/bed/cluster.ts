/** What synth renders, as the bed's nodes get it. */
import type { Rendered } from '../../constructs/testing.ts';

/**
 * The files that synth rendered for one host, by path on the host: its pool's, and over them its rack's, as APPLY.md says.
 * @throws {Error} when the definition has no such host
 */
export function hostFilesOf(out: Rendered, host: string): Record<string, string> {
  for (const pool of out.cluster.pools) {
    if (pool.shape !== 'intranet') continue;
    const rack = pool.racks.find(({ hosts }) => hosts.includes(host));
    if (rack === undefined) continue;
    const under = (prefix: string) =>
      out.files.filter(({ path }) => path.startsWith(`${prefix}/etc/`)).map(({ path, text }) => [path.slice(prefix.length + 1), text]);
    return Object.fromEntries([...under(`hosts/${pool.name}`), ...under(`hosts/${pool.name}/racks/${rack.name}`)]);
  }
  throw new Error(`${out.cluster.name} has no host ${host}`);
}
