/**
 * What `gala scheduler` counts, beside what every program does: answers of the extender and of the API, how old they are, and what
 * the lock writer decides and writes.
 */
import type { Registry } from 'prom-client';
import type { ExtenderOptions } from './extender.ts';
import type { HttpApiOptions } from './http/api.ts';
import type { WriterOptions } from './writer/run.ts';

export interface SchedulerMetrics {
  readonly onVerified: NonNullable<ExtenderOptions['onAnswer']>;
  readonly onAnswer: NonNullable<HttpApiOptions['onAnswer']>;
  readonly onNote: NonNullable<WriterOptions['onNote']>;
  readonly onCall: NonNullable<WriterOptions['onCall']>;
  /** Asked when the metrics are. */
  ages(now: HttpApiOptions['ages']): void;
  /** Unix milliseconds. */
  certificateEnds(untilMs: number): void;
}

export async function schedulerMetrics(registry: Registry): Promise<SchedulerMetrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client');
  const registers = [registry];
  // From what a cached answer takes to the deadlines.
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10];
  const verified = new Histogram({
    ...{ name: 'gala_extender_seconds', help: 'Answers to kube-scheduler, by outcome, and whether the API server was asked.' },
    // Finer about 5 ms, which its 99th percentile must stay below.
    ...{
      labelNames: ['outcome', 'live'] as const,
      buckets: [0.001, 0.002, 0.003, 0.004, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10],
      registers,
    },
  });
  const answered = new Histogram({
    ...{ name: 'gala_stock_api_seconds', help: 'Answers of the stock and lock API, by operation and status; waiting for Locks included.' },
    ...{ labelNames: ['operation', 'status'] as const, buckets, registers },
  });
  const ends = new Gauge({
    ...{ name: 'gala_stock_api_certificate_end_timestamp_seconds', help: 'When the certificate that the API serves with ends.', registers },
  });
  const pinned = new Histogram({
    ...{ name: 'gala_lock_writer_pin_seconds', help: 'From hearing of a gated pod to letting it through, pinned.' },
    ...{ buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300], registers },
  });
  const slots = new Counter({
    ...{ name: 'gala_lock_writer_slots_total', help: 'Slots that were found, for Locks and for loose pods.' },
    ...{ labelNames: ['of'] as const, registers },
  });
  const refused = new Counter({
    ...{ name: 'gala_lock_writer_refused_total', help: 'Locks and pods that got no slot, by reason.' },
    ...{ labelNames: ['of', 'reason'] as const, registers },
  });
  const calls = new Counter({
    ...{ name: 'gala_lock_writer_calls_total', help: 'Calls of the lock writer, by what they do to which kind, and how they ended.' },
    ...{ labelNames: ['do', 'kind', 'outcome'] as const, registers },
  });
  return {
    onNote(said) {
      if (said.note === 'pinned') pinned.observe(said.waitedMs / 1000);
      if (said.note === 'decided') slots.inc({ of: said.of }, said.slots);
      if (said.note === 'refused') refused.inc({ of: said.of, reason: said.reason });
    },
    onCall: ({ call }, outcome) => calls.inc({ do: call.do, kind: call.kind, outcome }),
    onVerified: ({ outcome, live, seconds }) => verified.observe({ outcome, live: String(live) }, seconds),
    onAnswer: ({ operation, status, seconds }) => answered.observe({ operation, status: String(status) }, seconds),
    certificateEnds: (untilMs) => ends.set(untilMs / 1000),
    ages(now) {
      new Gauge({
        ...{ name: 'gala_snapshot_age_seconds', help: 'Since the least fresh kind of object was heard of.', registers },
        collect() {
          const { snapshotMs } = now();
          if (Number.isFinite(snapshotMs)) this.set(snapshotMs / 1000);
        },
      });
      new Gauge({
        ...{ name: 'gala_samples_age_seconds', help: 'Since live use of nodes was measured; absent where none is.', registers },
        collect() {
          const { samplesMs } = now();
          this.reset();
          if (samplesMs !== undefined) this.set(samplesMs / 1000);
        },
      });
    },
  };
}
