/**
 * The gate's receipt, `.gala-gate.json` beside the clusters' folders: which files have passed, by SHA-256, and under
 * which facts about each cluster. The cdk8s plugin then looks only at what was changed since.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateContext } from './finding.ts';
import { manifestFiles } from './read-synth.ts';
import { isFields } from './shape.ts';

export const RECEIPT = '.gala-gate.json';

export interface ClusterReceipt {
  readonly context: GateContext;
  /** SHA-256 in hex by path inside the cluster's folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a cluster's folder is checked under; a checked definition has these fields. */
export interface ClusterFacts extends Pick<GateContext, 'services' | 'kubernetes'> {
  /** The name of its folder. */
  readonly name: string;
  /** What the gate was told beyond services and minor. @default nothing */
  readonly gate?: Pick<GateContext, 'existing' | 'kinds'>;
}

/**
 * Writes the receipt for clusters whose manifests have passed the gate.
 * @param out the folder that holds a folder per cluster: `dist`
 */
export function writeReceipt(out: string, clusters: readonly ClusterFacts[]): void {
  const entries = clusters.map(({ name, services, kubernetes, gate }): [string, ClusterReceipt] => {
    const folder = join(out, name);
    const files = existsSync(folder) ? manifestFiles(folder).map((file) => [file, sha256(readFileSync(join(folder, file)))]) : [];
    return [name, { context: { services, kubernetes, ...gate }, files: Object.fromEntries(files) }];
  });
  writeFileSync(join(out, RECEIPT), `${JSON.stringify({ clusters: Object.fromEntries(entries) }, null, 1)}\n`);
}

/** The receipt of one cluster's folder, or `undefined` where there is none that can be read. */
export function readReceipt(out: string, cluster: string): ClusterReceipt | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(join(out, RECEIPT), 'utf8')).clusters?.[cluster];
    return isFields(found) && isFields(found.context) && isFields(found.files) ? (found as unknown as ClusterReceipt) : undefined;
  } catch {
    // Without a receipt everything is checked: nothing is lost but time.
    return undefined;
  }
}

/** Whether a cluster's folder holds just what the receipt says: the same manifests, no more, no fewer. */
export function checkReceipt(folder: string, receipt: ClusterReceipt): boolean {
  const files = manifestFiles(folder);
  return (
    files.length === Object.keys(receipt.files).length &&
    files.every((file) => receipt.files[file] === sha256(readFileSync(join(folder, file))))
  );
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
