/**
 * The gate as a validation plugin of cdk8s: `npx cdk8s synth` fails with exit code 2 on a finding that is an error.
 * Files that clusters/main.ts has checked and nobody has touched since are not read again (receipt.ts).
 * ```yaml
 * validations:
 *   - package: ./lib/gate/plugin.ts
 *     class: ManifestGate
 *     version: 0.1.0
 * ```
 */
import { basename, dirname, join, relative } from 'node:path';
import type { Finding, GateContext } from './finding.ts';
import { checkReceipt, readReceipt } from './receipt.ts';

/** What the plugin uses of cdk8s-cli's ValidationContext. */
export interface ValidationContext {
  /** Paths of all .yaml files under the output folder. */
  readonly manifests: readonly string[];
  readonly report: {
    addViolation(violation: Violation): void;
    submit(status: 'success' | 'failure', metadata?: Readonly<Record<string, string>>): void;
  };
  readonly logger: { log(message: string): void };
}
interface Violation {
  readonly ruleName: string;
  readonly recommendation: string;
  readonly fix: string;
  readonly violatingResources: readonly { resourceName: string; locations: readonly string[]; manifestPath: string }[];
}

/** `properties` of cdk8s.yaml: facts about clusters whose folder no receipt tells of. */
export type ManifestGateProperties = Partial<GateContext>;

/** Unless a receipt or the properties say otherwise, the strictest: no kube-proxy, the newest minor with models. */
const DEFAULT_CONTEXT: GateContext = { services: 'none', kubernetes: '1.36' };

export class ManifestGate {
  readonly #context: GateContext;

  constructor(properties: ManifestGateProperties = {}) {
    this.#context = { ...DEFAULT_CONTEXT, ...properties };
  }

  /** Called by cdk8s-cli after the app has written its files. */
  async validate({ manifests, report, logger }: ValidationContext): Promise<void> {
    const folders = foldersOf(manifests);
    const findings: Finding[] = [];
    let unchanged = 0;
    for (const folder of folders) {
      const receipt = readReceipt(dirname(folder), basename(folder));
      if (receipt !== undefined && checkReceipt(folder, receipt)) unchanged++;
      else findings.push(...(await this.#check(folder, receipt?.context ?? this.#context)));
    }
    const errors = findings.filter(({ severity }) => severity === 'error');
    await tell(errors, findings, { report, logger });
    report.submit(errors.length === 0 ? 'success' : 'failure', {
      clusters: `${folders.length}, of which ${unchanged} as the receipt has them`,
      findings: `${errors.length} errors, ${findings.length - errors.length} warnings`,
    });
  }

  async #check(folder: string, context: GateContext): Promise<Finding[]> {
    // Loaded only when there is something to read: an untouched synth costs nothing but hashing.
    const [{ gate }, { readSynth }] = await Promise.all([import('./gate.ts'), import('./read-synth.ts')]);
    const { objects, problems } = readSynth(folder);
    const where = (file: string) => join(relative(process.cwd(), folder), file);
    return [
      ...problems.map(({ file, line, message }): Finding => ({ ...SYNTAX, file: where(file), path: `line ${line}`, message })),
      ...gate(
        objects.map(({ file, object }) => ({ file: where(file), object })),
        context,
      ),
    ];
  }
}

const SYNTAX = { rule: 'yaml-syntax', severity: 'error', object: '', remedy: 'Run the synth again; nobody edits rendered files.' } as const;

/**
 * The folders to check: those with manifests, but for `<cluster>/hosts/<pool>/…`, which is for machines, not for the API.
 * cdk8s-cli says nowhere which folder is the output, so a cluster is known by the manifests beside its `hosts`: another
 * `hosts` on the way there (a cluster of that name, a checkout below one) hides nothing.
 */
function foldersOf(manifests: readonly string[]): string[] {
  const folders = new Set(manifests.map(dirname));
  return [...folders].filter((folder) => !isForHosts(folder, folders)).sort();
}

function isForHosts(folder: string, folders: ReadonlySet<string>): boolean {
  for (let below = dirname(folder); below !== dirname(below); below = dirname(below))
    if (basename(below) === 'hosts' && folders.has(dirname(below))) return true;
  return false;
}

/** A violation a rule, as cdk8s prints them; warnings go to the log, because a violation reads as a failure. */
async function tell(
  errors: readonly Finding[],
  findings: readonly Finding[],
  { report, logger }: Pick<ValidationContext, 'report' | 'logger'>,
): Promise<void> {
  if (findings.length === 0) return;
  const [{ findingLine }, { rules }] = await Promise.all([import('./finding.ts'), import('./registry.ts')]);
  for (const finding of findings) if (finding.severity === 'warning') logger.log(findingLine(finding));
  for (const [rule, of] of Map.groupBy(errors, (finding) => finding.rule)) {
    const facts = rules.find(({ id }) => id === rule);
    report.addViolation({
      ruleName: rule,
      recommendation: facts?.reason ?? 'A file that is no YAML cannot be applied.',
      fix: [...new Set(of.map(({ remedy }) => remedy))].join(' '),
      violatingResources: of.map(({ object, file, path, message }) => ({
        resourceName: object.split('/').at(-1) ?? object,
        locations: [`${object}: ${path}: ${message}`],
        manifestPath: file,
      })),
    });
  }
}
