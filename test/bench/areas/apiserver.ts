/** Area `apiserver`: every object of every example cluster, given to a real API server: a fresh one for each cluster. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readSynth } from '../../../lib/gate/read-synth.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { find, partsOf, REMEDY } from '../../bed/parts.ts';
import { defineArea, type Tools } from '../area.ts';
import { runWell } from '../child.ts';
import { SYNTH } from '../project.ts';

const KUBECTL = 'kubectl apply, on another fresh one';
const NONE = { must: '=', than: 0 } as const;

export const apiserver = defineArea({
  name: 'apiserver',
  doc: 'all example clusters on a real API server, strict; needs the bed',
  figures: {
    refused: { what: 'objects refused, all example clusters', unit: '', bar: NONE },
    warned: { what: 'objects warned about, all example clusters', unit: '', bar: NONE },
    again: { what: 'objects changed by applying them again', unit: '', bar: NONE },
    seconds: { what: 'applying them one after the other', unit: 's', peer: KUBECTL },
    start: { what: 'start of a control plane, until it makes pods', unit: 's' },
  },
  async measure(tools) {
    const missing = partsOf(['control-plane']).filter((part) => find(part) === undefined);
    if (missing.length > 0) {
      const skipped = { skipped: `the bed lacks ${missing.join(', ')}. ${REMEDY}` };
      return { refused: skipped, warned: skipped, again: skipped, seconds: skipped, start: skipped };
    }
    return applied(tools);
  },
});

async function applied({ say, folder }: Tools) {
  const dist = join(folder, 'dist');
  await runWell([...SYNTH, '--output', dist]);
  const clusters = (await readdir(dist, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const total = { refused: 0, warned: 0, again: 0, seconds: 0, peer: 0 };
  const starts: number[] = [];
  const fresh = async <T>(use: (bed: Bed) => Promise<T>): Promise<T> => {
    const start = performance.now();
    const bed = await startControlPlane();
    starts.push((performance.now() - start) / 1000);
    try {
      return await use(bed);
    } finally {
      await bed.stop();
    }
  };
  for (const name of clusters) {
    const cluster = join(dist, name);
    const ours = await fresh((bed) => ourApply(bed, cluster, say));
    total.refused += ours.refused;
    total.warned += ours.warned;
    total.again += ours.again;
    total.seconds += ours.seconds;
    total.peer += await fresh((bed) => kubectlApply(bed, cluster));
    say(`${name}: ${ours.objects} objects in ${ours.seconds.toFixed(2)} s, ${ours.refused} refused, ${ours.warned} warned about`);
  }
  return {
    refused: { runs: [total.refused] },
    warned: { runs: [total.warned] },
    again: { runs: [total.again] },
    seconds: { runs: [total.seconds], peer: [total.peer] },
    start: { runs: starts },
  };
}

async function ourApply(bed: Bed, cluster: string, say: Tools['say']) {
  const objects = readSynth(cluster).objects.map(({ object }) => object);
  if (objects.length === 0) throw new Error(`${cluster} holds no objects`);
  const start = performance.now();
  const first = await bed.apply(objects);
  const seconds = (performance.now() - start) / 1000;
  const second = await bed.apply(objects);
  const refused = first.filter(({ result }) => result === 'refused');
  const warned = first.filter(({ warnings }) => warnings.length > 0);
  const again = second.filter(({ result }) => result !== 'unchanged');
  for (const { object, message } of refused) say(`refused: ${object}: ${message}`);
  for (const { object, warnings } of warned) say(`warned about: ${object}: ${warnings.join('; ')}`);
  for (const { object, result } of again) say(`applied again: ${object}: ${result}`);
  return { objects: objects.length, seconds, refused: refused.length, warned: warned.length, again: again.length };
}

/** As the README says it: kinds first, then the folder. */
async function kubectlApply(bed: Bed, cluster: string): Promise<number> {
  const start = performance.now();
  for (const args of [
    ['apply', '--server-side', '-f', join(cluster, '10-crds.yaml')],
    ['wait', '--for=condition=Established', 'crd', '-l', 'app.kubernetes.io/part-of=gala'],
    ['apply', '--server-side', '-f', cluster],
  ]) {
    const { code, stderr } = await bed.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
  }
  return (performance.now() - start) / 1000;
}
