/**
 * Owner identity: whose pods these are, the same over all of a workload's pods and releases. A Held address goes to its own
 * owner's next pod only. Names are as long as they are: 63 and 253 characters fit.
 */

/** What is known of a pod's origin. */
export interface Origin {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly controller?: { readonly kind: string; readonly name: string };
}

/** A pod with a Lock is for whom the Lock says, in the Lock's own namespace, which is the pod's. */
export function lockOwner(namespace: string, lock: { readonly spec: { readonly owner: string } }): string {
  return `${namespace}/${lock.spec.owner}`;
}

/**
 * A pod without a Lock: an ordinal of a StatefulSet gets its own address back, so it owns its; the pods of a Deployment are all
 * alike, over all its ReplicaSets; those of another controller are the controller's, and a bare pod is its own.
 * @returns `<namespace>/<name>`
 * @example looseOwner({ namespace: 'feed', name: 'feed-api-5d9f-x2x', labels: { 'pod-template-hash': '5d9f' }, controller: { kind: 'ReplicaSet', name: 'feed-api-5d9f' } }) // 'feed/feed-api'
 */
export function looseOwner({ namespace, name, labels, controller }: Origin): string {
  if (controller === undefined || controller.kind === 'StatefulSet') return `${namespace}/${name}`;
  const hash = labels?.['pod-template-hash'];
  const tail = `-${hash}`;
  // A ReplicaSet that no Deployment made has no such label on its pods.
  const ofDeployment = controller.kind === 'ReplicaSet' && hash !== undefined && hash !== '' && controller.name.endsWith(tail);
  const workload = ofDeployment ? controller.name.slice(0, -tail.length) : controller.name;
  return `${namespace}/${workload === '' ? controller.name : workload}`;
}
