import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** Fields of an interface, with the text of their doc comments. */
function fieldsOf(file: string, name: string): { field: string; optional: boolean; doc: string }[] {
  const source = readFileSync(`constructs/${file}`, 'utf8');
  const body = new RegExp(`export interface ${name}[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`constructs/${file} has no interface ${name}`);
  const field = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+readonly (\w+)(\??):/g;
  return [...body.matchAll(field)].map(([, doc = '', field = '', optional]) => ({ field, optional: optional === '?', doc }));
}

// biome-ignore format: a page and its interfaces on one line
const pages: [string, [string, string][]][] = [
  ['node-agent.md', [['container.ts', 'ContainerProps'], ['workload.ts', 'WorkloadProps'], ['node-agent.ts', 'NodeAgentProps']]],
  ['program.md', [['program.ts', 'ProgramProps']]],
  ['cluster-network.md', [['network/cluster-network.ts', 'ClusterNetworkProps']]],
  ['scheduling.md', [['scheduling/scheduling.ts', 'SchedulingOptions'], ['scheduling/scheduling.ts', 'SchedulingProps'], ['scheduling/kube-scheduler.ts', 'KubeSchedulerProps'], ['scheduling/configuration.ts', 'SchedulerConfigurationProps']]],
];

test.each(pages)('docs/constructs/%s names every option', (page, interfaces) => {
  const text = readFileSync(`docs/constructs/${page}`, 'utf8');
  const fields = interfaces.flatMap(([file, name]) => fieldsOf(file, name));
  expect(fields.length).toBeGreaterThan(3);
  // The Lease's namespace and who is asked before a pod is bound are not the user's to choose.
  for (const { field } of fields.filter(({ field }) => !['leaseNamespace', 'extender'].includes(field)))
    expect(text).toContain(`\`${field}\``);
});

test.each(pages)('what happens without an option of %s is said beside it', (_, interfaces) => {
  for (const { field, optional, doc } of interfaces.flatMap(([file, name]) => fieldsOf(file, name)))
    if (optional) expect(`${field}: ${doc}`).toContain('@default');
});
