/**
 * A file for a host: text that configuration management or cloud-init puts on a machine. Never applied to the API.
 * Every one opens by saying what it was rendered from, so that nobody mends the copy instead of the definition.
 */

export interface HostFile {
  /** Relative to the pool's folder (`dist/<cluster>/hosts/<pool>/`), posix. Never `*.yaml` or `*.yml`: the cdk8s CLI takes those for manifests. */
  readonly path: string;
  readonly text: string;
}

/** What a file was rendered from. */
export interface Origin {
  readonly cluster: string;
  readonly pool: string;
}

/** The first line of a file, without a comment sign. */
export function renderedFrom({ cluster, pool }: Origin): string {
  return `Rendered from cluster ${cluster}, pool ${pool}. Change the definition, not this file.`;
}

/** Lines of text as a file: `#` before the first line and before each line of `because`, a newline at the end. */
export function commented(origin: Origin, because: readonly string[], lines: readonly string[]): string {
  return [...[renderedFrom(origin), ...because].map((line) => `# ${line}`), ...lines, ''].join('\n');
}
