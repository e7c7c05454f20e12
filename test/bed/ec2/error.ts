/**
 * How EC2 says no: the code by which programs decide, and the message that people read. Pure.
 * Codes and their meanings: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. Messages are those that
 * people reported of the real EC2, with where; where none was found, that is said.
 */
export interface Ec2Error {
  readonly code: string;
  readonly message: string;
  /** Client errors are of the 400s, server errors of the 500s (errors-overview). */
  readonly status: number;
}

const refused = (code: string, message: string, status = 400): Ec2Error => ({ code, message, status });

/** Also of what was made a moment ago, https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html. Words: terraform-provider-aws. */
export const notFound = {
  interface: (id: string) => refused('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`),
  instance: (id: string) => refused('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`),
  subnet: (id: string) => refused('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`),
  group: (id: string) => refused('InvalidGroup.NotFound', `The security group '${id}' does not exist`),
  attachment: (id: string) => refused('InvalidAttachmentID.NotFound', `The interface attachment '${id}' does not exist.`),
  template: (id: string) =>
    refused('InvalidLaunchTemplateId.NotFound', `The specified launch template, with template ID ${id}, does not exist.`),
  templateName: (name: string) =>
    refused('InvalidLaunchTemplateName.NotFoundException', `The specified launch template, with template name ${name}, does not exist.`),
  templateVersion: (version: string) =>
    refused('InvalidLaunchTemplateId.VersionNotFound', `Could not find launch template version ${version}`),
  reservation: (id: string) => refused('InvalidCapacityReservationId.NotFound', `The capacity reservation '${id}' does not exist`),
  type: (name: string) => refused('InvalidInstanceType', `The following supplied instance types do not exist: [${name}]`),
} as const;

/** github.com/aws/aws-cli/issues/7178, github.com/pulumi/pulumi/issues/10923 */
export const addressInUse = (address: string) => refused('InvalidIPAddress.InUse', `Address ${address} is in use.`);
/** github.com/JamesWoolfenden/terraform-aws-cassandra/issues/18 */
export const addressOutside = (address: string) =>
  refused('InvalidParameterValue', `Address ${address} does not fall within the subnet's address range`);
/** The first four and the last of a subnet: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html. */
export const addressReserved = (address: string) =>
  refused('InvalidParameterValue', `Address ${address} is in subnet's reserved address range`);
export const subnetFull = () =>
  refused('InsufficientFreeAddressesInSubnet', 'The specified subnet does not have enough free addresses to satisfy the request.');

/** github.com/hashicorp/terraform-provider-aws/issues/27513 */
export const interfaceInUse = (id: string) => refused('InvalidNetworkInterface.InUse', `Interface: [${id}] in use.`);
/** The code is this general one when deleting: github.com/gruntwork-io/cloud-nuke/issues/431. */
export const interfaceNotDeletable = (id: string) => refused('InvalidParameterValue', `Network interface '${id}' is currently in use.`);
/** github.com/lstoll/k8s-vpcnet/issues/71 */
export const deviceIndexInUse = (instance: string, deviceIndex: number) =>
  refused('InvalidParameterValue', `Instance '${instance}' already has an interface attached at device index '${deviceIndex}'.`);
/** github.com/cilium/cilium/issues/15877, github.com/aws/amazon-vpc-cni-k8s/issues/2309 */
export const tooManyInterfaces = (count: number, type: string) =>
  refused('AttachmentLimitExceeded', `Interface count ${count} exceeds the limit for ${type}`);
/** For a card there is a limit of its own (NetworkCards of DescribeInstanceTypes); EC2's words for it were not found. */
export const tooManyOnCard = (count: number, card: number, type: string) =>
  refused('AttachmentLimitExceeded', `Interface count ${count} exceeds the limit of network card ${card} for ${type}`);
/** EC2's words were not found. */
export const noSuchCard = (card: number, type: string) =>
  refused('InvalidParameterValue', `Network card index ${card} is not valid for ${type}`);
/** Where ENIs and volumes share their places: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html. */
export const tooManyAttachments = (count: number, type: string) =>
  refused('AttachmentLimitExceeded', `Attachment count ${count} exceeds the limit for ${type}`);
/** Both must be of one zone (UserGuide, using-eni.html). EC2's code and words were not found. */
export const otherZone = () =>
  refused(
    'InvalidParameterCombination',
    'You may not attach a network interface to an instance if they are not in the same availability zone',
  );
/** Words as AttachVolume has them: github.com/ansible-collections/amazon.aws/pull/497. */
export const notRunning = (instance: string) => refused('IncorrectState', `Instance '${instance}' is not 'running'.`);
/** github.com/redhat-performance/cloud-governance/pull/952 */
export const primaryStays = () =>
  refused('OperationNotPermitted', 'The network interface at device index 0 and networkCard index 0 cannot be detached.');
/** EC2's words were not found. */
export const attachmentBusy = (id: string, status: string) => refused('IncorrectState', `The interface attachment '${id}' is ${status}.`);

/** pastebin.com/cbV2AxJP */
export const tokenMismatch = () =>
  refused(
    'IdempotentParameterMismatch',
    'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
  );
/** errors-overview: the token's instance has been terminated. */
export const tokenTerminated = () =>
  refused(
    'IdempotentInstanceTerminated',
    'The request to launch an instance uses the same client token as a previous request for which the instance has been terminated.',
  );
/** https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html: up to 64 ASCII characters. */
export const tokenInvalid = (token: string) =>
  refused('InvalidParameterValue', `Invalid value '${token}' for clientToken. It must not be longer than 64 ASCII characters.`);

/** An instance type that is full in a zone is the server's error. Words: docs.aws.amazon.com/autoscaling, CHAP_Troubleshooting, ts-as-capacity-1. */
export const noCapacity = (type: string, zone: string) =>
  refused(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`,
    500,
  );
/** As above, ts-as-capacity-4. */
export const reservationFull = () =>
  refused(
    'ReservationCapacityExceeded',
    'The requested reservation does not have sufficient compatible and available capacity for this request.',
  );

export const throttled = () => refused('RequestLimitExceeded', 'Request limit exceeded.', 503);
/** 412: botocore and moto agree on it. */
export const dryRun = () => refused('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
export const missing = (name: string) => refused('MissingParameter', `The request must contain the parameter ${name}`);
export const invalid = (value: string, name: string) => refused('InvalidParameterValue', `Invalid value '${value}' for ${name}.`);
export const noSuchFilter = (name: string) => refused('InvalidParameterValue', `The filter '${name}' is invalid`);
export const pageSize = (value: string, least: number, most: number) =>
  refused(
    'InvalidParameterValue',
    `Value ( ${value} ) for parameter maxResults is invalid. Expecting a value between ${least} and ${most}.`,
  );
/** "You cannot specify this parameter and the network interface IDs parameter in the same request" (DescribeNetworkInterfaces). */
export const pagesOfIds = (name: string) =>
  refused('InvalidParameterCombination', `The parameter ${name} cannot be used with the parameter maxResults`);
export const pageToken = () => refused('InvalidPaginationToken', 'The specified pagination token is not valid or is expired.');
export const unauthenticated = () => refused('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
export const hasDependencies = (kind: string, id: string) =>
  refused('DependencyViolation', `The ${kind} '${id}' has dependencies and cannot be deleted.`);
/** No word of EC2's: of what the stand-in does not judge, it must not say yes. */
export const notPlayed = (what: string) =>
  refused('UnsupportedOperation', `The bed's EC2 does not play ${what}. Teach it in test/bed/ec2 before a test relies on it.`);
