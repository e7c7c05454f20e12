/** What `gala stock` says of the question that a Lock has Failed by: counted and told by the same functions. */
import type { Api } from '../kube/client.ts';
import type { Asked } from './lock-object.ts';
import { BadInput } from './output.ts';
import type { Pods } from './pod-file.ts';
import { stockIn } from './stock-of-cluster.ts';
import type { StockAnswer } from './stock-text.ts';

/**
 * @returns what is wrong with the question, where that is known only now; undefined where it is not for us to see, or not now: what
 * the Lock says is told without
 */
export async function stockFor(
  api: Api,
  { namespace, spec }: Pick<Asked, 'namespace' | 'spec'>,
  pods: Pods,
  options: { readonly leaseNamespace: string },
): Promise<StockAnswer | string | undefined> {
  const { strategy, maxPer, near, count, owner } = spec;
  const how = { strategy, ...(maxPer === undefined ? {} : { maxPer }), ...(near === undefined ? {} : { near }), count };
  // The Lock's owner gets back what is Held for it.
  return stockIn(api, { ...pods, name: owner }, namespace, how, options).catch((error: unknown) =>
    error instanceof BadInput ? error.message : undefined,
  );
}
