/** All areas of the benchmark command. An area joins here; the list, the command and the docs' table then have it. */
import type { Area } from './area.ts';
import { apiserver } from './areas/apiserver.ts';
import { gate } from './areas/gate.ts';
import { kube } from './areas/kube.ts';
import { network } from './areas/network.ts';
import { problems } from './areas/problems.ts';
import { scheduling } from './areas/scheduling.ts';
import { synth } from './areas/synth.ts';

export const AREAS: readonly Area[] = [synth, gate, problems, apiserver, kube, scheduling, network];
