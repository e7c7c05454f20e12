/** Builders: a checked cluster of which a test says only what matters, and what is rendered for it. */
import { App } from 'cdk8s';
import type { Construct } from 'constructs';
import { Platform } from '../../constructs/platform.ts';
import type { Cluster } from '../../lib/api/cluster.ts';
import type { Checked } from '../../lib/api/definition.ts';
import { type KubeObject, nameOf } from '../../lib/api/manifest.ts';
import { parseCluster } from '../../lib/api/parse.ts';

/** A cluster on the newest minor, without pools and concerns but for what `over` says. */
export function aCluster(over: Partial<Record<keyof Checked, unknown>> = {}): Cluster {
  const definition = { name: 'test-a', kubernetes: '1.37', apiServer: 'https://10.8.0.10:6443', concerns: [], pools: {}, ...over };
  const { cluster, problems } = parseCluster(definition);
  if (cluster === undefined) throw new Error(`no cluster to test with: ${JSON.stringify(problems)}`);
  return cluster;
}

/** An intranet pool, as typed, of four hosts in two racks with one VLAN. */
export function anIntranetPool(over: object = {}) {
  return {
    shape: 'intranet',
    racks: { r12: 'test-a-r12-[01-02]', r13: 'test-a-r13-[01-02]' },
    trunk: 'bond0',
    vlans: { 110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.128-10.110.0.191' } },
    machine: { cpu: 64, memory: '256Gi' },
    ...over,
  };
}

/** What constructs render, by name: `DaemonSet/gala-system/gala-cni`. */
export interface Rendered {
  readonly objects: readonly KubeObject[];
  /** The object of that name; fails the test when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
  get(name: string): any;
  has(name: string): boolean;
  /** `20-rbac`: the file that it stands in. */
  fileOf(name: string): string | undefined;
}

/** Renders what `make` adds to a cluster, beside what every cluster has. */
export function rendered(cluster: Cluster, make: (scope: Construct) => void = () => {}): Rendered {
  const platform = new Platform(new App(), cluster);
  make(platform);
  const byFile = platform.charts.map((chart) => [chart.node.id, chart.toJson() as KubeObject[]] as const);
  const objects = byFile.flatMap(([, some]) => some);
  return {
    objects,
    get(name) {
      const found = objects.find((object) => nameOf(object) === name);
      if (found === undefined) throw new Error(`${name} is not rendered; there are ${objects.map(nameOf).join(', ')}`);
      return found;
    },
    has: (name) => objects.some((object) => nameOf(object) === name),
    fileOf: (name) => byFile.find(([, some]) => some.some((object) => nameOf(object) === name))?.[0],
  };
}
