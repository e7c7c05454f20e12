import { describe, expect, test } from '@jest/globals';
import { Construct } from 'constructs';
import { NodeAgent, type NodeAgentProps } from '../../constructs/node-agent.ts';
import { PHASE } from '../../constructs/phase.ts';
import { aCluster, anIntranetPool, rendered } from './a-cluster.ts';

/** A node agent of which a test says only what matters. */
function anAgent(over: Partial<NodeAgentProps> = {}, cluster = aCluster()) {
  const out = rendered(cluster, (scope) => {
    new NodeAgent(scope, 'guard', { image: 'harbor.bj.intra/sre/guard:1.2.0', memory: '64Mi', ...over });
  });
  const daemonSet = out.get(`DaemonSet/gala-system/${over.name ?? 'guard'}`);
  const { spec, metadata } = daemonSet.spec.template;
  return { out, daemonSet, pod: spec, template: metadata, container: spec.containers[0] };
}

const refusal = (over: Partial<NodeAgentProps>) => () => anAgent(over);

describe('what comes out', () => {
  test('the smallest agent', () => {
    expect(anAgent({ needs: [{ capability: 'BPF', because: 'it loads one XDP program on the trunk' }] }).daemonSet).toMatchSnapshot();
  });

  test("someone's own concern needs three lines for a DaemonSet", () => {
    const cluster = aCluster({ pools: { web: anIntranetPool() } });
    const out = rendered(cluster, (scope) => {
      for (const pool of cluster.intranetPools)
        new NodeAgent(scope, `ddos-${pool.name}`, {
          image: 'harbor.bj.intra/sre/xdp-guard@sha256:…',
          nodeSelector: pool.nodeSelector,
          memory: '64Mi',
          needs: [{ capability: 'BPF', because: 'it loads one XDP program on the trunk' }],
        });
    });
    const { spec, metadata } = out.get('DaemonSet/gala-system/ddos-web').spec.template;
    expect(spec.nodeSelector).toEqual({ 'gala.internal/pool': 'web' });
    expect(spec.containers[0].securityContext.capabilities).toEqual({ drop: ['ALL'], add: ['BPF'] });
    expect(metadata.annotations['because.gala.internal/capability.BPF']).toBe('it loads one XDP program on the trunk');
  });

  test('an agent of a concern goes to the phase of the concern, its account and roles to phase rbac', () => {
    const out = rendered(aCluster(), (platform) => {
      const scope = new Construct(platform, 'network');
      scope.node.setContext(PHASE, 'network');
      new NodeAgent(scope, 'agent', {
        program: 'cni',
        memory: '64Mi',
        may: [{ verbs: ['get'], on: { group: '', resource: 'nodes' }, because: 'it finds the pool of its node' }],
      });
    });
    expect(out.fileOf('DaemonSet/gala-system/gala-cni')).toBe('40-network');
    expect(out.fileOf('ServiceAccount/gala-system/gala-cni')).toBe('20-rbac');
    expect(out.fileOf('ClusterRole/gala-cni')).toBe('20-rbac');
  });

  test("one of Gala's programs runs Gala's image, from the registry of the cluster", () => {
    const { container } = anAgent(
      { name: 'gala-cni', program: 'cni', image: undefined, args: ['--v=2'] },
      aCluster({ registry: 'harbor.bj.intra/gala' }),
    );
    expect(container.image).toMatch(/^harbor\.bj\.intra\/gala\/gala:[0-9.]+$/);
    expect(container.args).toEqual(['cni', '--v=2']);
  });

  test('a new image changes neither name nor selector', () => {
    const [before, after] = ['1.2.0', '1.3.0'].map((tag) => anAgent({ image: `harbor.bj.intra/sre/guard:${tag}` }).daemonSet);
    expect(after.spec.selector).toEqual(before.spec.selector);
    expect(after.spec.template.metadata).toEqual(before.spec.template.metadata);
  });

  test('a tenth of the hosts is without the agent while it is rolled, or what one says', () => {
    expect(anAgent().daemonSet.spec.updateStrategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: '10%' });
    expect(anAgent({ maxUnavailable: 1 }).daemonSet.spec.updateStrategy.rollingUpdate.maxUnavailable).toBe(1);
  });
});

describe('least privilege', () => {
  test('an agent without needs has no privilege but the network of the host', () => {
    const { pod, template, container } = anAgent();
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    });
    expect(Object.keys(template.annotations)).toEqual(['because.gala.internal/host-network']);
  });

  test('an agent without permissions has no token and is told no API server', () => {
    const { pod, container } = anAgent();
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(container.env).toBeUndefined();
  });

  test('an agent with permissions reaches the API server without kube-proxy', () => {
    const { pod, container } = anAgent({
      env: { NODE_NAME: { fieldPath: 'spec.nodeName' } },
      may: [{ verbs: ['get'], on: { group: '', resource: 'nodes' }, because: 'it finds the pool of its node' }],
    });
    expect(pod.automountServiceAccountToken).toBe(true);
    expect(container.env).toEqual([
      { name: 'KUBERNETES_SERVICE_HOST', value: '10.8.0.10' },
      { name: 'KUBERNETES_SERVICE_PORT', value: '6443' },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ]);
  });

  test('a privileged container is not also told that it may not escalate', () => {
    const { container, pod } = anAgent({ needs: [{ privileged: true, because: 'it loads kernel modules' }] });
    expect(container.securityContext).toEqual({ privileged: true, readOnlyRootFilesystem: true });
    expect(pod.securityContext).toMatchObject({ runAsUser: 0 });
  });

  test('SYS_ADMIN is escalation, and said so', () => {
    const { container } = anAgent({ needs: [{ capability: 'SYS_ADMIN', because: "it enters pods' namespaces" }] });
    expect(container.securityContext.allowPrivilegeEscalation).toBe(true);
  });

  test('a path of the host is read-only, submounts included, and read by nobody in particular', () => {
    const { pod, container } = anAgent({ needs: [{ hostPath: '/sys/class/net', because: 'it counts packets' }] });
    expect(pod.volumes).toEqual([{ name: 'sys-class-net', hostPath: { path: '/sys/class/net', type: 'Directory' } }]);
    expect(container.volumeMounts).toEqual([
      { name: 'sys-class-net', mountPath: '/sys/class/net', readOnly: true, recursiveReadOnly: 'IfPossible' },
    ]);
    expect(pod.securityContext.runAsNonRoot).toBe(true);
  });

  test('who writes to the host does so as root', () => {
    const { pod, container } = anAgent({
      needs: [{ hostPath: '/run/gala', type: 'DirectoryOrCreate', readOnly: false, because: 'its journal lies on tmpfs' }],
    });
    expect(pod.securityContext).toMatchObject({ runAsUser: 0, runAsGroup: 0 });
    expect(container.volumeMounts).toEqual([{ name: 'run-gala', mountPath: '/run/gala' }]);
  });

  test("an agent with a pod's network has neither host network nor the node's resolver", () => {
    const { pod, template } = anAgent({ network: 'pod' });
    expect(pod.hostNetwork).toBeUndefined();
    expect(pod.dnsPolicy).toBeUndefined();
    expect(template.annotations).toBeUndefined();
  });
});

describe('config files and probes', () => {
  const hashOf = (config: Record<string, string>) => anAgent({ config }).template.annotations['gala.internal/config-hash'];

  test('a changed file rolls the pods; the order of files does not', () => {
    expect(hashOf({ 'a.yaml': '1', 'b.yaml': '2' })).toBe(hashOf({ 'b.yaml': '2', 'a.yaml': '1' }));
    expect(hashOf({ 'a.yaml': '1' })).not.toBe(hashOf({ 'a.yaml': '2' }));
    expect(hashOf({ 'a.yaml': '1' })).not.toBe(hashOf({ 'b.yaml': '1' }));
  });

  test('files are a ConfigMap, mounted read-only', () => {
    const { out, pod, container } = anAgent({ config: { 'guard.yaml': 'mode: observe\n' } });
    expect(out.get('ConfigMap/gala-system/guard-config').data).toEqual({ 'guard.yaml': 'mode: observe\n' });
    expect(pod.volumes).toEqual([{ name: 'config', configMap: { name: 'guard-config' } }]);
    expect(container.volumeMounts).toEqual([{ name: 'config', mountPath: '/etc/guard', readOnly: true }]);
  });

  test('a probe over the network of the host asks loopback only', () => {
    const { container } = anAgent({
      needs: [{ hostPort: 9808, hostIP: '127.0.0.1', because: 'the kubelet probes it' }],
      livenessProbe: { httpGet: '/livez', port: 9808, periodSeconds: 5 },
    });
    expect(container.livenessProbe).toEqual({ periodSeconds: 5, httpGet: { path: '/livez', port: 9808, host: '127.0.0.1' } });
    expect(container.ports).toEqual([{ containerPort: 9808, hostPort: 9808, hostIP: '127.0.0.1', protocol: 'TCP' }]);
  });

  test('what is writable is said, with its size', () => {
    const { pod, container } = anAgent({ emptyDirs: { '/tmp': '16Mi' } });
    expect(pod.volumes).toEqual([{ name: 'empty-tmp', emptyDir: { sizeLimit: '16Mi' } }]);
    expect(container.volumeMounts).toEqual([{ name: 'empty-tmp', mountPath: '/tmp' }]);
  });
});

describe('what is refused', () => {
  test('everything wrong with an agent is said at once, with path, value, what is allowed and remedy', () => {
    expect(
      refusal({
        memory: '64',
        maxUnavailable: 0,
        needs: [
          { capability: 'CAP_BPF' as 'BPF', because: 'it loads one XDP program' },
          { hostPid: true, because: ' ' },
          { hostPort: 0, because: 'metrics' },
        ],
      }),
    ).toThrow(
      [
        "gala/guard: memory is '64'; a whole number of Mi or Gi. Write what it uses at its busiest, measured, plus some: '64Mi'.",
        "gala/guard: needs[0].capability is 'CAP_BPF'; a Linux capability without CAP_. Write 'BPF'.",
        'gala/guard: needs[1].because is " "; every privilege has its reason in words, host-pid too. Say what it does with it; if nothing comes to mind, leave the privilege out.',
        'gala/guard: needs[2].hostPort is 0; a port is 1 to 65535. Take one that nothing on the hosts listens on.',
        "gala/guard: maxUnavailable is 0; a number from 1, or '1%' to '100%'. With none it could never be updated.",
      ].join('\n'),
    );
  });

  test.each<[string, Partial<NodeAgentProps>, RegExp]>([
    ['an agent with neither image nor program', { image: undefined }, /image is missing; an image, or one of Gala's programs/],
    ['a name that is no DNS label', { name: 'Guard_1' }, /name is 'Guard_1'; lower-case letters, digits and -, at most 52/],
    ['a CPU in megahertz', { cpu: '20Mhz' }, /cpu is '20Mhz'; cores or thousandths of one/],
    [
      'the same privilege twice',
      {
        needs: [
          { hostPid: true, because: 'a' },
          { hostPid: true, because: 'b' },
        ],
      },
      /needs\[1\] repeats host-pid/,
    ],
    [
      'a capability beside privileged',
      {
        needs: [
          { privileged: true, because: 'a' },
          { capability: 'BPF', because: 'b' },
        ],
      },
      /needs\[1\] asks for BPF beside privileged/,
    ],
    [
      'mounts that reach the host from a container that is not privileged',
      { needs: [{ hostPath: '/mnt', propagation: 'Bidirectional', readOnly: false, because: 'it mounts volumes' }] },
      /propagation is 'Bidirectional' in a container that is not privileged/,
    ],
    ['a relative path of the host', { needs: [{ hostPath: 'var/lib', because: 'state' }] }, /hostPath is 'var\/lib'; an absolute path/],
    [
      'a path of the host that would hide another',
      { emptyDirs: { '/data': '1Gi' }, needs: [{ hostPath: '/data', because: 'state' }] },
      /mount \/data twice/,
    ],
    [
      'a path of the host too long for a volume name',
      { needs: [{ hostPath: `/${'long/'.repeat(12)}`, because: 'state' }] },
      /at most 53\. Give the volume of .* a short name/,
    ],
    [
      'a probe of a port that the agent has not asked for',
      { livenessProbe: { httpGet: '/livez', port: 9100 } },
      /livenessProbe\.port is 9100; .*add \{ hostPort: 9100/,
    ],
    [
      "both a pod's network and the host's",
      { network: 'pod', needs: [{ hostNetwork: true, because: 'links' }] },
      /network is 'pod', but needs ask/,
    ],
    ['a config file with a path for a name', { config: { 'a/b.yaml': '' } }, /config\.a\/b\.yaml is no key of a ConfigMap/],
  ])('%s is refused', (_, over, message) => {
    expect(refusal(over)).toThrow(message);
  });
});
