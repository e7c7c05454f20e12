import { expect, test } from '@jest/globals';
import { NodeAgent } from '../../constructs/node-agent.ts';
import { Scheduling } from '../../constructs/scheduling/scheduling.ts';
import { summary } from '../../constructs/summary.ts';
import { aCluster, rendered } from './a-cluster.ts';

const cluster = aCluster();
const out = rendered(cluster, (scope) => {
  new Scheduling(scope, 'scheduler');
  new NodeAgent(scope, 'guard', {
    image: 'guard:1',
    memory: '64Mi',
    needs: [{ hostPort: 9100, protocol: 'UDP', because: 'peers ask it' }],
  });
});
/** Lines of a section, by the start of its heading. */
function section(heading: string): string[] {
  const text = summary(
    cluster,
    out.objects.map((object) => ({ file: '20-rbac.yaml', object })),
    [],
  );
  const found = text.split(/^## /m).find((one) => one.startsWith(heading));
  if (found === undefined) throw new Error(`no section ${heading} in ${text}`);
  return found.split('\n');
}

test('a port says where it listens and why', () => {
  expect(section('Ports on the hosts')).toEqual(
    expect.arrayContaining([
      '| Deployment/gala-system/gala-scheduler | kube-scheduler | 10269/TCP | 127.0.0.1 | the kubelet probes it and a collector on the same host reads its metrics |',
      '| DaemonSet/gala-system/guard | guard | 9100/UDP | every address | peers ask it |',
    ]),
  );
});

test('a subresource is written as kubectl writes it', () => {
  const text = section('Permissions').join('\n');
  expect(text).toContain('| hostpools.gala.internal/scale |');
  expect(text).not.toContain('hostpools/scale.gala.internal');
  expect(text).toContain('| leases.coordination.k8s.io named gala-scheduler |');
});

test('every binding says why: the reason of a role that is not ours, the rules of one that is', () => {
  const bindings = section('Permissions').filter((line) => /^\| (Cluster)?RoleBinding\//.test(line));
  expect(bindings.length).toBeGreaterThan(3);
  for (const line of bindings) expect(line).toMatch(/\| [a-z][^|]{8,} \|$/);
  expect(bindings.find((line) => line.includes('ClusterRole/system:volume-scheduler'))).toContain(
    'the stock scheduler binds volumes to the nodes that it chooses',
  );
});

test('an agent that runs on every node needs none in particular', () => {
  expect(section('What a first apply needs').join('\n')).not.toContain('guard');
});

test('whoever signs off sees which requests of others are refused or changed, and why', () => {
  const lines = section("Rules on everybody's requests");
  expect(lines).toContain('| MutatingAdmissionPolicy/gala-gate | changes | create pods | pods of gala-scheduler get the gate |');
  const slots = lines.find((line) => line.startsWith('| ValidatingAdmissionPolicy/gala-slots |'));
  expect(slots).toContain('| refuses | create, update pods; update pods/status | which slot a pod has');
});
