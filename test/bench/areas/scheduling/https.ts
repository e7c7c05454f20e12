/** Stock over HTTPS: the API of `gala scheduler` on a real socket, its callers judged by a real API server, over a fleet in memory. */
import { Agent, request } from 'node:https';
import { Lock } from '../../../../lib/api/kinds.ts';
import { connect } from '../../../../lib/kube/client.ts';
import { kindOf } from '../../../../lib/kube/kinds.ts';
import { reflect } from '../../../../lib/kube/reflector.ts';
import { runStockApi } from '../../../../lib/scheduling/http/run.ts';
import { podTemplateOf } from '../../../../lib/scheduling/pod-template.ts';
import { startControlPlane } from '../../../bed/control-plane.ts';
import { until } from '../../../bed/process.ts';
import type { Tools } from '../../area.ts';
import { aFleet, type FleetSize } from './a-fleet.ts';

const TIMES = 300;

/** What a pipeline asks: a spec with every kind of supply, spread over racks. */
const QUESTION = {
  namespace: 'feed',
  owner: 'feed-api',
  strategy: 'spread',
  maxPer: { rack: '30%' },
  template: {
    metadata: {
      labels: { app: 'feed-api' },
      annotations: { 'kubernetes.io/egress-bandwidth': '200M', 'kubernetes.io/ingress-bandwidth': '100M' },
    },
    spec: {
      containers: [
        {
          name: 'feed',
          image: 'feed:1',
          resources: { requests: { cpu: '2', memory: '4Gi', 'ephemeral-storage': '10Gi' } },
        },
      ],
    },
  },
};

/** @returns milliseconds from question to answer, one value a question */
export async function overHttps(size: FleetSize, { say }: Tools): Promise<number[]> {
  const inventory = aFleet(size);
  const bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
  const ending = new AbortController();
  const api = await connect({ kubeconfig: bed.kubeconfig });
  try {
    await bed.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gala-system' } }]);
    const locks = reflect(api, kindOf(Lock), { signal: ending.signal, missing: 'empty' });
    const running = runStockApi({
      ...{ api, world: { inventory, locks }, namespace: 'gala-system', bindAddress: '127.0.0.1', port: 0, version: '0.0.0' },
      ...{ ages: () => ({ snapshotMs: 0 }), signal: ending.signal },
      templateOf: (namespace, from, signal) => podTemplateOf(api, namespace, from, { signal }),
    });
    await until('serving', [], 60, async () => running.wrong() === undefined);
    const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
    const took: number[] = [];
    for (let time = 0; time < TIMES; time++) {
      const began = performance.now();
      const { status, body } = await post(agent, running.port, bed.token);
      took.push(performance.now() - began);
      if (status !== 200) throw new Error(`HTTP ${status}: ${body}`);
      if (time === 0) say(`${size.nodes} nodes, ${size.pods} pods: ${(JSON.parse(body) as { count: number }).count} fit`);
    }
    agent.destroy();
    ending.abort();
    await running.done;
    // The first answers are made by code that V8 has not compiled yet.
    return took.slice(20);
  } finally {
    ending.abort();
    api.close();
    await bed.stop();
  }
}

function post(agent: Agent, port: number, token: string): Promise<{ status: number; body: string }> {
  const text = JSON.stringify(QUESTION);
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const asked = request({ agent, host: '127.0.0.1', port, path: '/v1/stock', method: 'POST', headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(text);
  });
}
