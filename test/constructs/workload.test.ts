import { expect, test } from '@jest/globals';
import { NodeAgent } from '../../constructs/node-agent.ts';
import { nonsenseOfWorkload, type WorkloadProps, workload } from '../../constructs/workload.ts';
import { aCluster, rendered } from './a-cluster.ts';

/** What is said of a workload under a construct of that id. */
function nonsenseOf(id: string, props: WorkloadProps) {
  let found: ReturnType<typeof nonsenseOfWorkload> = [];
  rendered(aCluster(), (scope) => {
    const agent = new NodeAgent(scope, 'guard', { image: 'guard:1', memory: '64Mi' });
    found = nonsenseOfWorkload(props, { ...workload(agent, props), name: props.name ?? id });
  });
  return found;
}

const wrong: WorkloadProps = {
  name: 'Guard',
  image: 'https://harbor/guard',
  memory: '64',
  cpu: 'one',
  network: 'pod',
  needs: [{ hostNetwork: true, because: 'it wires the host' }],
  config: { 'a/b': '' },
  configPath: '/etc/guard',
  emptyDirs: { '/etc/guard': '1Mi' },
};

test('whatever is refused of a workload, it is said what to do', () => {
  const found = nonsenseOf('guard', wrong);
  expect(found.map(({ path }) => path)).toEqual(['name', 'network', 'image', 'memory', 'cpu', 'config.a/b', 'needs']);
  for (const { path, remedy } of found) expect(`${path}: ${remedy ?? ''}`).toMatch(/: [A-Z].+\.$/);
});

test.each<[string, string, WorkloadProps, string]>([
  ['the construct id', 'Guard', { image: 'guard:1', memory: '64Mi' }, 'It is the construct id: change that, or give a name.'],
  ['the program', 'gala-Guard', { program: 'Guard', memory: '64Mi' }, 'It is made of the program: give a name.'],
])('a wrong name that is made of %s says so', (_, id, props, remedy) => {
  expect(nonsenseOf(id, props)).toEqual([expect.objectContaining({ path: 'name', remedy })]);
});

test('of a container beside, what is wrong is said with its name in front', () => {
  const beside: WorkloadProps['beside'] = {
    shipper: { image: 'https://harbor/shipper', memory: '64', needs: [{ hostPort: 70_000, because: 'peers ask it' }] },
    prober: { image: 'prober:1', memory: '64Mi', livenessProbe: { httpGet: '/livez', port: 9808 } },
    guard: { image: 'guard:1', memory: '64Mi' },
  };
  const needs: WorkloadProps['needs'] = [{ hostPort: 9808, because: 'peers ask it' }];
  const found = nonsenseOf('guard', { name: 'guard', image: 'guard:1', memory: '64Mi', needs, beside });
  expect(found.map(({ path }) => path)).toEqual([
    'beside.shipper.needs[0].hostPort',
    'beside.shipper.image',
    'beside.shipper.memory',
    // The port of the container it stands beside is not its own.
    'beside.prober.livenessProbe.port',
    'beside.guard',
  ]);
  for (const { path, remedy } of found) expect(`${path}: ${remedy ?? ''}`).toMatch(/: [A-Z].+\.$/);
});

test('a port that two containers of a pod ask for is refused', () => {
  const port = { hostPort: 9808, because: 'peers ask it' };
  const beside = { shipper: { image: 'shipper:1', memory: '64Mi', needs: [port] } };
  expect(nonsenseOf('guard', { name: 'guard', image: 'guard:1', memory: '64Mi', needs: [port], beside })).toEqual([
    expect.objectContaining({ path: 'beside.shipper.needs[0]', what: 'repeats host-port.9808' }),
  ]);
});
