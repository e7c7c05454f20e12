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
  /** The definition it was rendered from, as messages name it: `clusters/bj-a.ts`; empty when that is not known. */
  readonly definition: string;
  /** SHA-256 in hex by path inside the cluster's folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a cluster's folder is checked under; a checked definition has these fields. */
export interface ClusterFacts extends Pick<GateContext, 'services' | 'kubernetes'> {
  /** The name of its folder. */
  readonly name: string;
  /** The definition file it was rendered from. @default not known */
  readonly definition?: string;
  /** What the gate was told beyond services and minor. @default nothing */
  readonly gate?: Pick<GateContext, 'existing' | 'kinds'>;
}

/**
 * Writes the receipt for clusters whose manifests have passed the gate.
 * @param out the folder that holds a folder per cluster: `dist`
 * @param kept receipts of clusters that were not rendered this time and stay
 */
export function writeReceipt(out: string, clusters: readonly ClusterFacts[], kept: Readonly<Record<string, ClusterReceipt>> = {}): void {
  const entries = clusters.map(({ name, services, kubernetes, definition = '', gate }): [string, ClusterReceipt] => {
    const folder = join(out, name);
    const files = existsSync(folder) ? manifestFiles(folder).map((file) => [file, sha256(readFileSync(join(folder, file)))]) : [];
    return [name, { context: { services, kubernetes, ...gate }, definition, files: Object.fromEntries(files) }];
  });
  const all = [...Object.entries(kept), ...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(join(out, RECEIPT), `${JSON.stringify({ clusters: Object.fromEntries(all) }, null, 1)}\n`);
}

/** The receipts in an output folder by cluster; none where there is no receipt that can be read. */
export function readReceipts(out: string): Record<string, ClusterReceipt> {
  try {
    const { clusters } = JSON.parse(readFileSync(join(out, RECEIPT), 'utf8'));
    const whole = Object.entries(isFields(clusters) ? clusters : {}).filter(
      ([, found]) => isFields(found) && isFields(found.context) && isFields(found.files),
    );
    return Object.fromEntries(whole.map(([name, found]) => [name, { definition: '', ...(found as object) } as ClusterReceipt]));
  } catch {
    // Without a receipt everything is checked: nothing is lost but time.
    return {};
  }
}

/** The receipt of one cluster's folder, or `undefined` where there is none that can be read. */
export function readReceipt(out: string, cluster: string): ClusterReceipt | undefined {
  return Object.entries(readReceipts(out)).find(([name]) => name === cluster)?.[1];
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
