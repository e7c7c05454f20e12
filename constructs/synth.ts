/**
 * Synth: definitions in, `dist/<cluster>/` out. All are checked, rendered and seen by the gate before the first folder is
 * put in place, so a mistake anywhere leaves what was there. One cluster is in memory at a time.
 */
import { relative, resolve } from 'node:path';
import type { Cluster } from '../lib/api/cluster.ts';
import { size } from '../lib/api/range.ts';
import { type Finding, findingLine } from '../lib/gate/finding.ts';
import { checkDefinitions, type FoundProblem, problemLine } from './check.ts';
import type { Concern } from './concern.ts';
import { CONCERNS } from './concerns.ts';
import { definitionFiles, load } from './load.ts';
import { giveBack } from './memory.ts';
import type { Platform } from './platform.ts';
import { type Rendering, render } from './render.ts';
import { Busy, Staging } from './staging.ts';

export interface SynthProps {
  /** A folder of definitions (with its folder `slices`), or the files themselves. */
  readonly definitions: string | readonly string[];
  /** @default CDK8S_OUTDIR, which the cdk8s CLI sets, else 'dist' */
  readonly out?: string;
  /** Concerns beside Gala's own. @default none */
  readonly concerns?: readonly Concern[];
  /** Warnings count as errors. @default false */
  readonly strict?: boolean;
  /** Changes each platform before it is written, with `patch`. @default nothing */
  readonly adapt?: (platform: Platform) => void;
  /** What paths in messages are relative to. @default the working directory */
  readonly root?: string;
}

export interface SynthMainProps extends SynthProps {
  /** Arguments of the command: `--strict`. @default none */
  readonly args?: readonly string[];
}

export interface SynthReport {
  readonly problems: readonly FoundProblem[];
  readonly findings: readonly Finding[];
  /** One line a cluster; empty when nothing was written. */
  readonly lines: readonly string[];
  /** Whether folders were put in place. */
  readonly written: boolean;
}

/**
 * Never throws for what a definition holds.
 * @throws {Busy} when another synth writes to the same folder, or something else is in the way
 */
export async function synth(props: SynthProps): Promise<SynthReport> {
  const root = props.root ?? process.cwd();
  const concerns = [...CONCERNS, ...(props.concerns ?? [])];
  const files = typeof props.definitions === 'string' ? await definitionFiles(props.definitions) : props.definitions;
  const loaded = await load(files, root);
  const checked = checkDefinitions(loaded.sources, concerns);
  const problems = [...loaded.problems, ...checked.problems];
  if (files.length === 0) problems.push(nothingToDo(props.definitions, root));
  const nothing = { problems, findings: [], lines: [], written: false };
  if (problems.some((problem) => stops(problem, props.strict))) return nothing;

  const staging = await Staging.in(resolve(root, props.out ?? process.env.CDK8S_OUTDIR ?? 'dist'));
  const findings: Finding[] = [];
  const lines: string[] = [];
  try {
    for (const { file, cluster } of checked.clusters) {
      const rendering = attempt(() => render(cluster, props.concerns ?? [], props.adapt), file, problems);
      if (rendering === undefined) continue;
      findings.push(...rendering.findings.map((finding) => ({ ...finding, file: `${cluster.name}/${finding.file}` })));
      lines.push(line(cluster, problems.filter((problem) => problem.file === file).length, rendering.objects.length));
      await staging.write(cluster, file, rendering.files);
      giveBack();
    }
    if ([...findings, ...problems].some((found) => stops(found, props.strict))) return { ...nothing, findings };
    const gone = await staging.swap(covering(props.definitions, root));
    lines.push(...gone.map((name) => `${name.padEnd(10)} is no longer defined: removed`));
    return { problems, findings, lines, written: true };
  } finally {
    await staging.clear();
  }
}

/** A patch without its target, a construct that refuses: a problem of the definition it happened to. */
function attempt(make: () => Rendering, file: string, problems: FoundProblem[]): Rendering | undefined {
  try {
    return make();
  } catch (error) {
    problems.push({ file, path: '', what: error instanceof Error ? error.message.replace(/\.$/, '') : String(error), severity: 'error' });
    return undefined;
  }
}

/** Whether a definition file is one of those, or stands in that folder. */
function covering(definitions: string | readonly string[], root: string): (definition: string) => boolean {
  if (typeof definitions !== 'string') return (file) => definitions.some((path) => relative(root, path) === file);
  return (file) => !relative(definitions, resolve(root, file)).startsWith('..');
}

const stops = ({ severity }: { severity: 'error' | 'warning' }, strict = false): boolean => strict || severity === 'error';

function nothingToDo(definitions: string | readonly string[], root: string): FoundProblem {
  const where = typeof definitions === 'string' ? relative(root, definitions) || '.' : 'the list of definitions';
  return {
    file: where,
    path: '',
    what: 'there is no cluster definition',
    allowed: 'one .ts, .yaml or .json file a cluster',
    remedy: 'Add one: README.md starts with the smallest.',
    severity: 'error',
  };
}

/** `hello  32 hosts in 2 racks · 768 addresses · 0 problems · 64 objects` */
function line(cluster: Cluster, problems: number, objects: number): string {
  const racks = cluster.intranetPools.flatMap((pool) => pool.racks);
  const hosts = racks.reduce((sum, rack) => sum + rack.hosts.length, 0);
  const addresses = cluster.intranetPools.flatMap((pool) => pool.vlans).reduce((sum, vlan) => sum + size(vlan.range), 0);
  const instances = cluster.ec2Pools.reduce((sum, pool) => sum + pool.size.max, 0);
  const parts = [
    ...(racks.length === 0 ? [] : [`${count(hosts, 'host')} in ${count(racks.length, 'rack')}`, `${addresses} addresses`]),
    ...(instances === 0
      ? []
      : [`up to ${instances} instances with ${[...new Set(cluster.ec2Pools.map((pool) => pool.warmEnis))].join(' or ')} pod ENIs each`]),
    ...(cluster.pools.length === 0 ? ['no pools: whatever nodes exist'] : []),
    problems === 0 ? '0 problems' : count(problems, 'warning'),
    count(objects, 'object'),
  ];
  return `${cluster.name.padEnd(10)} ${parts.join(' · ')}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/**
 * The cdk8s app: synthesizes and tells how it went.
 * Everything goes to stderr: the cdk8s CLI keeps what its app writes to stdout to itself.
 * @returns the exit code: 0 done, 2 bad input, 4 not now
 */
export async function synthMain(props: SynthMainProps): Promise<number> {
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const unknown = (props.args ?? []).filter((argument) => argument !== '--strict');
  if (unknown.length > 0) {
    say(`unknown argument ${unknown.join(' ')}; there is --strict, which makes warnings errors. Leave it out, or correct it.`);
    return 2;
  }
  const strict = props.strict ?? (props.args?.includes('--strict') || process.env.GALA_STRICT === '1');
  const report = await synth({ ...props, strict }).catch((error) => {
    if (!(error instanceof Busy)) throw error;
    say(error.message);
    return undefined;
  });
  if (report === undefined) return 4;
  for (const problem of report.problems) say(problemLine(problem));
  for (const finding of report.findings) say(findingLine(finding));
  for (const text of report.lines) say(text);
  if (report.written) return 0;
  say(
    `${count(report.problems.length + report.findings.length, 'problem')}; nothing was written.${strict ? ' Warnings count: --strict is on.' : ''}`,
  );
  return 2;
}
