/** What the models don't know can exist only in a cluster that is newer than they are. */
import { MODELS_OF } from './fields-table.ts';
import type { GateContext } from './finding.ts';

/** Turns a finding into a warning where the cluster may know what the models don't; `undefined` where it can't. */
export function mayBeNewer({ kubernetes }: GateContext): { readonly severity: 'warning'; readonly remedy: string } | undefined {
  if (minor(kubernetes) <= minor(MODELS_OF)) return undefined;
  return { severity: 'warning', remedy: `Check that Kubernetes ${kubernetes} has it: the models here are of ${MODELS_OF}.` };
}

function minor(version: string): number {
  return Number(version.split('.')[1]);
}
