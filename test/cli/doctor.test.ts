import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { doctorText, examine, type NodeSeen, type Seen } from '../../lib/cli/doctor-checks.ts';

const aNode = (over: Partial<NodeSeen> = {}): NodeSeen => ({
  ...{ name: 'r12-01', pool: 'web', kubelet: 'v1.37.2', runtime: 'containerd://2.1.4', wires: { status: 'True' } },
  kubeletConfig: { makeIPTablesUtilChains: false, clusterDNS: ['10.8.0.53'] },
  ...over,
});
const aCluster = (over: Partial<Seen> = {}): Seen => ({
  ...{
    server: 'v1.37.2',
    kinds: [{ name: 'locks.gala.internal', there: true }],
    nodes: [aNode()],
    agent: ['cni', '--api-server=10.8.0.10:6443'],
  },
  ...{ hasNodeDns: false, apiServers: [['kube-apiserver', '--enable-aggregator-routing=true']] },
  ...over,
});
const lacking = (over: Partial<Seen>) => examine(aCluster(over)).filter(({ verdict }) => verdict === 'wrong');
const withNode = (over: Partial<NodeSeen>) => lacking({ nodes: [aNode(over)] });

describe('gala doctor', () => {
  test('a cluster that has everything lacks nothing, and nothing is unknown', () => {
    expect(examine(aCluster()).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  });

  test.each([
    ['a kind that is not there', lacking({ kinds: [{ name: 'locks.gala.internal', there: false }] }), 'kinds'],
    ['a server of a minor that Gala does not know', lacking({ server: 'v1.30.1', nodes: [aNode({ kubelet: 'v1.30.1' })] }), 'kubernetes'],
    ['a kubelet newer than the API server', lacking({ server: 'v1.36.6' }), 'version-skew'],
    ['a kubelet four minors older', withNode({ kubelet: 'v1.33.0-eks-1' }), 'version-skew'],
    ['containerd before 2.1', withNode({ runtime: 'containerd://1.7.27' }), 'containerd'],
    ['another runtime', withNode({ runtime: 'cri-o://1.34.0' }), 'containerd'],
    [
      'an agent that says why it wires nothing',
      withNode({ wires: { status: 'False', message: 'the runtime takes 00-other.conflist.' } }),
      'wires',
    ],
    ['a podCIDR that nobody uses', withNode({ podCIDR: '10.244.0.0/24' }), 'node-cidrs'],
    ['chains of the kubelet', withNode({ kubeletConfig: { makeIPTablesUtilChains: true } }), 'iptables-chains'],
    [
      'pods that are sent to a cache that is not there',
      withNode({ kubeletConfig: { makeIPTablesUtilChains: false, clusterDNS: ['169.254.20.10'] } }),
      'cluster-dns',
    ],
    ['an API server that asks aggregated APIs by a ClusterIP', lacking({ apiServers: [['kube-apiserver']] }), 'aggregator-routing'],
  ])('%s is found, alone, with what to do', (_, found, check) => {
    expect(found.map((one) => one.check)).toEqual([check]);
    expect(found[0]?.remedy).toMatch(/\.$/);
  });

  test('beside kube-proxy chains, podCIDRs and aggregated APIs are its business', () => {
    const node = aNode({ podCIDR: '10.244.0.0/24', kubeletConfig: { makeIPTablesUtilChains: true } });
    expect(lacking({ agent: ['cni', '--through-node=10.96.0.0/16'], nodes: [node], apiServers: [] })).toEqual([]);
  });

  test('nodes that another CNI wires may have a podCIDR', () => {
    expect(
      lacking({ nodes: [aNode({ podCIDR: '10.244.0.0/24' }), aNode({ name: 'other', pool: undefined, podCIDR: '10.244.1.0/24' })] }),
    ).toEqual([]);
  });

  test('what cannot be known is told as that, and is not held against the cluster', () => {
    const seen = aCluster({ apiServers: [], nodes: [aNode({ wires: undefined, kubeletConfig: undefined })] });
    const unknown = examine(seen).filter(({ verdict }) => verdict === 'unknown');
    expect(unknown.map(({ check }) => check)).toEqual(['wires', 'iptables-chains', 'aggregator-routing']);
    expect(examine(seen).some(({ verdict }) => verdict === 'wrong')).toBe(false);
  });

  test('without the agent nothing is said of the network', () => {
    expect(examine(aCluster({ agent: undefined })).map(({ check }) => check)).toEqual(['kinds', 'kubernetes', 'version-skew']);
  });

  test('what lacks comes first on the page, and of many nodes three are named', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((name) => aNode({ name, runtime: 'containerd://1.7.0' }));
    const [first] = doctorText(examine(aCluster({ nodes }))).split('\n');
    expect(first).toBe(
      'wrong    containerd: the runtime is containerd://1.7.0; containerd 2.1 or newer wires pods with Gala (a, b, c and 2 more). Upgrade containerd.',
    );
  });

  test('whatever order the nodes come in, it says the same', () => {
    const nodes = [aNode({ name: 'a', kubelet: 'v1.38.0' }), aNode({ name: 'b', kubelet: 'v1.38.0' }), aNode({ name: 'c' })];
    fc.assert(
      fc.property(fc.shuffledSubarray(nodes, { minLength: 3 }), (shuffled) => {
        expect(examine(aCluster({ nodes: shuffled }))).toEqual(examine(aCluster({ nodes })));
      }),
    );
  });
});
