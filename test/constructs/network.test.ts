/** The concern `network`: where it is installed, what it asks of a definition, and what a cluster comes out as. */
import { describe, expect, test } from '@jest/globals';
import { checkDefinitions, problemLine } from '../../constructs/check.ts';
import { CONCERNS } from '../../constructs/concerns.ts';
import { render } from '../../constructs/render.ts';
import { aDefinition, anEc2Pool, aRackedPool, aVlan } from '../api/a-definition.ts';

const check = (parts: Record<string, unknown>) =>
  checkDefinitions([{ file: 'one.ts', definition: aDefinition({ concerns: ['scheduling', 'network'], ...parts }) }], CONCERNS);
const linesOf = (parts: Record<string, unknown>) => check(parts).problems.map(problemLine);

function renderedWith(parts: Record<string, unknown> = {}) {
  const { problems, clusters } = check(parts);
  if (clusters.length === 0) throw new Error(problems.map(problemLine).join('\n'));
  const rendering = render(clusters[0]!.cluster, []);
  return {
    ...rendering,
    agents: rendering.objects.filter(({ object }) => object.metadata.name === 'gala-cni'),
    text: (path: string) => rendering.files.find((file) => file.path === path)?.text ?? '',
  };
}

test('it is installed by itself, and left out where a definition names others', () => {
  expect(renderedWith().agents.map(({ file, object }) => `${file} ${object.kind}`)).toEqual([
    '20-rbac.yaml ServiceAccount',
    '20-rbac.yaml ClusterRole',
    '20-rbac.yaml ClusterRoleBinding',
    '40-network.yaml DaemonSet',
  ]);
  expect(renderedWith({ concerns: undefined }).agents).toEqual(renderedWith().agents);
  expect(renderedWith({ concerns: ['scheduling'] }).agents).toEqual([]);
});

test('what comes out passes the gate', () => {
  expect(renderedWith().findings).toEqual([]);
  expect(renderedWith({ services: 'kube-proxy', serviceCidr: '10.96.0.0/16', pools: { burst: anEc2Pool() } }).findings).toEqual([]);
});

test('without the lock writer no pod would have an address', () =>
  expect(linesOf({ concerns: ['network'] })).toEqual([expect.stringContaining('one.ts: concerns: network requires scheduling')]));

describe('beside kube-proxy', () => {
  test('the service range is asked for, with where to find it', () =>
    expect(linesOf({ services: 'kube-proxy' })).toEqual([
      "one.ts: serviceCidr: serviceCidr is missing from the definition, and pods that Gala wires beside kube-proxy would reach no Service; the API server's --service-cluster-ip-range. Look it up (`kubectl get servicecidr`) and write it: serviceCidr: '10.96.0.0/12' is kubeadm's default, 10.100.0.0/16 or 172.20.0.0/16 EKS'.",
    ]));

  test('and not where Gala wires no pod, or is not asked to', () => {
    expect(linesOf({ services: 'kube-proxy', existing: { cni: 'calico' } })).toEqual([]);
    expect(linesOf({ services: 'kube-proxy', concerns: ['scheduling'] })).toEqual([]);
  });
});

describe('beside another CNI', () => {
  const existing = { cni: 'calico' };
  const ml = aRackedPool({
    racks: { r9: 'dc1-r9-1' },
    vlans: { 120: aVlan({ subnet: '10.120.0.0/24', gateway: '10.120.0.1', addresses: '10.120.0.64/26' }) },
  });
  const web = aRackedPool({ cni: 'gala' });

  test('there is nothing to render', () => expect(renderedWith({ existing }).agents).toEqual([]));

  test('the pools that say so are wired by Gala, the others stay as they are', () => {
    const { objects, agents, text } = renderedWith({ existing, pools: { web, ml } });
    const pools = objects
      .filter(({ object }) => object.kind === 'HostPool')
      .map(({ object }) => [object.metadata.name, (object.spec as { cni?: string }).cni]);
    expect(pools).toEqual([
      ['ml', 'calico'],
      ['web', undefined],
    ]);
    expect(agents.at(-1)?.object.kind).toBe('DaemonSet');
    const network = 'etc/kubernetes/kubelet.conf.d/40-gala-network.conf';
    expect(text(`hosts/web/${network}`)).toMatch(/maxPods: \d+\nmakeIPTablesUtilChains: false/);
    expect(text(`hosts/ml/${network}`)).not.toMatch(/^maxPods|^makeIPTables/m);
  });
});

test('a pool of another CNI beside those of Gala', () => {
  const { objects, agents } = renderedWith({ pools: { web: aRackedPool({ cni: 'cilium' }) } });
  expect(objects.find(({ object }) => object.kind === 'HostPool')?.object.spec).toMatchObject({ cni: 'cilium' });
  expect(agents).toEqual([]);
});
