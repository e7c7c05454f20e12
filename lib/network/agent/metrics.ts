/** What `gala cni` counts, beside what every program does: calls by verb and code, what is wired, what the round mended. */
import type { Registry } from 'prom-client';

export interface CniMetrics {
  /** @param code 0: done */
  call(verb: string, code: number, ms: number): void;
  step(did: string): void;
}

/** @param wired how many attachments the journal has */
export async function cniMetrics(registry: Registry, wired: () => number): Promise<CniMetrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client');
  const registers = [registry];
  const calls = new Histogram({
    name: 'gala_cni_call_seconds',
    help: 'Calls of the runtime, from the whole request to the answer; code 0: done, else that of the CNI error.',
    labelNames: ['verb', 'code'] as const,
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3, 10, 30],
    registers,
  });
  const steps = new Counter({
    name: 'gala_cni_round_steps_total',
    help: 'What the round did: collect, unlink, release, adopt, repair, leaked.',
    labelNames: ['step'] as const,
    registers,
  });
  new Gauge({
    name: 'gala_cni_attachments',
    help: 'Links of pods that the journal knows of.',
    registers,
    collect() {
      this.set(wired());
    },
  });
  return {
    call: (verb, code, ms) => calls.observe({ verb, code: String(code) }, ms / 1000),
    step: (step) => steps.inc({ step }),
  };
}
