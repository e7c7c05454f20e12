/**
 * The actions of EC2's API that the stand-in plays: each asks the pure core what EC2 would say, has moto keep the object, and shows
 * what moto answers as EC2 would. All others are refused: of what is not judged, it must not say yes.
 */
import { type Action, pass } from './account.ts';
import { INSTANCE_ACTIONS } from './play-instances.ts';
import { INTERFACE_ACTIONS } from './play-interfaces.ts';
import { OTHER_ACTIONS } from './play-rest.ts';

/** Taken as moto takes them: nothing in them is about what EC2 is stricter in. */
const PASSED = [
  ...['CreateVpc', 'DeleteVpc', 'DescribeVpcs', 'AssociateVpcCidrBlock', 'ModifyVpcAttribute', 'ModifySubnetAttribute'],
  ...['AssociateSubnetCidrBlock', 'DescribeRouteTables', 'DescribeAvailabilityZones', 'DescribeRegions', 'DescribeAccountAttributes'],
  ...['CreateSecurityGroup', 'DeleteSecurityGroup', 'DescribeSecurityGroups', 'DescribeSecurityGroupRules'],
  ...['AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress', 'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress'],
  ...['RegisterImage', 'DeregisterImage', 'DescribeImages', 'CreateKeyPair', 'DeleteKeyPair', 'DescribeKeyPairs', 'DescribeTags'],
  ...['DescribeLaunchTemplates', 'DescribeLaunchTemplateVersions', 'DescribeInstanceTypeOfferings', 'DescribeInstanceAttribute'],
];

const PLAYED = { ...INTERFACE_ACTIONS, ...INSTANCE_ACTIONS, ...OTHER_ACTIONS };

/** The action of that name; undefined: it is not played. */
export function actionOf(name: string): Action | undefined {
  if (PASSED.includes(name)) return pass;
  return Object.hasOwn(PLAYED, name) ? PLAYED[name] : undefined;
}
