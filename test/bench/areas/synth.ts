/** Area `synth`: the main job, as a person runs it, against a bare cdk8s app that emits the same objects. */
import { join } from 'node:path';
import { defineArea, type Tools } from '../area.ts';
import { writeObjects } from '../bare/objects.ts';
import { runWeighed, runWell } from '../child.ts';
import { writeDefinitions } from '../fleet/definitions.ts';
import { aProject, SYNTH } from '../project.ts';

const BARE = 'bare cdk8s, same objects';
const CLUSTERS = 50;
const FEW = 5;
const OBJECTS = 500;
const SHORT_RUNS = 5;
const LONG_RUNS = 3;

export const synth = defineArea({
  name: 'synth',
  doc: 'definitions in, folders of manifests out, through the cdk8s CLI',
  figures: {
    examples: { what: 'npx cdk8s synth, all example clusters', unit: 's', bar: { must: '<', than: 5 }, peer: BARE },
    fleet: { what: `npx cdk8s synth, ${CLUSTERS} clusters of ${OBJECTS} objects`, unit: 's', bar: { must: '<', than: 60 }, peer: BARE },
    memory: { what: `peak memory at ${CLUSTERS} clusters`, unit: 'MiB', peer: BARE },
    growth: { what: `peak memory at ${CLUSTERS} clusters, over that at ${FEW}`, unit: '×', bar: { must: '≤', than: 1.2 }, peer: BARE },
  },
  async measure(tools) {
    return { examples: await examples(tools), ...(await fleet(tools)) };
  },
});

async function examples({ say, folder }: Tools) {
  const dist = join(folder, 'examples');
  const ours = async () => (await runWell([...SYNTH, '--output', dist])).seconds;
  say('example clusters, once to warm up');
  await ours();
  const objects = join(folder, 'examples-objects');
  await writeObjects(dist, objects);
  const peer = await aProject(join(folder, 'examples-bare'), { app: ['test/bench/bare/app.ts', objects], gate: false });
  const theirs = async () => (await runWell(SYNTH, { cwd: peer })).seconds;
  return inTurns(SHORT_RUNS, ours, theirs, say);
}

async function fleet({ say, folder }: Tools) {
  const many = await generated(folder, CLUSTERS, say);
  const few = await generated(folder, FEW, say);
  const runs = { seconds: both(), memory: both(), growth: both() };
  for (let turn = 1; turn <= LONG_RUNS; turn++)
    for (const who of ['runs', 'peer'] as const) {
      const at50 = await runWeighed(SYNTH, { cwd: many[who], folder });
      const at5 = await runWeighed(SYNTH, { cwd: few[who], folder });
      say(
        `${CLUSTERS} clusters, turn ${turn}, ${who === 'runs' ? 'ours' : BARE}: ${at50.seconds.toFixed(1)} s, ${at50.peakMiB.toFixed(0)} MiB`,
      );
      runs.seconds[who].push(at50.seconds);
      runs.memory[who].push(at50.peakMiB);
      runs.growth[who].push(at50.peakMiB / at5.peakMiB);
    }
  return { fleet: runs.seconds, memory: runs.memory, growth: runs.growth };
}

/** Two projects of so many clusters: ours and, once ours has written them, the peer with the same objects. */
async function generated(folder: string, clusters: number, say: Tools['say']): Promise<{ runs: string; peer: string }> {
  say(`generating ${clusters} clusters`);
  const within = (name: string) => join(folder, `${clusters}-${name}`);
  await writeDefinitions(within('definitions'), clusters, OBJECTS);
  const runs = await aProject(within('ours'), { app: ['test/bench/fleet/app.ts', within('definitions')], gate: true });
  await runWell(SYNTH, { cwd: runs });
  const counts = Object.values(await writeObjects(join(runs, 'dist'), within('objects')));
  if (counts.length !== clusters || counts.some((count) => count !== OBJECTS))
    throw new Error(`${clusters} clusters of ${OBJECTS} objects were asked for; rendered are ${counts.join(', ')}. See fleet/filler.ts.`);
  return { runs, peer: await aProject(within('bare'), { app: ['test/bench/bare/app.ts', within('objects')], gate: false }) };
}

const both = (): { runs: number[]; peer: number[] } => ({ runs: [], peer: [] });

async function inTurns(turns: number, ours: () => Promise<number>, theirs: () => Promise<number>, say: Tools['say']) {
  const seconds = both();
  for (let turn = 1; turn <= turns; turn++) {
    seconds.runs.push(await ours());
    seconds.peer.push(await theirs());
    say(`example clusters, turn ${turn} of ${turns}: ${seconds.runs.at(-1)?.toFixed(2)} s, ${BARE} ${seconds.peer.at(-1)?.toFixed(2)} s`);
  }
  return seconds;
}
