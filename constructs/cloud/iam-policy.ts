/**
 * IAM policy: what `gala cloud` may do at EC2, as a file for whoever gives it a role. Pure. Least privilege: it makes nothing but
 * network interfaces with the cluster's tag in the pods' subnets, and attaches, detaches and deletes no others.
 *
 * Condition keys as in the Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2".
 */
import type { Cluster, Ec2Pool } from '../../lib/api/cluster.ts';
import { CLUSTER_TAG } from '../../lib/cloud/tags.ts';

export const IAM_POLICY_PATH = 'iam/gala-cloud.json';

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** The text of `iam/gala-cloud.json`; undefined where Gala gives no pod an ENI. */
export function iamPolicy({ name, ec2Pools }: Pick<Cluster, 'name' | 'ec2Pools'>): string | undefined {
  const pools = ec2Pools.filter(({ cni }) => cni === undefined);
  if (pools.length === 0) return undefined;
  return `${JSON.stringify({ Version: '2012-10-17', Statement: statements(name, pools) }, null, 2)}\n`;
}

function statements(cluster: string, pools: readonly Ec2Pool[]): Statement[] {
  const all = (kind: string, names: (pool: Ec2Pool) => readonly string[] = () => ['*']) =>
    sorted(pools.flatMap((pool) => names(pool).map((name) => arn(pool, kind, name))));
  const regions = sorted(pools.map(({ region }) => region));
  const interfaces = all('network-interface');
  const ours = { StringEquals: { [`aws:ResourceTag/${CLUSTER_TAG}`]: cluster } };
  const profiles = sorted(
    pools.map(({ region, instanceProfile }) => `arn:${partition(region)}:iam::*:instance-profile/${instanceProfile}`),
  );
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
      Condition: { ArnLike: { 'ec2:InstanceProfile': profiles } },
    },
  ];
}

/** The account is whose role it is: a definition does not say it. */
const arn = ({ region }: Ec2Pool, kind: string, name: string): string => `arn:${partition(region)}:ec2:${region}:*:${kind}/${name}`;

const partition = (region: string): string => (region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws');
const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();
