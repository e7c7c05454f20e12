/** What looks wrong and is right: the gate says nothing about these. */
import { describe, expect, test } from '@jest/globals';
import { type Finding, findingLine, gate } from '../../lib/gate/gate.ts';
import {
  type Any,
  aBudget,
  aCluster,
  aClusterRole,
  aClusterRoleBinding,
  aConfigMap,
  aCrd,
  aDaemonSet,
  aDeployment,
  aHostPool,
  aPolicy,
  aService,
  aServiceAccount,
  type Change,
  CONTEXT,
  inputs,
  NAMESPACE,
} from './builders.ts';

const found = (...args: Parameters<typeof gate>): Finding[] => gate(...args);
const lines = (...args: Parameters<typeof gate>): string[] => gate(...args).map(findingLine);
const pod = (object: Any) => object.spec.template.spec;
const first = (object: Any) => pod(object).containers[0];

describe('references', () => {
  const needsSecret: Change = (d) => (pod(d).imagePullSecrets = [{ name: 'harbor' }]);

  test('a Secret that the workload says is provided, by annotation on itself or on its pods', () => {
    for (const provided of ['Secret/harbor', `Secret/${NAMESPACE}/harbor`, 'ConfigMap/a, Secret/harbor']) {
      const onObject = aDeployment((d) => {
        needsSecret(d);
        d.metadata.annotations = { 'gala.internal/provided': provided };
      });
      const onPods = aDeployment((d) => {
        needsSecret(d);
        d.spec.template.metadata.annotations = { 'gala.internal/provided': provided };
      });
      expect(lines(aCluster(onObject), CONTEXT)).toEqual([]);
      expect(lines(aCluster(onPods), CONTEXT)).toEqual([]);
    }
  });

  test('a Secret of another namespace that is provided does not excuse this one', () => {
    const other = aDeployment((d) => {
      needsSecret(d);
      d.metadata.annotations = { 'gala.internal/provided': 'Secret/web/harbor' };
    });
    expect(found(aCluster(other), CONTEXT).map(({ rule }) => rule)).toEqual(['dangling-secret']);
  });

  test('a Secret that the context knows', () => {
    expect(lines(aCluster(aDeployment(needsSecret)), { ...CONTEXT, existing: [`Secret/${NAMESPACE}/harbor`] })).toEqual([]);
  });

  test('references marked optional, in env, envFrom and volumes', () => {
    const optional = aDeployment((d) => {
      first(d).envFrom = [{ configMapRef: { name: 'gone', optional: true } }, { secretRef: { name: 'gone', optional: true } }];
      first(d).env.push({ name: 'A', valueFrom: { secretKeyRef: { name: 'gone', key: 'a', optional: true } } });
      pod(d).volumes = [
        { name: 'a', secret: { secretName: 'gone', optional: true } },
        { name: 'b', projected: { sources: [{ configMap: { name: 'gone', optional: true } }] } },
      ];
    });
    expect(lines(aCluster(optional), CONTEXT)).toEqual([]);
  });

  test('what every cluster has: default accounts, system priorities, system roles, kube-system', () => {
    const binding = aClusterRoleBinding((b) => {
      b.metadata.name = 'auth';
      b.roleRef.name = 'system:auth-delegator';
      b.subjects = [
        { kind: 'ServiceAccount', name: 'default', namespace: 'kube-system' },
        { kind: 'Group', name: 'sre' },
      ];
    });
    const map = aConfigMap((c) => (c.metadata.namespace = 'kube-system'));
    expect(lines([...aCluster(), ...inputs(binding, map)], CONTEXT)).toEqual([]);
  });

  test('volumes of a StatefulSet come from its claim templates', () => {
    const statefulSet = aDeployment((d) => {
      d.kind = 'StatefulSet';
      d.metadata.name = 'feed-db';
      d.spec.serviceName = 'feed-api';
      d.spec.volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: {} }];
      first(d).volumeMounts = [{ name: 'data', mountPath: '/data' }];
    });
    expect(lines([...aCluster(), ...inputs(statefulSet)], CONTEXT)).toEqual([]);
  });
});

describe('fields', () => {
  test('a field newer than the models is a warning in a newer cluster, an error in one that cannot have it', () => {
    const newer = aCluster(aDeployment((d) => (pod(d).quantumPlacement = {})));
    expect(found(newer, { ...CONTEXT, kubernetes: '1.37' })).toMatchObject([{ rule: 'unknown-field', severity: 'warning' }]);
    expect(found(newer, { ...CONTEXT, kubernetes: '1.36' })).toMatchObject([{ rule: 'unknown-field', severity: 'error' }]);
  });

  test('a typo is an error in every cluster and names what was meant; so is a field in the wrong place', () => {
    const typo = aCluster(aDeployment((d) => (pod(d).hostnetwork = false)));
    expect(found(typo, { ...CONTEXT, kubernetes: '1.37' })).toMatchObject([{ severity: 'error', remedy: 'Did you mean hostNetwork?' }]);
    const outer = aCluster(aDeployment((d) => (first(d).hostNetwork = false)));
    expect(found(outer, { ...CONTEXT, kubernetes: '1.37' })).toMatchObject([{ severity: 'error', remedy: 'Move it outwards.' }]);
    const inner = aCluster(aDeployment((d) => (d.spec.template.containers = [])));
    expect(found(inner, { ...CONTEXT, kubernetes: '1.37' })).toMatchObject([{ severity: 'error', remedy: 'Move it into spec.' }]);
  });

  test('numbers where quantities and ports stand, and $ref, x-kubernetes-* and null defaults in a CRD', () => {
    const numbers = aDeployment((d) => {
      first(d).resources = { requests: { cpu: 2, memory: 1 }, limits: { memory: '1Gi' } };
      first(d).livenessProbe = { httpGet: { port: 8080 } };
      pod(d).volumes = [{ name: 'a', emptyDir: { sizeLimit: 1024 } }];
    });
    const crd = aCrd((c) => {
      const { properties } = c.spec.versions[0].schema.openAPIV3Schema;
      properties.spec.properties.note = {
        type: 'string',
        nullable: true,
        default: null,
        enum: ['a', null],
        'x-kubernetes-validations': [{ rule: 'true' }],
      };
      properties.spec.properties.size = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] };
    });
    expect(lines(aCluster(numbers, crd), CONTEXT)).toEqual([]);
  });

  test("a custom kind whose CRD is not here, and what a CRD's schema leaves open", () => {
    const foreign = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'a' }, spec: { anything: 1 } };
    const open = aHostPool((h) => {
      h.spec.labels.rack = 'r13';
      h.spec.template = { spec: { undreamt: 1 } };
      h.metadata.labels = { rack: 'r13' };
    });
    expect(lines(aCluster(open, foreign), CONTEXT)).toEqual([]);
  });

  test('an undefined field is left out of YAML and no loss', () => {
    expect(lines(aCluster(aDeployment((d) => (d.spec.paused = undefined))), CONTEXT)).toEqual([]);
  });

  test('text of a ConfigMap may hold anything', () => {
    expect(lines(aCluster(aConfigMap((c) => (c.data['app.js'] = 'x===undefined'))), CONTEXT)).toEqual([]);
  });
});

describe('services', () => {
  const clusterIp = aService((s) => delete s.spec.clusterIP);

  test('with kube-proxy every Service may be named', () => {
    expect(lines(aCluster(clusterIp), { ...CONTEXT, services: 'kube-proxy' })).toEqual([]);
  });

  test('without kube-proxy: headless Services, single pods of them, hosts outside, and provided ones', () => {
    const told = aDeployment((d) => {
      d.metadata.annotations = { 'gala.internal/provided': 'Service/monitoring/prometheus' };
      first(d).args = [
        `--peer=feed-api-0.feed-api.${NAMESPACE}.svc.cluster.local:8080`,
        '--push=https://prom.bj.intra/api/v1/write',
        '--prometheus=http://prometheus.monitoring.svc:9090',
        '--file=/etc/runit.svc.d/x',
      ];
    });
    expect(lines(aCluster(told), CONTEXT)).toEqual([]);
  });

  test("a program on the host's network that calls no API needs no address of it", () => {
    const noToken = aDaemonSet((d) => {
      first(d).env = [];
      pod(d).automountServiceAccountToken = false;
    });
    expect(lines(aCluster(noToken), CONTEXT)).toEqual([]);
    const accountSaysNo = aServiceAccount((s) => (s.automountServiceAccountToken = false));
    expect(
      lines(
        aCluster(
          aDaemonSet((d) => (first(d).env = [])),
          accountSaysNo,
        ),
        CONTEXT,
      ),
    ).toEqual([]);
  });

  test("cluster names on the host's network with dnsPolicy ClusterFirstWithHostNet", () => {
    const agent = aDaemonSet((d) => {
      pod(d).dnsPolicy = 'ClusterFirstWithHostNet';
      first(d).env.push({ name: 'PEERS', value: `feed-api.${NAMESPACE}.svc:8080` });
    });
    expect(lines(aCluster(agent), CONTEXT)).toEqual([]);
  });
});

describe('headless Services', () => {
  test('whose pods name the port differently, or are not known, are not judged', () => {
    const provided = aService((s) => {
      s.spec = { ...s.spec, selector: { app: 'elsewhere' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] };
      s.metadata.annotations = { 'gala.internal/provided': 'Pod/elsewhere' };
    });
    const peers = aDeployment((d) => (first(d).env = []));
    expect(lines(aCluster(provided, peers, aBudget()), CONTEXT)).toEqual([]);
  });

  test('one with a cluster IP translates', () => {
    const translating = aService((s) => {
      delete s.spec.clusterIP;
      s.spec.ports[0].port = 443;
    });
    expect(lines(aCluster(translating), { ...CONTEXT, services: 'kube-proxy' })).toEqual([]);
  });
});

describe('roles', () => {
  test('user roles need neither binding nor reasons', () => {
    const userRole = aClusterRole((r) => {
      r.metadata = { name: 'gala-view', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } };
    });
    expect(lines([...aCluster(), ...inputs(userRole)], CONTEXT)).toEqual([]);
  });

  test('a role that the site binds, and a wildcard with its reason', () => {
    const operator = aClusterRole((r) => {
      r.metadata.name = 'gala-operator';
      r.metadata.annotations['because.gala.internal/unbound'] = 'the site binds it to its operators';
      r.metadata.annotations['because.gala.internal/wildcard.0'] = 'operators may do anything to pods';
      r.rules[0].verbs = ['*'];
    });
    expect(lines([...aCluster(), ...inputs(operator)], CONTEXT)).toEqual([]);
  });

  test('resources that only authorization knows, and those of other groups', () => {
    const role = aClusterRole((r) => {
      r.rules = [
        { apiGroups: [''], resources: ['nodes/metrics', 'nodes/configz', 'users'], verbs: ['get', 'impersonate'] },
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['signers', 'certificatesigningrequests/approval', 'certificatesigningrequests/selfnodeclient'],
          verbs: ['approve', 'update'],
        },
        { apiGroups: ['gala.internal'], resources: ['locks/status', 'count'], verbs: ['patch'] },
        { apiGroups: ['', 'apps'], resources: ['pods', 'daemonsets', 'daemonsets/finalizers'], verbs: ['get'] },
        { nonResourceURLs: ['/metrics'], verbs: ['get'] },
      ];
      for (let i = 0; i < r.rules.length; i++) r.metadata.annotations[`because.gala.internal/rule.${i}`] = 'needed';
    });
    expect(lines(aCluster(role), CONTEXT)).toEqual([]);
  });
});

test('a resource newer than the models is a warning in a newer cluster, a typo an error in every one', () => {
  const on = (resource: string) => aCluster(aClusterRole((r) => (r.rules[0].resources = [resource])));
  expect(found(on('podcasts'), { ...CONTEXT, kubernetes: '1.37' })).toMatchObject([{ rule: 'rbac-unknown-resource', severity: 'warning' }]);
  expect(found(on('podcasts'), { ...CONTEXT, kubernetes: '1.36' })).toMatchObject([{ severity: 'error' }]);
  expect(found(on('pod'), { ...CONTEXT, kubernetes: '1.37' })).toMatchObject([{ severity: 'error', remedy: 'Did you mean pods?' }]);
});

describe('policies', () => {
  const rule =
    (over: object): Change =>
    (p) =>
      Object.assign(p.spec.matchConstraints.resourceRules[0], over);

  test('one that the site binds, and says so', () => {
    const site = aPolicy((p) => {
      p.metadata = { name: 'a', annotations: { 'because.gala.internal/unbound': 'the site binds it namespace by namespace' } };
    });
    expect(lines([...aCluster(), ...inputs(site)], CONTEXT)).toEqual([]);
  });

  test.each([
    ["somebody else's group", { apiGroups: ['karpenter.sh'], resources: ['nodepools'] }],
    ['a built-in group and one of somebody else', { apiGroups: ['apps', 'karpenter.sh'], resources: ['nodepools'] }],
    ['every resource and subresource', { apiGroups: ['*'], resources: ['*/*'] }],
    ['a kind whose CRD is rendered, and its status', { apiGroups: ['gala.internal'], resources: ['hostpools', 'hostpools/status'] }],
    ['subresources that have a request of their own', { resources: ['pods/binding', 'pods/ephemeralcontainers'] }],
  ])('on %s', (_, over) => {
    expect(lines(aCluster(aPolicy(rule(over))), CONTEXT)).toEqual([]);
  });

  test('one that only notes what it sees', () => {
    const notes = aPolicy((p) => {
      p.spec.auditAnnotations = [{ key: 'who', valueExpression: 'request.userInfo.username' }];
      delete p.spec.validations;
    });
    expect(lines(aCluster(notes), CONTEXT)).toEqual([]);
  });
});

describe('privileges', () => {
  test('root where a reason for it stands, or another privilege that only root can use', () => {
    const asRoot = aDeployment((d) => {
      pod(d).securityContext = { runAsUser: 0 };
      d.spec.template.metadata.annotations = { 'because.gala.internal/root': "it reads the node's certificates" };
    });
    expect(lines(aCluster(asRoot), CONTEXT)).toEqual([]);
    expect(lines(aCluster(aDaemonSet((d) => (pod(d).securityContext = { runAsUser: 0 }))), CONTEXT)).toEqual([]);
    const ownUser = aDeployment((d) => {
      pod(d).securityContext = { runAsUser: 0 };
      first(d).securityContext = { runAsUser: 65532 };
    });
    expect(lines(aCluster(ownUser), CONTEXT)).toEqual([]);
  });

  test('sysctls that every pod may set, and others with a reason', () => {
    const tuned = aDeployment((d) => {
      pod(d).securityContext = {
        sysctls: [
          { name: 'net.ipv4.ip_local_port_range', value: '15000 64000' },
          { name: 'net.core.somaxconn', value: '4096' },
        ],
      };
      d.spec.template.metadata.annotations = {
        'because.gala.internal/sysctl.net.core.somaxconn': 'bursts of connections at the full hour',
      };
    });
    expect(lines(aCluster(tuned), CONTEXT)).toEqual([]);
  });

  test('a privileged pod without seccomp: that is what privileged means', () => {
    const privileged = aDaemonSet((d) => {
      d.spec.template.metadata.annotations['because.gala.internal/privileged'] = 'it mounts';
      pod(d).securityContext = { seccompProfile: { type: 'Unconfined' } };
      first(d).securityContext = { privileged: true };
    });
    expect(lines(aCluster(privileged), CONTEXT)).toEqual([]);
  });

  test('powerful roles and broad groups with a reason, and a rendered role that has such a name', () => {
    const grant = aClusterRoleBinding((b) => {
      b.metadata = {
        name: 'ops',
        annotations: {
          'because.gala.internal/role': 'operators of the platform',
          'because.gala.internal/subject.0': 'everybody who may log in is one',
        },
      };
      b.roleRef.name = 'admin';
      b.subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' }];
    });
    expect(lines([...aCluster(), ...inputs(grant)], CONTEXT)).toEqual([]);
  });
});

test.each([
  `nginx@sha256:${'0a'.repeat(32)}`,
  `nginx:latest@sha512:${'0a'.repeat(64)}`,
  'nginx:1.29-alpine',
  'feed/api:main-20261124-c0ffee1',
  'harbor.bj.intra:5000/stable/api:v3',
  'feed/api:mainline',
])('an image that stays what it is: %s', (image) => {
  expect(lines(aCluster(aDeployment((d) => (first(d).image = image))), CONTEXT)).toEqual([]);
});

describe('plain text', () => {
  test.each([
    ['DB_PASSWORD', ''],
    ['DB_PASSWORD', '$(FROM_ELSEWHERE)'],
    ['DB_PASSWORD', '/run/secrets/db'],
    ['DB_PASSWORD_FILE', 'secrets/db'],
    ['PASSWORD_MIN_LENGTH', '12'],
    ['TLS_SECRET', 'feed-tls'],
    ['IMAGE_PULL_SECRET_NAME', 'harbor'],
    ['MAX_TOKEN', '4096'],
    ['SERVICE_ACCOUNT_TOKEN', 'true'],
    ['TOKEN_URL', 'https://sso.bj.intra/token'],
    ['OIDC_TOKEN', 'https://sso.bj.intra/token'],
    ['AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE'],
    ['KEY', 'created_at'],
    ['PWD', '/srv/feed'],
    ['SECOND_PASS', '2'],
    ['AMQP', 'amqp://feed:{{ .password }}@mq.bj.intra'],
    ['TOKENIZER', 'bpe'],
    ['DB', 'postgres://feed:$(DB_PASSWORD)@db.bj.intra/feed'],
    ['PUSH', 'https://prom.bj.intra:9090/api?at=a@b'],
  ])('%s=%s is no secret', (name, value) => {
    const env = aDeployment((d) => first(d).env.push({ name, value }));
    const args = aDeployment((d) => (first(d).args = [`--${name.toLowerCase().replaceAll('_', '-')}=${value}`]));
    const map = aConfigMap((c) => (c.data[name] = value));
    for (const one of [env, args, map]) expect(lines(aCluster(one), CONTEXT)).toEqual([]);
  });

  test.each(['DB_PASS', 'redisPassword2', 'AWS_SECRET_ACCESS_KEY', 'api-key', 'JWT_SECRET'])('%s=hunter2 is one', (name) => {
    const map = aConfigMap((c) => (c.data[name] = 'hunter2'));
    expect(found(aCluster(map), CONTEXT)).toMatchObject([{ rule: 'secret-in-plain-text' }]);
  });

  test('a secret is not repeated in what is said about it', () => {
    const [finding] = found(aCluster(aDeployment((d) => (first(d).args = ['--db-password=hunter2']))), CONTEXT);
    expect(findingLine(finding as Finding)).not.toContain('hunter2');
    expect(finding).toMatchObject({ rule: 'secret-in-plain-text', severity: 'warning', message: '--db-password is given a secret' });
  });

  test('an option that is a switch, and files that speak of passwords', () => {
    const program = aDeployment((d) => (first(d).args = ['--token', '--verbose', 'password=x']));
    const map = aConfigMap((c) => (c.data['app.yaml'] = 'password: $(DB_PASSWORD)\ntoken: a\n'));
    expect(lines(aCluster(program, map), CONTEXT)).toEqual([]);
  });
});

describe('hosts', () => {
  test('the same host port on hosts of different pools, or on different addresses of one host', () => {
    const elsewhere = aDaemonSet((d) => {
      d.metadata.name = 'gala-node';
      pod(d).nodeSelector = { 'gala.internal/pool': 'ml' };
    });
    const here = aDaemonSet((d) => (pod(d).nodeSelector = { 'gala.internal/pool': 'web' }));
    expect(lines([...aCluster(here), ...inputs(elsewhere)], CONTEXT)).toEqual([]);
    const loopback = aDaemonSet((d) => (first(d).ports[0].hostIP = '127.0.0.1'));
    const dummy = aDaemonSet((d) => {
      d.metadata.name = 'gala-node';
      first(d).ports[0].hostIP = '169.254.20.10';
    });
    expect(lines([...aCluster(loopback), ...inputs(dummy)], CONTEXT)).toEqual([]);
  });

  const REASON = { 'because.gala.internal/host-port.9811': 'a balancer outside asks it' };
  const onPort = (kind: string, name: string, more: Any = {}) =>
    aDeployment((d) => {
      d.kind = kind;
      d.metadata.name = name;
      d.spec.template.metadata.annotations = REASON;
      first(d).ports = [{ name: 'http', containerPort: 8080, hostPort: 9811 }];
      Object.assign(pod(d), more);
    });
  const terms = (...nodeSelectorTerms: Any[]) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const key = 'node-role.kubernetes.io/control-plane';
  const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });

  test('two Deployments that want one host port may find hosts of their own: a warning', () => {
    const two = [onPort('Deployment', 'a'), onPort('StatefulSet', 'b')];
    two[1].spec.serviceName = 'feed-api';
    const findings = found([...aCluster(aDaemonSet((d) => (first(d).ports[0].containerPort = 9812))), ...inputs(...two)], CONTEXT);
    expect(findings.map(({ rule, severity, object }) => [rule, severity, object])).toEqual([
      ['host-port-collision', 'warning', `StatefulSet/${NAMESPACE}/b`],
    ]);
  });

  test('a host port wanted by pods that never meet: other labels, other affinity, nodes set apart by a taint, no replicas', () => {
    const apart: [Any, Change][] = [
      [
        { nodeSelector: { 'gala.internal/pool': 'ml' } },
        (d) => Object.assign(pod(d), terms(expression('gala.internal/pool', 'In', 'web'))),
      ],
      [terms(expression('gpu', 'DoesNotExist')), (d) => (pod(d).nodeSelector = { gpu: 'a100' })],
      [terms(expression('zone', 'NotIn', 'a', 'b')), (d) => Object.assign(pod(d), terms(expression('zone', 'In', 'a')))],
      [{ ...terms(expression(key, 'Exists')), tolerations: [{ key, operator: 'Exists' }] }, () => {}],
    ];
    for (const [mine, theirs] of apart)
      expect(lines([...aCluster(aDaemonSet(theirs)), ...inputs(onPort('Deployment', 'a', mine))], CONTEXT)).toEqual([]);
    const idle = onPort('Deployment', 'a');
    idle.spec.replicas = 0;
    expect(lines([...aCluster(), ...inputs(idle)], CONTEXT)).toEqual([]);
  });

  test('a host port wanted where one of several terms lets them meet', () => {
    const either = onPort(
      'Deployment',
      'a',
      terms(expression('gala.internal/pool', 'In', 'ml'), expression('gala.internal/pool', 'In', 'web')),
    );
    const agent = aDaemonSet((d) => (pod(d).nodeSelector = { 'gala.internal/pool': 'web' }));
    expect(found([...aCluster(agent), ...inputs(either)], CONTEXT).map(({ rule, severity }) => [rule, severity])).toEqual([
      ['host-port-collision', 'error'],
    ]);
  });

  test("the control plane's ports on nodes that are not its own, loopback ones on another address, and kube-proxy itself", () => {
    const agent = (port: number, change: Change = () => {}) =>
      aDaemonSet((d) => {
        first(d).ports[0].containerPort = port;
        change(d);
      });
    expect(lines(aCluster(agent(6443)), CONTEXT)).toEqual([]);
    expect(lines(aCluster(agent(10256)), CONTEXT)).toEqual([]);
    expect(lines(aCluster(agent(10248, (d) => (first(d).ports[0].hostIP = '169.254.20.10'))), CONTEXT)).toEqual([]);
    const proxy = agent(10256, (d) => (first(d).image = 'registry.k8s.io/kube-proxy:v1.36.6'));
    expect(lines(aCluster(proxy), { ...CONTEXT, services: 'kube-proxy' })).toEqual([]);
    const everywhere = agent(6443, (d) => (pod(d).tolerations = [{ operator: 'Exists' }]));
    expect(found(aCluster(everywhere), CONTEXT)).toMatchObject([{ rule: 'host-port-taken', severity: 'warning' }]);
  });

  test('a budget that counts on a workload whose size something else owns', () => {
    const budget = aBudget((b) => (b.spec = { minAvailable: 2, selector: b.spec.selector }));
    expect(
      lines(
        aCluster(
          budget,
          aDeployment((d) => delete d.spec.replicas),
        ),
        CONTEXT,
      ),
    ).toEqual([]);
  });
});

test("a custom kind's pod template is checked as any other, and its pods are selected", () => {
  const { spec } = aDeployment((d) => (first(d).image = 'nginx'));
  const servicePool = {
    apiVersion: 'example.com/v1',
    kind: 'ServicePool',
    metadata: { name: 'ads', namespace: NAMESPACE },
    spec: { template: { ...spec.template, metadata: { labels: { app: 'ads' } } } },
  };
  const service = aService((s) => {
    s.metadata.name = 'ads';
    s.spec.selector = { app: 'ads' };
  });
  expect(found([...aCluster(), ...inputs(servicePool, service)], CONTEXT).map(({ rule, object }) => [rule, object])).toEqual([
    ['image-unpinned', `ServicePool/${NAMESPACE}/ads`],
  ]);
});

test('a finding reads as file, object, path, what, remedy and rule', () => {
  const [finding] = found(aCluster(aDeployment((d) => (first(d).image = 'nginx'))), CONTEXT);
  expect(findingLine(finding as Finding)).toBe(
    'dist/bj-a/40-network.yaml: Deployment/gala-system/feed-api: spec.template.spec.containers[0].image: image is "nginx". Use a digest (@sha256:…) or a version tag. [image-unpinned]',
  );
});
