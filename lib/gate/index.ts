/**
 * `cdk8s-gala/gate`: checks rendered objects before anybody applies them, and tells what applying would do.
 * @example
 * const { objects } = readSynth('dist/bj-a');
 * for (const finding of gate(objects, { services: 'none', kubernetes: '1.37' })) console.log(findingLine(finding));
 */
export { type Change, diffExitCode, diffSynth, diffText, type SynthDiff } from './diff.ts';
export { type Finding, findingLine, type GateContext, type GateInput, type Severity } from './finding.ts';
export { gate } from './gate.ts';
export { ManifestGate, type ManifestGateProperties } from './plugin.ts';
export { type HostFile, readSynth, type SyntaxProblem, type Synth } from './read-synth.ts';
export { checkReceipt, readReceipt, writeReceipt } from './receipt.ts';
export { rules } from './registry.ts';
export type { Rule } from './rule.ts';
