/** The metrics every program has: calls by verb, kind and code; queues; reflectors; who leads. */
import type { Registry } from 'prom-client';
import { type Api, type Call, withVerbs } from './client.ts';
import type { Election } from './election.ts';
import { ApiError } from './error.ts';
import type { WorkQueue } from './queue.ts';
import type { Reflector } from './reflector.ts';

type Queue = Pick<WorkQueue, 'depth' | 'running'> & Partial<Pick<WorkQueue, 'counts'>>;

export interface Metrics {
  readonly registry: Registry;
  /** The same client, its calls counted and timed. */
  api(api: Api): Api;
  queue(name: string, queue: Queue): void;
  reflector(name: string, reflector: Reflector<unknown>): void;
  election(name: string, election: Election): void;
}

/** A call takes a few milliseconds; one that reads everything, seconds. */
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Loads prom-client when it is called; a program that wants no metrics does not pay for it. */
export async function metrics(registry?: Registry): Promise<Metrics> {
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry: NewRegistry } = await loaded();
  const register = registry ?? new NewRegistry();
  const registers = [register];
  if (!registry) collectDefaultMetrics({ register });

  /** A metric whose values are read when somebody asks for them. */
  const read = <Of>(type: 'Gauge' | 'Counter', label: string, of: ReadonlyMap<string, Of>) => {
    const Type = type === 'Gauge' ? Gauge : Counter;
    return (name: string, help: string, value: (of: Of) => number) => {
      new Type({
        ...{ name, help, registers, labelNames: [label] },
        collect() {
          this.reset();
          for (const [key, each] of of) this.inc({ [label]: key }, value(each));
        },
      });
    };
  };

  const calls = new Counter({
    ...{ name: 'gala_api_requests_total', help: 'Calls to the API server, by verb, kind and status; code 0: no answer.' },
    ...{ registers, labelNames: ['verb', 'kind', 'code'] as const },
  });
  const seconds = new Histogram({
    ...{ name: 'gala_api_request_duration_seconds', help: 'From a call to the end of its answer; of a watch to its beginning.' },
    ...{ registers, labelNames: ['verb'] as const, buckets: CALL_SECONDS },
  });
  async function timed<T>(call: Call, send: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> {
    const verb = call.verb ?? call.method.toLowerCase();
    const began = performance.now();
    const count = (code: number) => {
      calls.inc({ verb, kind: call.kind ?? '', code: String(code) });
      seconds.observe({ verb }, (performance.now() - began) / 1000);
    };
    try {
      const answer = await send();
      count(codeOf(answer));
      return answer;
    } catch (error) {
      count(error instanceof ApiError ? error.status : 0);
      throw error;
    }
  }

  const queues = new Map<string, Queue>();
  const ofQueues = read('Gauge', 'queue', queues);
  ofQueues('gala_queue_depth', 'Keys that wait to be worked on now.', ({ depth }) => depth);
  ofQueues('gala_queue_running', 'Keys that are being worked on.', ({ running }) => running);
  const sumOfQueues = read('Counter', 'queue', queues);
  sumOfQueues('gala_queue_worked_total', 'Times that a key was worked on, however it ended.', ({ counts }) => counts?.worked ?? 0);
  sumOfQueues('gala_queue_failed_total', 'Times that it failed and is tried again.', ({ counts }) => counts?.failed ?? 0);
  sumOfQueues('gala_queue_terminal_total', 'Times that it failed for good.', ({ counts }) => counts?.terminal ?? 0);
  sumOfQueues('gala_queue_work_seconds_total', 'Time spent on keys.', ({ counts }) => (counts?.workedMs ?? 0) / 1000);

  const reflectors = new Map<string, Reflector<unknown>>();
  const ofReflectors = read('Gauge', 'reflector', reflectors);
  ofReflectors('gala_reflector_objects', 'Objects held.', ({ size }) => size);
  ofReflectors('gala_reflector_synced', '1 when everything was read once.', (each) => Number(each.hasSynced()));
  // Until the first word there is no age; Infinity would be taken for one.
  ofReflectors('gala_reflector_stale_seconds', 'Since anything was heard of the kind; -1: never yet.', (each) => {
    const ms = each.staleMs();
    return Number.isFinite(ms) ? ms / 1000 : -1;
  });
  const sumOfReflectors = read('Counter', 'reflector', reflectors);
  sumOfReflectors('gala_reflector_events_total', 'Changes heard by watch.', ({ counts }) => counts.events);
  sumOfReflectors('gala_reflector_reads_total', 'Times that everything was read.', ({ counts }) => counts.reads);
  sumOfReflectors('gala_reflector_watches_total', 'Watches begun.', ({ counts }) => counts.watches);
  sumOfReflectors('gala_reflector_faults_total', 'Reads and watches that failed.', ({ counts }) => counts.faults);

  const elections = new Map<string, Election>();
  read('Gauge', 'election', elections)('gala_leader', '1 in the process that leads.', (each) => Number(each.isLeader()));

  return {
    registry: register,
    api: ({ url, namespace, userAgent, request, stream, close }) =>
      withVerbs({
        ...{ url, namespace, userAgent, close },
        request: (call) =>
          timed(
            call,
            () => request(call),
            ({ status }) => status,
          ),
        stream: (call) =>
          timed(
            call,
            () => stream(call),
            ({ statusCode = 0 }) => statusCode,
          ),
      }),
    queue: (name, queue) => void queues.set(name, queue),
    reflector: (name, reflector) => void reflectors.set(name, reflector),
    election: (name, election) => void elections.set(name, election),
  };
}

/** A CommonJS package has its names under `default` where a bundler put it, and of its own where Node loads it. */
async function loaded() {
  const found = await import('prom-client');
  return found.default ?? found;
}
