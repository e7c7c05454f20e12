/** The concerns that Gala has. */
import { cloud } from './cloud.ts';
import type { Concern } from './concern.ts';
import { network } from './network.ts';
import { scheduling } from './scheduling.ts';

export const CONCERNS: readonly Concern[] = [cloud, network, scheduling];
