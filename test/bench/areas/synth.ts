/** Area `synth`: the main job, as a person runs it, against a bare cdk8s app that emits the same objects. */
import { join } from 'node:path';
import { defineArea, type Tools } from '../area.ts';
import { writeObjects } from '../bare/objects.ts';
import { runWeighed, runWell, type Weighed } from '../child.ts';
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
    examplesCpu: { what: 'CPU time, all example clusters', unit: 's', peer: BARE },
    fleet: { what: `npx cdk8s synth, ${CLUSTERS} clusters of ${OBJECTS} objects`, unit: 's', bar: { must: '<', than: 60 }, peer: BARE },
    fleetCpu: { what: `CPU time, ${CLUSTERS} clusters of ${OBJECTS} objects`, unit: 's', peer: BARE },
    memory: { what: `peak memory at ${CLUSTERS} clusters`, unit: 'MiB', peer: BARE },
    growth: { what: `peak memory at ${CLUSTERS} clusters, over that at ${FEW}`, unit: '×', bar: { must: '≤', than: 1.2 }, peer: BARE },
  },
  async measure(tools) {
    return { ...(await examples(tools)), ...(await fleet(tools)) };
  },
});

async function examples({ say, folder }: Tools) {
  const dist = join(folder, 'examples');
  const objects = join(folder, 'examples-objects');
  say('example clusters, once to warm up');
  await runWell([...SYNTH, '--output', dist]);
  await writeObjects(dist, objects);
  const peer = await aProject(join(folder, 'examples-bare'), { app: ['test/bench/bare/app.ts', objects], gate: false });
  const taken = { runs: [] as Weighed[], peer: [] as Weighed[] };
  for (let turn = 1; turn <= SHORT_RUNS; turn++) {
    taken.runs.push(await runWeighed([...SYNTH, '--output', dist], { folder }));
    taken.peer.push(await runWeighed(SYNTH, { cwd: peer, folder }));
    say(`example clusters, turn ${turn} of ${SHORT_RUNS}: ${shown(taken.runs)}; ${BARE}: ${shown(taken.peer)}`);
  }
  return { examples: each(taken, ({ seconds }) => seconds), examplesCpu: each(taken, ({ cpuSeconds }) => cpuSeconds) };
}

async function fleet({ say, folder }: Tools) {
  const many = await generated(folder, CLUSTERS, say);
  const few = await generated(folder, FEW, say);
  const taken = { runs: [] as Weighed[], peer: [] as Weighed[] };
  const growth = { runs: [] as number[], peer: [] as number[] };
  for (let turn = 1; turn <= LONG_RUNS; turn++) {
    for (const who of ['runs', 'peer'] as const) {
      const large = await runWeighed(SYNTH, { cwd: many[who], folder });
      const small = await runWeighed(SYNTH, { cwd: few[who], folder });
      taken[who].push(large);
      growth[who].push(large.peakMiB / small.peakMiB);
    }
    say(`${CLUSTERS} clusters, turn ${turn} of ${LONG_RUNS}: ${shown(taken.runs)}; ${BARE}: ${shown(taken.peer)}`);
  }
  return {
    fleet: each(taken, ({ seconds }) => seconds),
    fleetCpu: each(taken, ({ cpuSeconds }) => cpuSeconds),
    memory: each(taken, ({ peakMiB }) => peakMiB),
    growth,
  };
}

const each = (taken: Record<'runs' | 'peer', readonly Weighed[]>, of: (run: Weighed) => number) => ({
  runs: taken.runs.map(of),
  peer: taken.peer.map(of),
});

/** The last run, for the one who waits. */
function shown(runs: readonly Weighed[]): string {
  const last = runs.at(-1);
  return last === undefined ? '' : `${last.seconds.toFixed(2)} s, ${last.peakMiB.toFixed(0)} MiB`;
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
