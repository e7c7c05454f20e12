/** The concern `cloud`: where it is installed, what it asks of a definition, and what a cluster comes out as. */
import { describe, expect, test } from '@jest/globals';
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

test('without an ec2 pool it renders nothing, and says so', () => {
  const parts = { pools: { web: aRackedPool() } };
  expect(linesOf(parts)).toEqual([
    expect.stringContaining('concerns: cloud is installed, and there is no ec2 pool whose instances it launches'),
  ]);
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

describe('launching instances', () => {
  const bootstrap = { pools: { burst: anEc2Pool({ join: { bootstrap: true } }) } };
  // biome-ignore lint/suspicious/noExplicitAny: rules of roles, two levels down
  const rules = (parts: Record<string, unknown>) => renderedWith(parts).objects.flatMap(({ object }) => (object as any).rules ?? []);
  const mayTouch = (parts: Record<string, unknown>) => [...new Set(rules(parts).flatMap(({ resources }) => resources as string[]))];

  test('is left to others where `existing.nodes` names them or the definition says so: no right more, no action more', () => {
    for (const parts of [{ cloud: { instances: 'leave' } }, { existing: { nodes: 'karpenter' } }]) {
      expect(renderedWith(parts).args).toEqual(['cloud', '--cluster=one', '--instances=leave']);
      expect(mayTouch(parts)).not.toContain('pods/eviction');
      expect(renderedWith(parts).iam).not.toMatch(/RunInstances|TerminateInstances|PassRole/);
    }
  });

  test('takes Secrets and certificate requests where pools join by tokens, and the Service CIDR where they join EKS', () => {
    expect(mayTouch(bootstrap)).toEqual(expect.arrayContaining(['secrets', 'signers', 'certificatesigningrequests/approval']));
    expect(mayTouch(bootstrap)).not.toContain('servicecidrs');
    expect(mayTouch({})).not.toContain('secrets');
    expect(mayTouch({})).toContain('servicecidrs');
  });

  test('reads no Secret but its own key, and may make and delete only bootstrap tokens', () => {
    const secrets = rules(bootstrap).filter(({ resources }) => resources.includes('secrets'));
    expect(secrets.map(({ verbs, resourceNames }) => [verbs, resourceNames])).toEqual(
      expect.arrayContaining([
        [['get'], ['gala-cloud-launches']],
        [['create', 'delete'], undefined],
      ]),
    );
    const all = render(check(bootstrap).clusters[0]!.cluster, []).objects.map(({ object }) => `${object.kind}/${object.metadata.name}`);
    expect(all).toEqual(
      expect.arrayContaining([
        'ValidatingAdmissionPolicy/gala-cloud-tokens',
        'ClusterRoleBinding/gala-bootstrap',
        'ConfigMap/gala-cloud-user-data',
      ]),
    );
  });

  test('is done with the user data that stands among the host files', () => {
    const { objects, files } = render(check(bootstrap).clusters[0]!.cluster, []);
    // biome-ignore lint/suspicious/noExplicitAny: a ConfigMap's data
    const data = (objects.find(({ object }) => object.metadata.name === 'gala-cloud-user-data')?.object as any)?.data;
    expect(data).toEqual({ burst: files.find(({ path }) => path === 'hosts/burst/user-data/cloud-config.txt')?.text });
  });

  test('is allowed by IAM of the pool’s types, image and subnets, tagged, with IMDSv2 and hop limit 1; and ends no others', () => {
    const { Statement } = JSON.parse(renderedWith({ pools: { burst: anEc2Pool({ capacityReservationIds: ['cr-0123'] }) } }).iam ?? '');
    const about = (action: string) => Statement.filter(({ Action }: { Action: string | string[] }) => [Action].flat().includes(action));
    const [instance, volume, others, templates] = about('ec2:RunInstances');
    expect(instance.Condition).toMatchObject({
      StringEquals: { 'aws:RequestTag/gala.internal/cluster': 'one', 'ec2:MetadataHttpTokens': 'required' },
      NumericEquals: { 'ec2:MetadataHttpPutResponseHopLimit': '1' },
      ArnLike: { 'ec2:InstanceProfile': ['arn:aws:iam::*:instance-profile/gala-node'] },
    });
    expect([volume.Resource, templates.Resource]).toEqual([
      ['arn:aws:ec2:ap-northeast-1:*:volume/*'],
      ['arn:aws:ec2:ap-northeast-1:*:launch-template/*'],
    ]);
    expect(others.Resource).toEqual(
      expect.arrayContaining(['arn:aws:ec2:ap-northeast-1::image/ami-0a', 'arn:aws:ec2:ap-northeast-1:*:capacity-reservation/cr-0123']),
    );
    expect(others.Resource).not.toContain('arn:aws:ec2:ap-northeast-1:*:subnet/*');
    expect(about('ec2:TerminateInstances')).toMatchObject([
      { Condition: { StringEquals: { 'aws:ResourceTag/gala.internal/cluster': 'one' } } },
    ]);
    expect(about('iam:PassRole')).toMatchObject([{ Resource: ['arn:aws:iam::*:role/gala-node'] }]);
  });
});
