/**
 * Platform: one cluster's objects, in phases. One per cdk8s App.
 * Constructs find their platform with `Platform.of(scope)` and put each object into the phase it belongs to.
 */
import { ApiObject, type App, Chart } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import type { Cluster } from '../lib/api/cluster.ts';
import type { KubeObject } from '../lib/api/manifest.ts';
import { PART_OF } from '../lib/api/resource.ts';
import { chartId, waveOf } from './phase.ts';

/** The namespace of Gala's own programs. */
export const SYSTEM_NAMESPACE = 'gala-system';

export class Platform extends Construct {
  readonly cluster: Cluster;
  readonly #app: App;

  constructor(app: App, cluster: Cluster) {
    super(app, 'gala');
    this.#app = app;
    this.cluster = cluster;
  }

  /** The platform that `scope` stands under. */
  static of(scope: IConstruct): Platform {
    const platform = scope.node.root.node.tryFindChild('gala');
    if (platform instanceof Platform) return platform;
    throw new Error(`${scope.node.path}: no Platform in this App. Make one first: new Platform(app, cluster).`);
  }

  /** The chart of a phase: a known one (`rbac`) or a concern's own name. Made when first asked for. */
  phase(phase: string): Chart {
    const id = chartId(phase);
    const found = this.#app.node.tryFindChild(id);
    if (found instanceof Chart) return found;
    return new Chart(this.#app, id, { disableResourceNameHashes: true, labels: PART_OF });
  }
}

/**
 * One object as it is, in the phase it belongs to.
 * @param scope the construct it is part of: gives the construct id its path; the phase decides the file
 */
export function add(scope: Construct, phase: string, object: KubeObject): ApiObject {
  const chart = Platform.of(scope).phase(phase);
  const { name, namespace } = object.metadata;
  const api = new ApiObject(chart, [object.kind, namespace, name].filter((part) => part !== undefined).join('.'), object as never);
  api.metadata.addAnnotation('argocd.argoproj.io/sync-wave', waveOf(chart.node.id));
  return api;
}
