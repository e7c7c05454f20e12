/**
 * In-place resize: while a running pod is resized, it counts with the largest of what its spec asks, what the kubelet has
 * allocated and what is in force (KEP-1287; PodRequests with UseStatusResources). A resize that its node can't do counts not.
 *
 * Taken container by container, where kube-scheduler compares the sums: never less than it counts, and the same unless two
 * containers are resized in opposite directions at once. `spec.resources` of the whole pod counts as it stands.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { Manifest } from '../api/manifest.ts';
import { toNumber } from '../api/quantity.ts';

type Pod = Manifest<V1Pod>;
type Requests = Readonly<Record<string, string>>;
type Containers = NonNullable<Pod['spec']>['containers'];
type Container = Containers[number];
interface Spec {
  readonly containers?: Containers;
  readonly initContainers?: Containers;
}

/** The spec with the requests it counts with; the same object where no resize is under way, which is nearly always. */
export function withResize<S extends Spec>(spec: S, status: Pod['status']): S {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  if (statuses.length === 0) return spec;
  const infeasible = status?.conditions?.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible') === true;
  const counted = (container: Container): Container => {
    const now = statuses.find(({ name }) => name === container.name);
    const said = [now?.allocatedResources, now?.resources?.requests].filter((it) => it !== undefined);
    const asked = container.resources?.requests ?? {};
    if (said.every((it) => it.cpu === asked.cpu && it.memory === asked.memory)) return container;
    const { cpu: _cpu, memory: _memory, ...limits } = container.resources?.limits ?? {};
    const { claims: _claims, ...resources } = container.resources ?? {};
    const requests = { ...asked, ...most(infeasible ? said : [asked, ...said]) };
    return { ...container, resources: { ...resources, requests, limits } };
  };
  const containers = mapped(spec.containers, counted);
  const initContainers = mapped(spec.initContainers, counted);
  if (containers === spec.containers && initContainers === spec.initContainers) return spec;
  return { ...spec, containers, initContainers };
}

/** The list itself where no item changes. */
function mapped(list: Containers | undefined, map: (item: Container) => Container): Containers | undefined {
  if (!Array.isArray(list)) return list;
  const result = list.map(map);
  return result.every((item, index) => item === list[index]) ? list : result;
}

/** Only CPU and memory can be resized. */
function most(all: readonly Requests[]): Requests {
  const result: Record<string, string> = {};
  for (const name of ['cpu', 'memory'])
    for (const { [name]: quantity } of all)
      if (quantity !== undefined && (result[name] === undefined || number(quantity) > number(result[name]))) result[name] = quantity;
  return result;
}

function number(quantity: string): number {
  try {
    return toNumber(quantity);
  } catch {
    return 0;
  }
}
