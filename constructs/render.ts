/**
 * Render: a checked cluster as files in memory, its objects seen by the gate.
 * Synth writes what comes out and tests look at it: they can't see different things.
 */
import { App, Yaml } from 'cdk8s';
import type { Cluster } from '../lib/api/cluster.ts';
import type { KubeObject } from '../lib/api/manifest.ts';
import type { Finding, GateInput } from '../lib/gate/finding.ts';
import { gate } from '../lib/gate/gate.ts';
import { IAM_POLICY_PATH, iamPolicy } from './cloud/iam-policy.ts';
import type { Concern } from './concern.ts';
import { hostFiles } from './hosts.ts';
import { mirrorList } from './mirror.ts';
import { Platform } from './platform.ts';
import { summary } from './summary.ts';

/** A file of `dist/<cluster>/`. */
export interface RenderedFile {
  /** Relative to the cluster's folder, posix. */
  readonly path: string;
  readonly text: string;
}

export interface Rendering {
  readonly cluster: Cluster;
  /** Objects in the order they are applied, each with the file it stands in. */
  readonly objects: readonly GateInput[];
  /** Everything of the folder: manifests, host files, summary. */
  readonly files: readonly RenderedFile[];
  /** What the gate found. */
  readonly findings: readonly Finding[];
}

/** @param adapt changes the platform before it is rendered: patches */
export function render(cluster: Cluster, concerns: readonly Concern[], adapt: (platform: Platform) => void = () => {}): Rendering {
  const platform = new Platform(new App({ recordConstructMetadata: false }), cluster, { concerns });
  adapt(platform);
  const manifests = platform.charts.map((chart) => ({ path: `${chart.node.id}.yaml`, objects: chart.toJson() as KubeObject[] }));
  const objects = manifests.flatMap(({ path, objects }) => objects.map((object) => ({ file: path, object })));
  const plain = objects.map(({ object }) => object);
  const hosts = hostFiles(cluster, plain);
  const iam = cluster.concerns.includes('cloud') ? iamPolicy(cluster) : undefined;
  const files = [
    ...manifests.map(({ path, objects }) => ({
      path,
      text: `# Cluster ${cluster.name}. Rendered: change the definition, not this file.\n${Yaml.stringify(...objects).trimEnd()}\n`,
    })),
    ...hosts,
    ...(iam === undefined ? [] : [{ path: IAM_POLICY_PATH, text: iam }]),
    { path: 'images.txt', text: mirrorList(cluster, plain) },
    { path: 'SUMMARY.md', text: summary(cluster, objects, hosts) },
  ];
  return { cluster, objects, files, findings: gate(objects, { services: cluster.services, kubernetes: cluster.kubernetes }) };
}
