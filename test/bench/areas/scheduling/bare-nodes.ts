/**
 * Bare Nodes: thousands of Ready Nodes without kubelet, kwok or node controller, so that the two cores are left to what is
 * measured. Nothing takes their Ready condition away, because nothing that would do so runs.
 */
import { POOL_LABEL } from '../../../../lib/api/model.ts';
import type { Bed } from '../../../bed/control-plane.ts';
import { aHost, hostName } from '../../../bed/hosts.ts';

/** Requests at once: as many as the API server takes without queueing. */
export const AT_ONCE = 32;

/** Makes `count` hosts of the pool `web`, and the account that the API server asks of every pod. */
export async function makeBareNodes(bed: Bed, count: number): Promise<void> {
  await must(bed.request('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } }), 201, 409);
  const now = new Date().toISOString();
  await each(count, async (index) => {
    const host = aHost(index, now);
    const labels = { ...host.metadata.labels, [POOL_LABEL]: 'web' };
    await must(bed.request('POST', '/api/v1/nodes', { ...host, metadata: { ...host.metadata, labels } }), 201);
    // The API server taints every new Node until a controller has seen it Ready; none runs here.
    const merge = { 'content-type': 'application/merge-patch+json' };
    await must(bed.request('PATCH', `/api/v1/nodes/${hostName(index)}`, { spec: { taints: null } }, merge), 200);
  });
}

/** Acts on 0 to `count` - 1, so many at a time. */
export async function each(count: number, act: (index: number) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await act(index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** @throws {Error} with what the API server said, when its answer is none of `statuses` */
export async function must(asked: ReturnType<Bed['request']>, ...statuses: readonly number[]): Promise<void> {
  const { status, body } = await asked;
  if (!statuses.includes(status)) throw new Error(`HTTP ${status}: ${body?.message ?? body}`);
}
