/**
 * Testing: a definition rendered in memory, gate included, with the questions a platform team asks of it.
 * @example expect(rendered(bjA).privileged.map((p) => p.name)).toEqual(['gala-cni'])
 */
import type { Cluster } from '../lib/api/cluster.ts';
import type { ClusterDefinition } from '../lib/api/definition.ts';
import { type KubeObject, nameOf } from '../lib/api/manifest.ts';
import { type Change, diffSynth, type SynthDiff } from '../lib/gate/diff.ts';
import { type Finding, findingLine } from '../lib/gate/finding.ts';
import { readSynth } from '../lib/gate/read-synth.ts';
import { type Planned, planned } from '../lib/scheduling/planned.ts';
import { checkDefinitions, DefinitionError, type FoundProblem } from './check.ts';
import type { Concern } from './concern.ts';
import { CONCERNS } from './concerns.ts';
import type { Platform } from './platform.ts';
import { type RenderedFile, type Rendering, render } from './render.ts';
import { images, type Privilege, privileges } from './summary.ts';

export interface RenderedProps {
  /** Concerns beside Gala's own. @default none */
  readonly concerns?: readonly Concern[];
  /** Changes the platform before it is rendered. @default nothing */
  readonly adapt?: (platform: Platform) => void;
}

/** What an apply would do, section by section (`rolls`, `restarts`, `refused`, …): names as `Kind/name`, sorted. */
export type Changes = { readonly [Section in keyof SynthDiff]: readonly string[] };

/** A workload with more than the host's network: what somebody signs off. */
export interface Privileged {
  readonly name: string;
  readonly privileges: readonly Privilege[];
}

export class Rendered {
  readonly cluster: Cluster;
  readonly objects: readonly KubeObject[];
  readonly files: readonly RenderedFile[];
  /** Problems and findings that are warnings. */
  readonly warnings: readonly (FoundProblem | Finding)[];
  readonly #rendering: Rendering;

  constructor(rendering: Rendering, problems: readonly FoundProblem[]) {
    this.#rendering = rendering;
    this.cluster = rendering.cluster;
    this.objects = rendering.objects.map(({ object }) => object);
    this.files = rendering.files;
    this.warnings = [...problems, ...rendering.findings];
  }

  /** @param name `DaemonSet/gala-system/gala-cni` */
  object(name: string): KubeObject | undefined {
    return this.objects.find((object) => nameOf(object) === name);
  }

  /** The text of a file of the cluster's folder. */
  file(path: string): string | undefined {
    return this.files.find((file) => file.path === path)?.text;
  }

  /** Every image, sorted. */
  get images(): readonly string[] {
    return images(this.objects).map(({ image }) => image);
  }

  /** Workloads with more than the host's network and its ports, by name. */
  get privileged(): readonly Privileged[] {
    const all = privileges(this.objects).filter(({ privilege }) => !/^host-(network|port)/.test(privilege));
    const names = [...new Set(all.map(({ name }) => name))].sort();
    return names.map((name) => ({ name, privileges: all.filter((privilege) => privilege.name === name) }));
  }

  /**
   * What there will be, by the definition alone: to be asked by `stock` and `place` of `cdk8s-gala/stock`.
   * @example stock(out.planned().without('rack=r14'), feed, { strategy: 'spread' }).count
   */
  planned(): Planned {
    return planned(this.cluster);
  }

  /**
   * What applying this would do to a cluster that has an earlier synth.
   * @param folder as synth wrote it: `golden/bj-a`
   */
  changesFrom(folder: string): Changes {
    const before = readSynth(folder);
    const hosts = (files: readonly RenderedFile[]) =>
      files.filter(({ path }) => path.startsWith('hosts/')).map(({ path, text }) => ({ file: path, text }));
    const diff = diffSynth(before, { objects: this.#rendering.objects, hosts: hosts(this.files) });
    const names = (changes: readonly Change[]) => [...new Set(changes.map(({ object }) => short(object)))].sort();
    return Object.fromEntries(Object.entries(diff).map(([section, changes]) => [section, names(changes)])) as unknown as Changes;
  }
}

/** `DaemonSet/gala-system/gala-cni` → `DaemonSet/gala-cni`. */
const short = (name: string): string => name.replace(/^([^/]+)\/[^/]+\/([^/]+)$/, '$1/$2');

/**
 * Renders a definition in memory, as synth would.
 * @throws {DefinitionError} with all problems of the definition
 * @throws {Error} with all findings of the gate that are errors
 */
export function rendered(definition: ClusterDefinition, props: RenderedProps = {}): Rendered {
  const { problems, clusters } = checkDefinitions([{ file: definition.name, definition }], [...CONCERNS, ...(props.concerns ?? [])]);
  const [found] = clusters;
  if (found === undefined || problems.some(({ severity }) => severity === 'error')) throw new DefinitionError(problems);
  const rendering = render(found.cluster, props.concerns ?? [], props.adapt);
  const errors = rendering.findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(findingLine).join('\n'));
  return new Rendered(rendering, problems);
}
