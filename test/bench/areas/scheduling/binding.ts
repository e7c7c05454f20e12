/**
 * Binding: pods a second that the real kube-scheduler binds. The same pods, the same Nodes and the same bed for whoever is
 * compared, one after the other: from the first create to the last binding.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { schedulerConfiguration } from '../../../../constructs/scheduling/configuration.ts';
import { connect } from '../../../../lib/kube/client.ts';
import { PODS } from '../../../../lib/kube/kinds.ts';
import { reflect } from '../../../../lib/kube/reflector.ts';
import { healthy } from '../../../bed/client.ts';
import type { Bed } from '../../../bed/control-plane.ts';
import { hostName } from '../../../bed/hosts.ts';
import { type Started, until } from '../../../bed/process.ts';
import { each, must } from './bare-nodes.ts';

/** More than any of the compared reaches: the client's own limit must not be what is measured. */
const UNTHROTTLED = { qps: 5000, burst: 5000 };

/** Starts the real kube-scheduler for pods that ask for `schedulerName`; ready when this resolves. */
export async function startKubeScheduler(
  bed: Bed,
  { schedulerName, port, extenderPort }: { schedulerName: string; port: number; extenderPort?: number },
): Promise<Started> {
  const made = schedulerConfiguration({
    leaseNamespace: 'default',
    ...UNTHROTTLED,
    ...(extenderPort === undefined ? {} : { extender: { port: extenderPort } }),
  });
  const config = {
    ...made,
    leaderElection: { leaderElect: false },
    clientConnection: { ...made.clientConnection, kubeconfig: bed.kubeconfig },
    profiles: [{ schedulerName }],
  };
  const file = join(bed.folder, `${schedulerName}.yaml`);
  writeFileSync(file, stringify(config));
  const scheduler = bed.run('kube-scheduler', ['--config', file, '--bind-address', bed.network.host, '--secure-port', String(port)]);
  await until('ready', scheduler, 60, () => healthy(`https://${bed.network.address}:${port}/readyz`));
  return scheduler;
}

export interface Batch {
  /** Of its pods, so that batches don't mix: a name prefix and the label `batch`. */
  readonly name: string;
  readonly count: number;
  readonly schedulerName: string;
  /** Pinned to a node each, in turn over the first so many: as the lock writer pins. @default none is */
  readonly pinnedOver?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hostNetwork?: boolean;
  /** Of the pod's spec, what the fields above don't say. @default none */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Sent with each create. @default none */
  readonly headers?: Record<string, string>;
  /** @default 300 */
  readonly seconds?: number;
}

/** Makes a batch of pods, waits until all are bound, and clears them away. @returns pods a second */
export async function bound(bed: Bed, batch: Batch): Promise<number> {
  const { name, count, seconds = 300 } = batch;
  const api = await connect({ kubeconfig: bed.kubeconfig });
  const ending = new AbortController();
  const pods = reflect(api, PODS, {
    ...{ namespace: 'default', labelSelector: `batch=${name}`, signal: ending.signal },
    keep: ({ spec }) => spec?.nodeName !== undefined,
  });
  try {
    await pods.synced;
    let lastMs = 0;
    let onNodes = 0;
    const all = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${name}: ${onNodes} of ${count} pods are bound after ${seconds} s`)), seconds * 1000);
      pods.on({
        updated(before, after) {
          if (before || !after) return;
          lastMs = performance.now();
          if (++onNodes === count) {
            clearTimeout(late);
            resolve();
          }
        },
      });
    });
    const began = performance.now();
    await Promise.all([
      each(count, (index) => must(bed.request('POST', '/api/v1/namespaces/default/pods', aPod(batch, index), batch.headers), 201)),
      all,
    ]);
    return count / ((lastMs - began) / 1000);
  } finally {
    ending.abort();
    await pods.stopped;
    api.close();
    await must(bed.request('DELETE', `/api/v1/namespaces/default/pods?labelSelector=batch%3D${name}&gracePeriodSeconds=0`), 200);
  }
}

function aPod({ name, schedulerName, pinnedOver, annotations, hostNetwork, spec }: Batch, index: number) {
  const pinned =
    pinnedOver === undefined
      ? {}
      : {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [hostName(index % pinnedOver)] }] }],
              },
            },
          },
        };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index}`, labels: { batch: name }, annotations },
    spec: {
      schedulerName,
      ...pinned,
      ...spec,
      hostNetwork,
      containers: [{ name: 'main', image: 'main:1', resources: { requests: { cpu: '100m', memory: '128Mi' } } }],
    },
  };
}
