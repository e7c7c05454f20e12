/**
 * EC2 instance types: what an instance of a type can carry. A committed, dated table, so that synth needs no network.
 * Pure. The definition's checks (more pod ENIs than the type has, unequal ENI plans), stock and the cloud controller's
 * first guess ask here; on a live account DescribeInstanceTypes has the last word.
 */
import { distance } from 'fastest-levenshtein';
import { CARDS, ROWS } from './instance-types-table.ts';

export { TABLE_DATE } from './instance-types-table.ts';

/** One network card; an interface is attached to a card by NetworkCardIndex. */
export interface NetworkCard {
  readonly networkCardIndex: number;
  /** ENIs on this card; on card 0 the node's primary is one of them. */
  readonly networkInterfaces: number;
  readonly peakGbps: number;
}

export interface InstanceType {
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** ENIs, the primary included, over all network cards (MaximumNetworkInterfaces). */
  readonly networkInterfaces: number;
  readonly ipv4PerInterface: number;
  /** What the network always gives, in Gbit/s. */
  readonly baselineGbps: number;
  /** What it gives in bursts; equal to the baseline on types that don't burst. */
  readonly peakGbps: number;
  /** One entry on most types. */
  readonly networkCards: readonly NetworkCard[];
  /** Whether ENIs and EBS volumes use up each other's places. */
  readonly attachments: 'shared' | 'dedicated';
  /**
   * EBS volumes, root included, that fit beside the primary ENI (MaximumEbsAttachments). The NVMe disks that come with
   * a type are taken off already: 27 of the Nitro system's 28 on a c5.large, 26 on a c5d.large.
   */
  readonly ebsVolumes: number;
}

/**
 * The facts of a type.
 * @param name as EC2 writes it, `c5.4xlarge`
 * @returns undefined for a type the table doesn't have (Xen, Mac, newer than `TABLE_DATE`)
 * @example instanceType('c5.4xlarge')?.networkInterfaces // 8
 */
export function instanceType(name: string): InstanceType | undefined {
  // hasOwn: `constructor` is no instance type.
  const row = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
  if (row === undefined) return undefined;
  const [architecture, vcpus, memoryMiB, networkInterfaces, ipv4PerInterface, baselineGbps, peakGbps, attachments, ebsVolumes] = row;
  const runs = CARDS[name] ?? [[1, networkInterfaces, peakGbps] as const];
  const networkCards = runs
    .flatMap(([cards, perCard, peak]) => Array.from({ length: cards }, () => ({ networkInterfaces: perCard, peakGbps: peak })))
    .map((card, networkCardIndex) => ({ networkCardIndex, ...card }));
  return {
    name,
    architecture,
    vcpus,
    memoryMiB,
    networkInterfaces,
    ipv4PerInterface,
    baselineGbps,
    peakGbps,
    networkCards,
    attachments,
    ebsVolumes,
  };
}

/**
 * The name in the table that is most like the given one, for "did you mean"; among equals the first by name.
 * @example nearestType('c5.4xlrage') // 'c5.4xlarge'
 */
export function nearestType(name: string): string {
  let nearest = '';
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of instanceTypeNames()) {
    const edits = distance(name, candidate);
    if (edits < least) [nearest, least] = [candidate, edits];
  }
  return nearest;
}

/** Every name in the table, in alphabetical order. */
export function instanceTypeNames(): readonly string[] {
  return Object.keys(ROWS).sort();
}

/**
 * How many pod ENIs an instance carries: all but the node's primary, and where ENIs and EBS volumes share their
 * places, no more than the root volume and the declared volumes leave. All network cards are counted; an ENI beyond
 * card 0 needs its NetworkCardIndex.
 * @param volumes EBS volumes beside the root volume
 * @example podEnis(instanceType('c5.4xlarge')!) // 7
 * @throws {RangeError} when `volumes` is no count
 */
export function podEnis(type: InstanceType, volumes = 0): number {
  if (!Number.isSafeInteger(volumes) || volumes < 0)
    throw new RangeError(`volumes is ${volumes}; it counts EBS volumes beside the root volume`);
  const byType = type.networkInterfaces - 1;
  if (type.attachments === 'dedicated') return byType;
  // 1: the root volume. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html, "Shared EBS volume limit".
  return Math.max(0, Math.min(byType, type.ebsVolumes - 1 - volumes));
}
