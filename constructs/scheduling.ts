/**
 * Concern `scheduling`: what a definition says of it, what is wrong with that, and the construct that it becomes.
 */
import type { Cluster } from '../lib/api/cluster.ts';
import { integer, oneOf, text } from '../lib/api/field.ts';
import { SUBDOMAIN } from '../lib/api/fields.ts';
import { defineConcern } from './concern.ts';
import { Scheduling } from './scheduling/scheduling.ts';

const options = {
  replicas: integer({
    doc: 'How many schedulers run, each on a control-plane node or one labelled `gala.internal/system` of its own; one leads.',
    noun: 'the number of schedulers',
    min: 1,
    max: 5,
    default: 2,
    remedy: 'One where a single node can run it, else two; more only wait.',
    example: 1,
  }),
  prometheus: text({
    doc: 'Where live use of nodes is asked: the URL of a Prometheus, without `/api/v1`. Left out: what pods ask for is what counts.',
    max: 1024,
    pattern: /^https?:\/\/[^\s@?#]+$/,
    noun: 'a URL without user, password or query',
    remedy: 'Secrets never stand in a definition.',
    example: 'https://prom.bj.intra',
  }).optional(),
  missingSamples: oneOf(['assume-requested', 'refuse'], {
    doc: 'What a node without a fresh sample means: as much use as was asked for, or no place for anything. Of use with `prometheus`; `assume-requested` when left out.',
    example: 'refuse',
  }).optional(),
  sampleMaxAgeSeconds: integer({
    doc: 'An older sample is none. Of use with `prometheus`; 60 when left out.',
    noun: 'sampleMaxAgeSeconds',
    min: 5,
    max: 3600,
    example: 60,
  }).optional(),
  apiCertificate: text({
    doc: 'Secret of `gala-system` that the stock and lock API serves with (`tls.crt`, `tls.key`, and `ca.crt` for callers). Left out: an authority of its own, kept and renewed by itself.',
    min: 1,
    max: 253,
    pattern: SUBDOMAIN,
    noun: 'the name of a Secret',
    remedy: 'Bring the Secret by your own means: none is rendered.',
    example: 'gala-api-tls',
  }).optional(),
  unlockedPods: oneOf(['refuse', 'score'], {
    doc: 'Pods of `gala-scheduler` that name no Lock: `refuse` has each wait for a slot, as all do; `score` leaves them to kube-scheduler, which asks the inventory about every node, and costs what docs/constructs/scheduling.md says. `refuse` when left out.',
    example: 'score',
  }).optional(),
};

export const scheduling = defineConcern({
  name: 'scheduling',
  options,
  check({ prometheus, missingSamples, sampleMaxAgeSeconds, unlockedPods }, cluster, problem) {
    for (const [option, value] of Object.entries({ missingSamples, sampleMaxAgeSeconds }))
      if (value !== undefined && prometheus === undefined)
        problem(option, 'samples are spoken of, and none are taken', {
          got: value,
          allowed: 'together with prometheus',
          remedy: `Give prometheus, or leave ${option} out.`,
          severity: 'warning',
        });
    if (unlockedPods === 'score' && givesAddresses(cluster))
      problem('unlockedPods', 'a pod without a slot has no address, and is not wired', {
        got: unlockedPods,
        allowed: 'refuse, or a cluster whose pods another CNI wires',
        remedy: "Leave it out, or say whose network it is: existing: { cni: 'calico' }.",
      });
  },
  render(scope, options) {
    new Scheduling(scope, 'scheduler', options);
  },
});

/** Whether pods of some pool get their addresses from Gala. */
const givesAddresses = ({ pools }: Cluster): boolean => pools.some(({ cni }) => cni === undefined);
