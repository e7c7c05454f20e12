/** Area `gate`: what looking at every object costs, beside what writing the same objects as YAML costs. */
import { join } from 'node:path';
import { ApiObject, App, Chart, Yaml } from 'cdk8s';
import { checkDefinitions } from '../../../constructs/check.ts';
import { CONCERNS } from '../../../constructs/concerns.ts';
import { definitionFiles, load } from '../../../constructs/load.ts';
import { render } from '../../../constructs/render.ts';
import type { GateContext, GateInput } from '../../../lib/gate/finding.ts';
import { gate as look } from '../../../lib/gate/gate.ts';
import { defineArea } from '../area.ts';
import { writeDefinitions } from '../fleet/definitions.ts';
import { filler } from '../fleet/filler.ts';

const YAML = "cdk8s' toJson and YAML text of them";
const OBJECTS = 500;
const TIMES = 50;
/** Of the peer, which is slow. */
const PEER_TIMES = 5;
const RUNS = 5;

export const gate = defineArea({
  name: 'gate',
  doc: 'the manifest gate, in memory',
  figures: {
    clusters: { what: `gate, ${TIMES} clusters of ${OBJECTS} objects`, unit: 'µs CPU/object', peer: YAML },
    one: { what: `gate, one cluster of ${(OBJECTS * TIMES).toLocaleString('en')} objects`, unit: 'µs CPU/object' },
  },
  async measure({ folder, say }) {
    say(`rendering ${OBJECTS} and ${OBJECTS * TIMES} objects`);
    const usual = await cluster(join(folder, 'usual'), OBJECTS);
    const large = await cluster(join(folder, 'large'), OBJECTS * TIMES);
    const clusters = { runs: [] as number[], peer: [] as number[] };
    const one: number[] = [];
    // The first turn warms the JIT up and is not counted.
    for (let turn = 0; turn <= RUNS; turn++) {
      const ours = perObject(OBJECTS * TIMES, () => times(TIMES, () => quiet(look(usual.inputs, usual.context))));
      const theirs = perObject(OBJECTS * PEER_TIMES, () => times(PEER_TIMES, () => written(usual.inputs)));
      const all = perObject(OBJECTS * TIMES, () => quiet(look(large.inputs, large.context)));
      if (turn === 0) continue;
      clusters.runs.push(ours);
      clusters.peer.push(theirs);
      one.push(all);
      say(`turn ${turn} of ${RUNS}: ${ours.toFixed(0)} µs/object, ${YAML} ${theirs.toFixed(0)}, all in one cluster ${all.toFixed(0)}`);
    }
    return { clusters, one: { runs: one } };
  },
});

interface Usual {
  readonly inputs: readonly GateInput[];
  readonly context: GateContext;
}

async function cluster(folder: string, objects: number): Promise<Usual> {
  await writeDefinitions(folder, 1, objects);
  const { sources } = await load(await definitionFiles(folder), folder);
  const { clusters, problems } = checkDefinitions(sources, [...CONCERNS, filler]);
  const [found] = clusters;
  if (found === undefined) throw new Error(`the generated definition is wrong: ${JSON.stringify(problems)}`);
  const { services, kubernetes } = found.cluster;
  return { inputs: render(found.cluster, [filler]).objects, context: { services, kubernetes } };
}

/** A finding would be work that a good cluster doesn't cost. */
function quiet(findings: readonly unknown[]): void {
  if (findings.length > 0)
    throw new Error(`the gate found ${findings.length} things in a generated cluster: ${JSON.stringify(findings[0])}`);
}

function written(inputs: readonly GateInput[]): void {
  const chart = new Chart(new App({ recordConstructMetadata: false }), 'all', { disableResourceNameHashes: true });
  inputs.forEach(({ object }, i) => {
    new ApiObject(chart, `${i}`, object as never);
  });
  Yaml.stringify(...chart.toJson());
}

function times(count: number, act: () => void): void {
  for (let time = 0; time < count; time++) act();
}

/** Microseconds of CPU, so that whoever else is busy on the machine isn't counted. */
function perObject(objects: number, act: () => void): number {
  const start = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / objects;
}
