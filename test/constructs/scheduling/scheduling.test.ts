import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Scheduling, type SchedulingProps } from 'cdk8s-gala';
import { aCluster, anIntranetPool, rendered } from '../a-cluster.ts';

const pools = { web: anIntranetPool() };

function aScheduling(props: SchedulingProps = {}, over: object = {}) {
  const out = rendered(aCluster(over), (scope) => {
    new Scheduling(scope, 'scheduler', props);
  });
  const { spec } = out.get('Deployment/gala-system/gala-scheduler').spec.template;
  return { out, pod: spec, containers: spec.containers };
}

describe('the pod', () => {
  test('holds the stock scheduler and the program that it asks, each with ports, probes and memory of its own', () => {
    const [own, stock] = aScheduling().containers;
    expect(own).toMatchObject({
      name: 'gala-scheduler',
      image: expect.stringContaining('/gala:'),
      args: ['scheduler'],
      ports: [
        { containerPort: 10270, hostPort: 10270, hostIP: '127.0.0.1' },
        { containerPort: 10271, hostPort: 10271 },
      ],
      readinessProbe: { httpGet: { path: '/readyz', port: 10270, host: '127.0.0.1' } },
      resources: { limits: { memory: '512Mi' } },
    });
    expect(stock).toMatchObject({
      name: 'kube-scheduler',
      image: expect.stringContaining('/kube-scheduler:v1.37.'),
      ports: [{ containerPort: 10269, hostPort: 10269, hostIP: '127.0.0.1' }],
      readinessProbe: { httpGet: { path: '/readyz', port: 10269, scheme: 'HTTPS' } },
      resources: { limits: { memory: '1Gi' } },
    });
  });

  test('runs where the control plane does, on its network, under the default scheduler', () => {
    const { pod } = aScheduling();
    expect(pod).toMatchObject({ hostNetwork: true, priorityClassName: 'system-cluster-critical' });
    expect(pod.schedulerName).toBeUndefined();
    expect(JSON.stringify(pod.affinity)).toMatch(/node-role\.kubernetes\.io\/control-plane.*gala\.internal\/system/);
  });

  test('both containers find the API server without a Service', () => {
    for (const { env } of aScheduling().containers) expect(env).toContainEqual({ name: 'KUBERNETES_SERVICE_HOST', value: '10.8.0.10' });
  });

  test('only the stock scheduler sees its configuration', () => {
    const [own, stock] = aScheduling().containers;
    expect(own.volumeMounts).toBeUndefined();
    expect(stock.volumeMounts).toEqual([{ name: 'config-kube-scheduler', mountPath: '/etc/kube-scheduler', readOnly: true }]);
  });

  test('each of its programs leads by a Lease of its own', () => {
    const { rules } = aScheduling().out.get('Role/gala-system/gala-scheduler');
    const named = rules.filter(({ resources }: { resources: string[] }) => resources[0] === 'leases');
    expect(named.map(({ verbs, resourceNames }: { verbs: string[]; resourceNames?: string[] }) => [verbs, resourceNames])).toEqual([
      [['get', 'update'], ['gala-lock-writer']],
      [['get', 'update'], ['gala-scheduler']],
      [['create'], undefined],
    ]);
  });
});

const everyOption: SchedulingProps = {
  prometheus: 'https://prom.bj.intra',
  missingSamples: 'refuse',
  sampleMaxAgeSeconds: 30,
  apiCertificate: 'gala-api-tls',
  unlockedPods: 'score',
};

test('what a definition says becomes flags of gala scheduler; what it leaves out stays the default', () => {
  expect(aScheduling(everyOption).containers[0].args).toEqual([
    'scheduler',
    '--serving-secret=gala-api-tls',
    '--prometheus-url=https://prom.bj.intra',
    '--missing-samples=refuse',
    '--sample-max-age=30',
    '--unlocked-pods=score',
  ]);
});

test('each is a flag that gala scheduler has', () => {
  const page = readFileSync('docs/stock-api.md', 'utf8');
  for (const arg of aScheduling(everyOption).containers[0].args.slice(1)) expect(page).toContain(`\n| \`${arg.split('=')[0]} `);
});

describe('the API', () => {
  test('is found by a headless Service that names ready replicas only', () => {
    expect(aScheduling().out.get('Service/gala-system/gala-scheduler').spec).toEqual({
      clusterIP: 'None',
      selector: { 'app.kubernetes.io/name': 'gala-scheduler' },
      ports: [{ name: 'api', port: 10271, targetPort: 10271, protocol: 'TCP' }],
    });
  });

  const secrets = (props: SchedulingProps) =>
    aScheduling(props)
      .out.get('Role/gala-system/gala-scheduler')
      .rules.filter(({ resources }: { resources: string[] }) => resources[0] === 'secrets');

  test('makes its own authority, and reads no other Secret', () => {
    expect(secrets({})).toMatchObject([
      { verbs: ['get', 'list', 'watch', 'update'], resourceNames: ['gala-scheduler-ca'] },
      { verbs: ['create'] },
    ]);
  });

  test('reads the Secret that the site brings, and writes none', () => {
    expect(secrets({ apiCertificate: 'gala-api-tls' })).toMatchObject([
      { verbs: ['get', 'list', 'watch'], resourceNames: ['gala-api-tls'] },
    ]);
  });
});

describe('the controller', () => {
  test('comes where there are pools', () => {
    expect(aScheduling({ replicas: 1 }, { pools }).out.get('Deployment/gala-system/gala-controller').spec.replicas).toBe(1);
    expect(aScheduling().out.has('Deployment/gala-system/gala-controller')).toBe(false);
  });
});

describe('pods without a Lock', () => {
  const extender = (unlockedPods?: 'refuse' | 'score') => {
    const { out } = aScheduling({ unlockedPods });
    return out.get('ConfigMap/gala-system/gala-scheduler-kube-scheduler-config').data['kube-scheduler.yaml'];
  };

  test('are scored where the definition asks for it, and only there', () => {
    expect(extender('score')).toMatch(/prioritizeVerb: prioritize\n +weight: \d+/);
    expect(extender()).not.toContain('prioritizeVerb');
  });
});
