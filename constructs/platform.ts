/**
 * Platform: one cluster's objects, in phases, and the files of its hosts. One per cdk8s App.
 * Constructs find their platform with `Platform.of(scope)` and put each object into the phase it belongs to with `add`.
 */
import { ApiObject, type App, Chart, JsonPatch } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import type { Cluster } from '../lib/api/cluster.ts';
import type { ClusterDefinition } from '../lib/api/definition.ts';
import { didYouMean } from '../lib/api/issue.ts';
import { type KubeObject, nameOf } from '../lib/api/manifest.ts';
import { PART_OF } from '../lib/api/resource.ts';
import { checkDefinitions, DefinitionError } from './check.ts';
import { type Concern, inOrder } from './concern.ts';
import { CONCERNS } from './concerns.ts';
import { Groundwork } from './groundwork.ts';
import { chartId, PHASE, waveOf } from './phase.ts';

export { SYSTEM_NAMESPACE } from '../lib/api/scheduling.ts';

export interface PlatformProps {
  /** Concerns beside Gala's own. @default none */
  readonly concerns?: readonly Concern[];
}

/** A plain object that a patch may change in any way but in what names it. */
// biome-ignore lint/suspicious/noExplicitAny: the escape hatch is for what no type foresaw
export type Patchable = any;

export class Platform extends Construct {
  readonly cluster: Cluster;
  readonly #app: App;

  /**
   * Checks the definition and renders everything it asks for.
   * @param definition as `defineCluster` gave it, or a cluster that `checkDefinitions` found no error in
   * @throws {DefinitionError} with all problems
   */
  constructor(app: App, definition: ClusterDefinition | Cluster, props: PlatformProps = {}) {
    super(app, 'gala');
    this.#app = app;
    const concerns = [...CONCERNS, ...(props.concerns ?? [])];
    this.cluster = 'intranetPools' in definition ? definition : checked(definition, concerns);
    new Groundwork(this, 'groundwork');
    for (const concern of inOrder(concerns.filter(({ name }) => this.cluster.concerns.includes(name)))) {
      // Inside the phase's chart, so that a concern may also use constructs that know nothing of Gala.
      const scope = new Construct(this.phase(concern.name), concern.name);
      scope.node.setContext(PHASE, concern.name);
      concern.render(scope, concern.options.parse(this.cluster.options[concern.name]), this.cluster);
    }
    for (const object of this.objects) object.metadata.addAnnotation('argocd.argoproj.io/sync-wave', waveOf(object.chart.node.id));
  }

  /** Every object rendered so far. */
  get objects(): readonly ApiObject[] {
    return this.#app.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
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

  /** Charts that hold something, in the order they are applied. */
  get charts(): readonly Chart[] {
    const charts = new Set(this.objects.map((object) => object.chart));
    return [...charts].sort((a, b) => (a.node.id < b.node.id ? -1 : 1));
  }

  /**
   * Changes one rendered object: the escape hatch.
   * @param target `DaemonSet/gala-system/gala-cni`, `ClusterRole/gala-operator`
   * @param change gets the plain object; changes it, or returns another
   * @throws {Error} when there is no such object: a patch whose target vanished must not pass in silence
   */
  patch(target: string, change: (object: Patchable) => Patchable): this {
    const found = this.objects.filter((object) => nameOf(object.toJson() as KubeObject) === target);
    if (found.length === 0) {
      const names = this.objects.map((object) => nameOf(object.toJson() as KubeObject));
      throw new Error(
        `patch: ${target} is not rendered for ${this.cluster.name}. ${didYouMean(target, names, 'Drop the patch, or name an object of this cluster.')}`,
      );
    }
    for (const object of found) {
      const copy = structuredClone(object.toJson());
      object.addJsonPatch(JsonPatch.replace('', change(copy) ?? copy));
    }
    return this;
  }
}

function checked(definition: ClusterDefinition, concerns: readonly Concern[]): Cluster {
  const { problems, clusters } = checkDefinitions([{ file: String(definition.name), definition }], concerns);
  const [found] = clusters;
  if (found === undefined) throw new DefinitionError(problems);
  return found.cluster;
}

/**
 * One object as it is, in the phase it belongs to.
 * @param phase decides the file; undefined fields of `object` are left out
 */
export function add(scope: Construct, phase: string, object: KubeObject): ApiObject {
  const chart = Platform.of(scope).phase(phase);
  const { name, namespace } = object.metadata;
  return new ApiObject(chart, [object.kind, namespace, name].filter((part) => part !== undefined).join('.'), object as never);
}
