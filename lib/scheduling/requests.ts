/**
 * What a pod asks of its node's resources, summed as kube-scheduler 1.37 sums it: PodRequests in component-helpers,
 * resource/helpers.go, after the API server's defaulting (SetDefaults_Pod in pkg/apis/core/v1/defaults.go).
 */
import { spell } from '../api/issue.ts';
import { toMilli, toNumber } from '../api/quantity.ts';
import { below, type Fields, type Reader } from './reading.ts';

/** Whole numbers by resource: thousandths of a CPU, bytes, pieces. */
export type Amounts = Map<string, number>;

/**
 * 2^50: a pebibyte. More is no node's, and whole numbers up to here can be summed by the thousand without losing any.
 */
export const MOST_AMOUNT = 2 ** 50;

/** Resources that a pod may ask for as a whole (PodLevelResources, on by default since 1.34). */
const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name);
const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
/** Of these a request may lie below its limit. */
const mayOvercommit = (name: string): boolean => name === 'cpu' || name === 'memory' || name === 'ephemeral-storage';

/**
 * Containers and native sidecars together, or an init container with the sidecars before it where that is more; the pod's own
 * `resources` instead of that where it has them; and the overhead of its RuntimeClass.
 * @param path of the pod's spec, for problems
 */
export function requestsOf(spec: Fields, read: Reader, path: string): Amounts {
  const total = ofContainers(spec, read, path);
  for (const [name, amount] of ofPodLevel(spec, total, read, path)) total.set(name, amount);
  add(total, amounts(spec.overhead, read, `${path}.overhead`));
  for (const [name, amount] of total) if (amount > MOST_AMOUNT) total.set(name, MOST_AMOUNT);
  return total;
}

/** KEP-753: an init container runs beside the sidecars that were started before it. */
function ofContainers(spec: Fields, read: Reader, path: string): Amounts {
  const total: Amounts = new Map();
  const containers = read.items(spec.containers, `${path}.containers`);
  if (containers.length === 0) read.wrong(`${path}.containers`, 'the pod has no container', spec.containers, 'at least one');
  for (const { item, path } of containers) add(total, ofContainer(item, read, path));

  const sidecars: Amounts = new Map();
  const most: Amounts = new Map();
  for (const { item, path: at } of read.items(spec.initContainers, `${path}.initContainers`)) {
    const asked = ofContainer(item, read, at);
    if (item.restartPolicy === 'Always') {
      add(total, asked);
      add(sidecars, asked);
      raise(most, sidecars);
    } else {
      add(asked, sidecars);
      raise(most, asked);
    }
  }
  raise(total, most);
  return total;
}

function ofContainer(container: Fields, read: Reader, path: string): Amounts {
  const resources = read.fields(container.resources, `${path}.resources`);
  const requests = amounts(resources.requests, read, `${path}.resources.requests`);
  const limits = amounts(resources.limits, read, `${path}.resources.limits`);
  checkAgainstLimits(requests, limits, read, `${path}.resources.requests`);
  return withDefaults(requests, limits);
}

function checkAgainstLimits(requests: Amounts, limits: Amounts, read: Reader, path: string): void {
  for (const [name, request] of requests) {
    const limit = limits.get(name);
    if (!mayOvercommit(name) && request !== (limit ?? -1))
      read.wrong(below(path, name), `${name} is requested without the same limit`, request, 'its request equals its limit', 'Set both.');
    else if (limit !== undefined && request > limit)
      read.wrong(below(path, name), `the request for ${name} is above its limit`, request, 'at most the limit', 'Raise the limit.');
  }
}

/** What has a limit and no request requests its limit. */
function withDefaults(requests: Amounts, limits: Amounts): Amounts {
  for (const [name, limit] of limits) if (!requests.has(name)) requests.set(name, limit);
  return requests;
}

/** defaultPodRequests: with limits for the pod, what its containers ask stands for a request that is missing, else the limit. */
function ofPodLevel(spec: Fields, ofContainers: Amounts, read: Reader, path: string): Amounts {
  const at = `${path}.resources`;
  const resources = read.fields(spec.resources, at);
  const [requests, limits] = [podLevel(resources.requests, read, `${at}.requests`), podLevel(resources.limits, read, `${at}.limits`)];
  for (const [name, amount] of requests)
    if (amount < (ofContainers.get(name) ?? 0))
      read.wrong(below(`${at}.requests`, name), `the pod requests less ${name} than its containers do`, amount, 'at least their sum');
  if (limits.size === 0) return requests;
  for (const [name, amount] of ofContainers) if (!requests.has(name) && isPodLevel(name) && mayOvercommit(name)) requests.set(name, amount);
  checkAgainstLimits(requests, limits, read, `${at}.requests`);
  return withDefaults(requests, limits);
}

function podLevel(list: unknown, read: Reader, path: string): Amounts {
  const found = amounts(list, read, path);
  for (const name of found.keys()) {
    if (isPodLevel(name)) continue;
    read.wrong(
      below(path, name),
      `a pod as a whole can't ask for ${name}`,
      name,
      'cpu, memory and hugepages',
      'Ask for it in a container.',
    );
    found.delete(name);
  }
  return found;
}

/** A ResourceList. What can't be read is left out, and told. */
export function amounts(list: unknown, read: Reader, path: string): Amounts {
  const found: Amounts = new Map();
  for (const [name, quantity] of Object.entries(read.fields(list, path))) {
    const at = below(path, name);
    if (!mayOvercommit(name) && !isHugePages(name) && !name.includes('/')) {
      const allowed = 'cpu, memory, ephemeral-storage, hugepages-<size>, or a name with a domain such as nvidia.com/gpu';
      read.wrong(at, `${spell(name)} is no resource of a container`, name, allowed, 'Correct the name.');
      continue;
    }
    const amount = amountOf(name, quantity, read, at);
    if (amount !== undefined) found.set(name, amount);
  }
  return found;
}

/** A quantity as a whole number, rounded up as kube-scheduler does (Quantity.MilliValue, Quantity.Value). */
export function amountOf(name: string, quantity: unknown, read: Reader, path: string): number | undefined {
  const allowed = "a quantity of 0 or more, such as 2, '500m' or '4Gi'";
  if (typeof quantity !== 'string' && typeof quantity !== 'number') {
    read.wrong(path, `${name} is ${spell(quantity)}`, quantity, allowed, 'Write a number with its unit.');
    return undefined;
  }
  if (/^-/.test(String(quantity))) {
    read.wrong(path, `${name} is ${spell(quantity)}, which is negative`, quantity, allowed, 'Leave it out, or ask for some.');
    return undefined;
  }
  const amount = numberOf(name, quantity);
  if (amount === undefined) {
    read.wrong(path, `${name} is ${spell(quantity)}, which is no quantity`, quantity, allowed, 'Write a number with its unit.');
    return undefined;
  }
  if (amount <= MOST_AMOUNT) return amount;
  read.wrong(path, `${name} is ${spell(quantity)}, more than any node has`, quantity, 'at most 1Pi', 'Mind the unit.');
  return MOST_AMOUNT;
}

function numberOf(name: string, quantity: string | number): number | undefined {
  try {
    return name === 'cpu' ? toMilli(quantity) : Math.ceil(toNumber(quantity));
  } catch {
    return undefined;
  }
}

function add(to: Amounts, more: Amounts): void {
  for (const [name, amount] of more) to.set(name, (to.get(name) ?? 0) + amount);
}

function raise(to: Amounts, least: Amounts): void {
  for (const [name, amount] of least) if (amount > (to.get(name) ?? 0)) to.set(name, amount);
}
