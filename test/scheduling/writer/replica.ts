/**
 * One replica of the lock writer as a process, with nothing beside it, so that kill -9 kills all of it. Its clock may run faster
 * than everybody's: minutes of ttl and hold pass in seconds. Arguments: one JSON object, a `ReplicaOptions`.
 */

import { WRITER_LEASE } from '../../../lib/api/scheduling.ts';
import { connect } from '../../../lib/kube/client.ts';
import { type Clock, monotonic } from '../../../lib/kube/clock.ts';
import { elect } from '../../../lib/kube/election.ts';
import { recorder } from '../../../lib/kube/events.ts';
import { logger } from '../../../lib/kube/log.ts';
import { program } from '../../../lib/kube/program.ts';
import { watchWorld } from '../../../lib/scheduling/world.ts';
import { runWriter } from '../../../lib/scheduling/writer/run.ts';

export interface ReplicaOptions {
  readonly kubeconfig: string;
  readonly name: string;
  /** How much faster the lock writer's clock runs. @default 1 */
  readonly speed?: number;
  readonly looseHoldMs?: number;
  /** Of the Lease. @default client-go's */
  readonly leaseMs?: number;
  readonly renewMs?: number;
  readonly retryMs?: number;
}

const options: ReplicaOptions = JSON.parse(process.argv[2]!);
const { kubeconfig, name, speed = 1, looseHoldMs, leaseMs, renewMs, retryMs } = options;
const clock: Clock = { now: () => monotonic.now() * speed, after: (ms, act) => monotonic.after(ms / speed, act) };

await program({
  name,
  log: logger({ level: 'debug' }),
  main: async (signal, log) => {
    const api = await connect({ kubeconfig, userAgent: 'gala-scheduler/test' });
    const world = watchWorld(api, { signal, log });
    const events = recorder(api, 'gala.internal/lock-writer', { log });
    const election = elect(api, {
      ...{ namespace: 'default', name: WRITER_LEASE, identity: `${name}-${process.pid}`, log, leaseMs, renewMs, retryMs },
      onLead: (leading) =>
        runWriter({ api, world, recorder: events, log, clock, looseHoldMs, signal: leading, isLeader: () => election.isLeader() }),
    });
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await election.stop();
    await events.flush();
    await world.stopped;
    api.close();
  },
});
