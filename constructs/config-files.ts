/** Config files: what a workload reads, as one ConfigMap, and a hash of it that rolls the pods when a file changes. */
import { createHash } from 'node:crypto';
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import type { Manifest } from '../lib/api/manifest.ts';
import { add } from './platform.ts';
import type { Workload } from './workload.ts';

/** The name of a workload's ConfigMap, or with `<workload>-<container>` that of a container beside it. */
export const configNameOf = (name: string): string => `${name}-config`;

export function addConfigFiles(scope: Construct, { namespace, phase, containers }: Workload): void {
  for (const { config, configName } of containers)
    if (config !== undefined)
      add(scope, phase, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: configName, namespace },
        data: config,
      } satisfies Manifest<V1ConfigMap>);
}

/** Of the files' names and contents, whatever order they were given in: an annotation of the pod template. */
export function configHash(containers: Workload['containers']): Record<string, string> {
  const files = containers.flatMap(({ config }) => Object.entries(config ?? {})).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (files.length === 0) return {};
  return { 'gala.internal/config-hash': createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16) };
}
