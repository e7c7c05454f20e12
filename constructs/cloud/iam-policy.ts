/**
 * IAM policy: what `gala cloud` may do at EC2, as a file for whoever gives it a role. Pure. Least privilege: it makes nothing but
 * network interfaces with the cluster's tag in the pods' subnets, and attaches, detaches and deletes no others; where it launches, it
 * launches the pools' images and types in their subnets, tagged, with IMDSv2 alone, and terminates no others.
 *
 * Condition keys as in the Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2".
 */
import type { Cluster, Ec2Pool } from '../../lib/api/cluster.ts';
import { CLUSTER_TAG } from '../../lib/cloud/tags.ts';
import { managesInstances } from './instances.ts';

export const IAM_POLICY_PATH = 'iam/gala-cloud.json';

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** The text of `iam/gala-cloud.json`; undefined where Gala launches nothing and gives no pod an ENI. */
export function iamPolicy(cluster: Pick<Cluster, 'name' | 'ec2Pools' | 'existing' | 'options'>): string | undefined {
  const { name, ec2Pools } = cluster;
  const wired = ec2Pools.filter(({ cni }) => cni === undefined);
  const Statement = [
    ...(wired.length === 0 ? [] : statements(name, wired)),
    ...(managesInstances(cluster) ? instanceStatements(name, ec2Pools) : []),
  ];
  if (Statement.length === 0) return undefined;
  return `${JSON.stringify({ Version: '2012-10-17', Statement }, null, 2)}\n`;
}

/** What launching and ending instances takes. */
function instanceStatements(cluster: string, pools: readonly Ec2Pool[]): Statement[] {
  const all = arnsOf(pools);
  const regions = sorted(pools.map(({ region }) => region));
  const tagged = { [`aws:RequestTag/${CLUSTER_TAG}`]: cluster };
  const ours = { StringEquals: { [`aws:ResourceTag/${CLUSTER_TAG}`]: cluster } };
  const roles = sorted(pools.map(({ region, instanceProfile }) => `arn:${partition(region)}:iam::*:role/${instanceProfile}`));
  const reservations = all('capacity-reservation', ({ capacityReservationIds }) => capacityReservationIds);
  return [
    {
      Sid: 'LookAtWhatIsLaunched',
      Effect: 'Allow',
      Action: [
        'ec2:DescribeInstances',
        'ec2:DescribeLaunchTemplates',
        ...(reservations.length === 0 ? [] : ['ec2:DescribeCapacityReservations']),
      ],
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': regions } },
    },
    {
      Sid: 'MakeTheLaunchTemplatesOfThePools',
      Effect: 'Allow',
      Action: 'ec2:CreateLaunchTemplate',
      Resource: all('launch-template'),
      Condition: { StringEquals: tagged },
    },
    { Sid: 'AndDeleteTheseAlone', Effect: 'Allow', Action: 'ec2:DeleteLaunchTemplate', Resource: all('launch-template'), Condition: ours },
    {
      Sid: 'LaunchInstancesWithTheTagOfTheClusterAndIMDSv2Alone',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: all('instance'),
      Condition: {
        StringEquals: {
          ...tagged,
          'ec2:MetadataHttpTokens': 'required',
          'ec2:InstanceType': sorted(pools.flatMap((pool) => pool.instanceTypes)),
        },
        NumericEquals: { 'ec2:MetadataHttpPutResponseHopLimit': '1' },
        ArnLike: { 'ec2:InstanceProfile': profilesOf(pools) },
      },
    },
    { Sid: 'WithTheirVolumes', Effect: 'Allow', Action: 'ec2:RunInstances', Resource: all('volume'), Condition: { StringEquals: tagged } },
    {
      Sid: 'ByTheTemplatesImagesSubnetsAndGroupsOfThePools',
      Effect: 'Allow',
      Action: 'ec2:RunInstances',
      Resource: [
        ...all('network-interface'),
        // An image has no account in its ARN (Service Authorization Reference, "Resource types defined by Amazon EC2").
        ...sorted(pools.map(({ region, imageId }) => `arn:${partition(region)}:ec2:${region}::image/${imageId}`)),
        ...all('subnet', ({ zones }) => zones.map(({ nodeSubnetId }) => nodeSubnetId)),
        ...all('security-group', ({ securityGroupIds }) => securityGroupIds.node),
        ...reservations,
      ],
    },
    { Sid: 'AndNoOtherTemplates', Effect: 'Allow', Action: 'ec2:RunInstances', Resource: all('launch-template'), Condition: ours },
    {
      Sid: 'TagWhatIsLaunchedAsItIsMade',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: [...all('instance'), ...all('launch-template'), ...all('volume')],
      Condition: { StringEquals: { 'ec2:CreateAction': ['CreateLaunchTemplate', 'RunInstances'] } },
    },
    { Sid: 'TerminateTheseAlone', Effect: 'Allow', Action: 'ec2:TerminateInstances', Resource: all('instance'), Condition: ours },
    {
      // A definition names the instance profile; its role has the same name unless somebody chose another.
      Sid: 'GiveThemTheRoleOfTheirProfile',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: roles,
      Condition: {
        StringEquals: {
          'iam:PassedToService': pools.some(({ region }) => region.startsWith('cn-')) ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com',
        },
      },
    },
  ];
}

const arnsOf =
  (pools: readonly Ec2Pool[]) =>
  (kind: string, names: (pool: Ec2Pool) => readonly string[] = () => ['*']) =>
    sorted(pools.flatMap((pool) => names(pool).map((name) => arn(pool, kind, name))));

const profilesOf = (pools: readonly Ec2Pool[]): string[] =>
  sorted(pools.map(({ region, instanceProfile }) => `arn:${partition(region)}:iam::*:instance-profile/${instanceProfile}`));

function statements(cluster: string, pools: readonly Ec2Pool[]): Statement[] {
  const all = arnsOf(pools);
  const regions = sorted(pools.map(({ region }) => region));
  const interfaces = all('network-interface');
  const ours = { StringEquals: { [`aws:ResourceTag/${CLUSTER_TAG}`]: cluster } };
  return [
    {
      Sid: 'LookAtInstancesAndTheirInterfaces',
      Effect: 'Allow',
      Action: ['ec2:DescribeInstances', 'ec2:DescribeInstanceTypes', 'ec2:DescribeNetworkInterfaces'],
      // Describes know no resources.
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': regions } },
    },
    {
      Sid: 'MakeInterfacesWithTheTagOfTheCluster',
      Effect: 'Allow',
      Action: 'ec2:CreateNetworkInterface',
      Resource: interfaces,
      Condition: { StringEquals: { [`aws:RequestTag/${CLUSTER_TAG}`]: cluster } },
    },
    {
      Sid: 'InTheSubnetsAndGroupsOfPods',
      Effect: 'Allow',
      Action: 'ec2:CreateNetworkInterface',
      Resource: [
        ...all('subnet', ({ zones }) => zones.map(({ podSubnetId }) => podSubnetId)),
        ...all('security-group', ({ securityGroupIds }) => securityGroupIds.pod),
      ],
    },
    {
      Sid: 'TagThemAsTheyAreMade',
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: interfaces,
      Condition: { StringEquals: { 'ec2:CreateAction': 'CreateNetworkInterface' } },
    },
    {
      Sid: 'AttachDetachAndDeleteTheseAlone',
      Effect: 'Allow',
      Action: [
        'ec2:AttachNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DetachNetworkInterface',
        'ec2:ModifyNetworkInterfaceAttribute',
      ],
      Resource: interfaces,
      Condition: ours,
    },
    {
      Sid: 'ToAndFromInstancesOfThePools',
      Effect: 'Allow',
      Action: ['ec2:AttachNetworkInterface', 'ec2:DetachNetworkInterface', 'ec2:ModifyNetworkInterfaceAttribute'],
      Resource: all('instance'),
      Condition: { ArnLike: { 'ec2:InstanceProfile': profilesOf(pools) } },
    },
  ];
}

/** The account is whose role it is: a definition does not say it. */
const arn = ({ region }: Ec2Pool, kind: string, name: string): string => `arn:${partition(region)}:ec2:${region}:*:${kind}/${name}`;

const partition = (region: string): string => (region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws');
const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();
