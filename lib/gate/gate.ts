/**
 * The manifest gate: every object that leaves synth is looked at by every rule. What comes out can be applied.
 * Pure: objects of one cluster in, findings out. clusters/main.ts calls it before a file is written; the cdk8s
 * plugin (plugin.ts) calls it on files.
 */
import { nameOf } from '../api/manifest.ts';
import { ClusterView } from './cluster-view.ts';
import type { Finding, GateContext, GateInput } from './finding.ts';
import { NOT_AN_OBJECT } from './not-an-object.ts';
import { families } from './registry.ts';
import type { Family, Found, RuleFacts } from './rule.ts';
import { fields, shown, text } from './shape.ts';

export { type Finding, findingLine, type GateContext, type GateInput } from './finding.ts';

/**
 * Checks all objects of one cluster.
 * @param inputs objects as they will stand in YAML, all of one cluster: references are looked up among them
 * @returns findings in the order of the inputs; empty when all is well
 * @example gate([{ file: 'a.yaml', object: daemonSet }], { services: 'none', kubernetes: '1.37' })
 */
export function gate(inputs: readonly GateInput[], context: GateContext): Finding[] {
  const findings: Finding[] = [];
  const whole = inputs.filter((input) => isObject(input, findings));
  const cluster = new ClusterView(whole, context);
  for (const { file, object } of whole) {
    const name = nameOf(object);
    const pod = cluster.podOf(object);
    for (const family of families) {
      const found = reporter(family, name, file, findings);
      family.object?.(object, cluster, found);
      if (pod !== undefined) family.pod?.(pod, cluster, found);
    }
  }
  return findings;
}

function reporter(family: Family, object: string, file: string, findings: Finding[]): Found<string> {
  return (rule, path, message, instead) => {
    const facts = family.rules[rule] as RuleFacts;
    findings.push({
      rule,
      severity: instead?.severity ?? facts.severity,
      object,
      path,
      message,
      remedy: instead?.remedy ?? facts.remedy,
      file,
    });
  };
}

/** An object without kind or name can't be looked at further: that is its one finding. */
function isObject({ file, object }: GateInput, findings: Finding[]): boolean {
  const seen = fields(object);
  const metadata = fields(seen.metadata);
  const lacks = ['apiVersion', 'kind'].filter((key) => text(seen[key]) === undefined);
  if (text(metadata.name) === undefined) lacks.push('metadata.name');
  if (metadata.namespace !== undefined && text(metadata.namespace) === undefined) lacks.push('metadata.namespace');
  if (lacks.length === 0) return true;
  findings.push({
    rule: NOT_AN_OBJECT.id,
    severity: NOT_AN_OBJECT.severity,
    object: `${text(seen.kind) ?? '?'}/${text(metadata.name) ?? '?'}`,
    path: lacks[0] ?? '',
    message: `${lacks.join(', ')} must be text; got ${shown(object)}`,
    remedy: NOT_AN_OBJECT.remedy,
    file,
  });
  return false;
}
