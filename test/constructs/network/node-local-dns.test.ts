import { describe, expect, test } from '@jest/globals';
import { hostFiles } from '../../../constructs/hosts.ts';
import { ClusterNetwork } from '../../../constructs/network/cluster-network.ts';
import { corefile } from '../../../constructs/network/node-local-dns.ts';
import { aCluster, anIntranetPool, rendered } from '../a-cluster.ts';

const upstream = ['10.8.0.10', '10.8.0.11'];
const NAME = 'DaemonSet/gala-system/gala-node-dns';
const aDns = (over: object = {}, concerns = ['scheduling', 'network']) => {
  const cluster = aCluster({ pools: { web: anIntranetPool() }, dns: { upstream }, ...over });
  const out = rendered(cluster, (scope) => void new ClusterNetwork(scope, 'network'));
  return { cluster: { ...cluster, concerns }, out };
};

describe('NodeLocal DNSCache', () => {
  test('answers on 169.254.20.10 and touches neither links nor iptables', () => {
    const { spec } = aDns().out.get(NAME).spec.template;
    expect(spec).toMatchObject({ hostNetwork: true, dnsPolicy: 'Default' });
    expect(spec.containers[0]).toMatchObject({
      image: 'registry.k8s.io/coredns/coredns:v1.14.7',
      args: ['-conf', '/etc/coredns/Corefile'],
    });
    expect(corefile(upstream).match(/bind \S+/g)).toEqual(Array(4).fill('bind 169.254.20.10'));
    expect(spec.containers[0].securityContext.capabilities).toEqual({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] });
  });

  test('listens for others on loopback alone', () => {
    const [container] = aDns().out.get(NAME).spec.template.spec.containers;
    expect(container.ports.every(({ hostIP }: { hostIP: string }) => hostIP === '127.0.0.1')).toBe(true);
    expect(
      corefile(upstream)
        .match(/(prometheus|health) \S+/g)
        ?.every((line) => line.includes(' 127.0.0.1:')),
    ).toBe(true);
  });

  test('asks for names of the cluster where the definition says, for others whom the host asks, and itself never', () => {
    const zones = [...corefile(upstream).matchAll(/^(\S+):53 \{\n([\s\S]*?)\n\}$/gm)].map(([, name, text = '']) => [
      name,
      /forward \. ([^{\n]*)/.exec(text)?.[1]?.trim(),
    ]);
    expect(zones).toEqual([
      ['cluster.local', '10.8.0.10 10.8.0.11'],
      ['in-addr.arpa', '10.8.0.10 10.8.0.11'],
      ['ip6.arpa', '10.8.0.10 10.8.0.11'],
      ['.', '/etc/resolv.conf'],
    ]);
  });

  test('runs where the agent does, and starts once the agent has put its address on the node', () => {
    const { out } = aDns();
    const [dns, agent] = [NAME, 'DaemonSet/gala-system/gala-cni'].map((name) => out.get(name).spec.template.spec);
    expect(dns.affinity).toEqual(agent.affinity);
    expect(dns.tolerations).toEqual(agent.tolerations);
    const [waits] = dns.initContainers;
    expect(waits).toMatchObject({ command: ['sh', '-c', expect.stringContaining('address show to 169.254.20.10')] });
    expect(waits.securityContext.capabilities).toEqual({ drop: ['ALL'] });
  });

  test('the kubelet sends its pods there, where it is and nowhere else', () => {
    const said = (over: object, concerns?: string[]) => {
      const { cluster, out } = aDns(over, concerns);
      return hostFiles(cluster, out.objects).find(({ path }) => path.endsWith('40-gala-network.conf'))?.text;
    };
    expect(said({})).toContain('- 169.254.20.10');
    expect(said({})).toContain('clusterDomain: cluster.local');
    expect(said({ dns: undefined })).not.toContain('clusterDNS:\n');
    expect(said({}, ['scheduling'])).not.toContain('clusterDNS:\n');
    expect(said({ pools: { web: anIntranetPool({ kubelet: { clusterDNS: ['10.8.0.53'] } }) } })).not.toContain('- 169.254.20.10');
  });

  test('is not there where nobody is named whom it could ask, or where there is kube-proxy', () => {
    expect(aDns({ dns: undefined }).out.has(NAME)).toBe(false);
  });
});
