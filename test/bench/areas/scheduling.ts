/** Area `scheduling`: stock, Locks and the gate, at sizes that a large cluster has, against the stock kube-scheduler. */
import { find, partsOf, REMEDY } from '../../bed/parts.ts';
import { defineArea, type Measured, type Skipped, type Tools } from '../area.ts';
import { runWell } from '../child.ts';
import { median } from '../row.ts';
import { core } from './scheduling/core.ts';
import { followed } from './scheduling/following.ts';
import { overHttps } from './scheduling/https.ts';
import { aNight } from './scheduling/night.ts';
import { differences } from './scheduling/right.ts';

const LARGE = { nodes: 5000, pods: 50_000 };
/** More would take an hour; each is a thousand pods. */
const RUNS = 3;
/** Small ones, a fifth of a second each. */
const CLUSTERS = 300;
const STOCK_SCHEDULER = 'the stock kube-scheduler, same Nodes, same pods';
const figures = {
  core: { what: 'stock itself, 5,000 nodes, 50,000 pods, all dimensions', unit: 'ms', bar: { must: '<', than: 5 } },
  coreP99: { what: 'stock itself, 99th percentile', unit: 'ms', bar: { must: '<', than: 20 } },
  one: { what: 'placing one pod, demand asked before', unit: 'ms', bar: { must: '<', than: 0.5 } },
  thousand: { what: 'placing 1,000 pods', unit: 'ms', bar: { must: '<', than: 20 } },
  differ: {
    what: 'random clusters where stock and the real kube-scheduler differ, of 300',
    unit: '',
    bar: { must: '=', than: 0 },
  },
  definition: { what: 'gala stock --definition bj-a -f examples/feed.yaml, start included', unit: 's', bar: { must: '<', than: 1 } },
  following: { what: 'following 50,000 pods, 1,000 changes a second', unit: '% of a core', bar: { must: '<', than: 25 } },
  memory: { what: 'memory of a process that follows 50,000 pods', unit: 'MiB', bar: { must: '<', than: 300 } },
  https: { what: 'stock over HTTPS, 5,000 nodes, 50,000 pods', unit: 'ms', bar: { must: '<', than: 10 } },
  ahead: { what: 'placing 1,000 pods one by one, over asking for 1,000', unit: '×', bar: { must: '≥', than: 1000 } },
  filtered1: { what: 'pinned pods with our filter, 1,000 nodes, of those without', unit: '%', bar: { must: '≥', than: 80 } },
  filtered5: { what: 'pinned pods with our filter, 5,000 nodes, of those without', unit: '%', bar: { must: '≥', than: 80 } },
  gated1: { what: 'pods through the gate, 1,000 nodes, with an address each', unit: 'pods/s', peer: STOCK_SCHEDULER },
  gated5: { what: 'pods through the gate, 5,000 nodes, with an address each', unit: 'pods/s', peer: STOCK_SCHEDULER },
  gatedRatio: {
    what: "pods through the gate, 5,000 nodes, of the stock kube-scheduler's own rate",
    unit: '%',
    bar: { must: '≥', than: 100 },
  },
  templated: {
    what: "the same, where the pod template brings gate and toleration, of the stock kube-scheduler's own rate",
    unit: '%',
    bar: { must: '≥', than: 100 },
  },
  filter: { what: "the filter's answer, 99th percentile is at most", unit: 'ms', bar: { must: '<', than: 5 } },
  locked: { what: '1,000 addresses in one Lock, of bare concurrent creates', unit: '%', bar: { must: '≥', than: 80 } },
} as const;
type Key = keyof typeof figures;

export const scheduling = defineArea({
  name: 'scheduling',
  doc: 'stock, Locks and the gate at 5,000 nodes, beside the real kube-scheduler; needs the bed; half an hour',
  figures,
  async measure(tools) {
    const alone = { ...inMemory(tools), definition: await ofDefinition(), ...(await following(tools)) };
    const missing = partsOf(['control-plane']).filter((part) => find(part) === undefined);
    if (missing.length === 0) return { ...alone, ...(await onTheBed(tools)) };
    const skipped = { skipped: `the bed lacks ${missing.join(', ')}. ${REMEDY}` };
    const none = Object.fromEntries(Object.keys(figures).map((key) => [key, skipped])) as Record<Key, Measured | Skipped>;
    return { ...none, ...alone };
  },
});

function inMemory(tools: Tools) {
  const { stock, stockP99, one, thousand } = core(LARGE, tools);
  return { core: { runs: stock }, coreP99: { runs: stockP99 }, one: { runs: one }, thousand: { runs: thousand } };
}

async function ofDefinition(): Promise<Measured> {
  const runs: number[] = [];
  for (let run = 0; run < 5; run++)
    runs.push((await runWell(['node', 'lib/cli/gala.js', 'stock', '--definition', 'bj-a', '-f', 'examples/feed.yaml'])).seconds);
  return { runs };
}

async function following({ folder, say }: Tools) {
  const { core, rssMiB } = await followed(folder, { ...LARGE, perSecond: 1000 });
  say(`following: ${(core * 100).toFixed(1)} % of a core, ${rssMiB.toFixed(0)} MiB`);
  return { following: { runs: [core * 100] }, memory: { runs: [rssMiB] } };
}

async function onTheBed(tools: Tools) {
  const differ = await differences(CLUSTERS, tools);
  const https = await overHttps(LARGE, tools);
  const small = await aNight(1000, RUNS, tools);
  const large = await aNight(LARGE.nodes, RUNS, tools);
  const percent = (ours: readonly number[], theirs: readonly number[]) => ours.map((run, at) => (run / theirs[at]!) * 100);
  return {
    differ: { runs: [differ] },
    https: { runs: https },
    ahead: { runs: [(1000 / median(large.default)) * (1000 / median(https))] },
    filtered1: { runs: percent(small.filtered, small.pinned) },
    filtered5: { runs: percent(large.filtered, large.pinned) },
    gated1: { runs: small.gated, peer: small.default },
    gated5: { runs: large.gated, peer: large.default },
    gatedRatio: { runs: percent(large.gated, large.default) },
    templated: { runs: percent(large.templated, large.default) },
    filter: { runs: [small.filterP99 * 1000, large.filterP99 * 1000] },
    locked: { runs: percent(small.locked, small.bare) },
  };
}
