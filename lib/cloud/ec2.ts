/**
 * What `gala cloud` asks of EC2, in one region, as its decisions need it: the SDK's shapes end in account.ts, and tests put the bed's
 * own judge behind the same interface.
 */
import type { Place } from './eni-plan.ts';
import type { Tags } from './tags.ts';

export interface Ec2Instance {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  /** `pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`. */
  readonly state: string;
}

export interface Ec2Eni {
  readonly id: string;
  readonly mac: string;
  readonly ip: string;
  readonly subnetId: string;
  readonly tags: Tags;
  /** `available`: nothing has it; one that is being made is `pending`. */
  readonly status: string;
  readonly attachment?: Place & {
    readonly id: string;
    readonly instanceId: string;
    readonly status: 'attaching' | 'attached' | 'detaching';
    readonly deleteOnTermination: boolean;
  };
}

/** What DescribeInstanceTypes says of a type. */
export interface Ec2Type {
  readonly networkCards: readonly { readonly networkCardIndex: number; readonly networkInterfaces: number }[];
  /** Whether ENIs and EBS volumes use up each other's places, and how many there are beside the primary ENI. */
  readonly attachments: 'shared' | 'dedicated';
  readonly ebsVolumes: number;
}

export interface NewEni {
  readonly clientToken: string;
  readonly subnetId: string;
  readonly securityGroupIds: readonly string[];
  readonly tags: Tags;
}

/** Describes wait for a token of Gala's budget; what changes something throws NotNow, for it would be done by an old look. */
export interface Ec2 {
  /** Those that EC2 knows. */
  instances(ids: readonly string[]): Promise<readonly Ec2Instance[]>;
  types(names: readonly string[]): Promise<ReadonlyMap<string, Ec2Type>>;
  /** All that are on these instances, and all with the tag of the cluster's UID. */
  enis(instanceIds: readonly string[], clusterUid: string): Promise<readonly Ec2Eni[]>;
  /** @returns its id */
  create(eni: NewEni): Promise<string>;
  attach(eniId: string, instanceId: string, place: Place): Promise<void>;
  endWithInstance(eniId: string, attachmentId: string): Promise<void>;
  detach(attachmentId: string): Promise<void>;
  delete(eniId: string): Promise<void>;
}

/** The budget of an API is spent: nothing was asked of EC2. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
  readonly waitMs: number;

  constructor(api: string, waitMs: number) {
    super(`${api} waits ${waitMs} ms for a token of Gala's own budget`);
    this.waitMs = waitMs;
  }
}

/** EC2 said no, in its own words. */
export class Ec2Error extends Error {
  override readonly name = 'Ec2Error';
  readonly api: string;
  readonly code: string;

  constructor(api: string, code: string, message: string) {
    super(`${api}: ${code}: ${message}`);
    this.api = api;
    this.code = code;
  }
}

/** What a no of EC2's means for the step: all but `refused` pass by themselves at the next look. */
export type Meaning = 'throttled' | 'place taken' | 'not there' | 'token used' | 'refused';

/** @example meaningOf({ code: 'RequestLimitExceeded', message: '' }) // 'throttled' */
export function meaningOf({ code, message }: Pick<Ec2Error, 'code' | 'message'>): Meaning {
  if (/^(RequestLimitExceeded|Throttling|ThrottlingException|RequestThrottled|SlowDown)$/.test(code)) return 'throttled';
  // "Instance 'i-…' already has an interface attached at device index '1'."
  if (code === 'InvalidParameterValue' && /device index/i.test(message)) return 'place taken';
  // Right after a create, or because somebody was quicker: the next look tells which.
  if (/NotFound$/.test(code) || code === 'InvalidNetworkInterface.InUse' || code === 'IncorrectState') return 'not there';
  if (code === 'IdempotentParameterMismatch' || code === 'IdempotentInstanceTerminated') return 'token used';
  return 'refused';
}
