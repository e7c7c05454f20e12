/** The metrics every program has: calls by verb, kind and code; queues; reflectors; who leads. */
import type { Registry } from 'prom-client';
import type { Api } from './client.ts';
import type { Election } from './election.ts';
import type { WorkQueue } from './queue.ts';
import type { Reflector } from './reflector.ts';

export interface Metrics {
  readonly registry: Registry;
  /** The same client, its calls counted and timed. */
  api(api: Api): Api;
  queue(name: string, queue: Pick<WorkQueue, 'depth' | 'running'>): void;
  reflector(name: string, reflector: Reflector<unknown>): void;
  election(name: string, election: Election): void;
}

/** Loads prom-client when it is called; a program that wants no metrics does not pay for it. */
export async function metrics(_registry?: Registry): Promise<Metrics> {
  throw new Error('not yet');
}
