/** The concern `cloud`: where it is installed, what it asks of a definition, and what a cluster comes out as. */
import { expect, test } from '@jest/globals';
import { checkDefinitions, problemLine } from '../../constructs/check.ts';
import { CONCERNS } from '../../constructs/concerns.ts';
import { render } from '../../constructs/render.ts';
import { aDefinition, anEc2Pool, aRackedPool } from '../api/a-definition.ts';

const CLOUD = ['scheduling', 'network', 'cloud'];
const EKS = { concerns: CLOUD, services: 'kube-proxy', serviceCidr: '10.96.0.0/16', pools: { burst: anEc2Pool() } };
const check = (parts: Record<string, unknown>) =>
  checkDefinitions([{ file: 'one.ts', definition: aDefinition({ ...EKS, ...parts }) }], CONCERNS);
const linesOf = (parts: Record<string, unknown>) => check(parts).problems.map(problemLine);

function renderedWith(parts: Record<string, unknown> = {}) {
  const { problems, clusters } = check(parts);
  if (clusters.length === 0) throw new Error(problems.map(problemLine).join('\n'));
  const rendering = render(clusters[0]!.cluster, []);
  const objects = rendering.objects.filter(({ object }) => object.metadata.name === 'gala-cloud');
  return {
    ...{ findings: rendering.findings, objects },
    // biome-ignore lint/suspicious/noExplicitAny: a Deployment's arguments, three levels down
    args: (objects.find(({ object }) => object.kind === 'Deployment')?.object as any)?.spec.template.spec.containers[0].args,
    iam: rendering.files.find(({ path }) => path === 'iam/gala-cloud.json')?.text,
  };
}

test('it is installed where a definition names it, and not by itself', () => {
  expect(renderedWith().objects.map(({ file, object }) => `${file} ${object.kind}`)).toEqual([
    '20-rbac.yaml ServiceAccount',
    '20-rbac.yaml ClusterRole',
    '20-rbac.yaml ClusterRoleBinding',
    '20-rbac.yaml Role',
    '20-rbac.yaml RoleBinding',
    '40-network.yaml Deployment',
    '40-network.yaml PodDisruptionBudget',
  ]);
  expect(renderedWith({ concerns: ['scheduling', 'network'] })).toMatchObject({ objects: [], iam: undefined });
});

test('what comes out passes the gate', () => expect(renderedWith().findings).toEqual([]));

test('its options are flags of the program', () => {
  expect(renderedWith().args).toEqual(['cloud', '--cluster=one']);
  expect(renderedWith({ cloud: { mode: 'dry-run', orphans: 'list', ec2Percent: 30 } }).args).toEqual([
    'cloud',
    '--cluster=one',
    '--dry-run',
    '--orphans=list',
    '--part=0.3',
  ]);
});

test('where Gala gives no pod an ENI it renders nothing, and says so', () => {
  const parts = { pools: { web: aRackedPool() } };
  expect(linesOf(parts)).toEqual([expect.stringContaining('concerns: cloud is installed, and there is no ec2 pool whose pods Gala wires')]);
  expect(renderedWith(parts)).toMatchObject({ objects: [], iam: undefined });
});

test('the IAM policy makes tagged interfaces in the pods’ subnets, and touches no others', () => {
  const { Statement } = JSON.parse(renderedWith().iam ?? '');
  const about = (action: string) => Statement.filter(({ Action }: { Action: string | string[] }) => [Action].flat().includes(action));
  expect(about('ec2:CreateNetworkInterface')).toMatchObject([
    {
      Resource: ['arn:aws:ec2:ap-northeast-1:*:network-interface/*'],
      Condition: { StringEquals: { 'aws:RequestTag/gala.internal/cluster': 'one' } },
    },
    { Resource: ['arn:aws:ec2:ap-northeast-1:*:subnet/subnet-0d1', 'arn:aws:ec2:ap-northeast-1:*:security-group/sg-0b'] },
  ]);
  expect(about('ec2:DeleteNetworkInterface')).toMatchObject([
    { Condition: { StringEquals: { 'aws:ResourceTag/gala.internal/cluster': 'one' } } },
  ]);
  expect(about('ec2:AttachNetworkInterface')).toMatchObject([
    {},
    { Condition: { ArnLike: { 'ec2:InstanceProfile': ['arn:aws:iam::*:instance-profile/gala-node'] } } },
  ]);
  const china = JSON.parse(
    renderedWith({
      pools: {
        burst: anEc2Pool({ region: 'cn-north-1', zones: { 'cn-north-1a': { nodeSubnetId: 'subnet-0a1', podSubnetId: 'subnet-0d1' } } }),
      },
    }).iam ?? '',
  );
  expect(JSON.stringify(china)).not.toContain('arn:aws:');
});
