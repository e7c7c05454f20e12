/** A concern that fills a cluster up to a given number of objects with what a platform is made of: agents, programs, files. */
import { add, defineConcern, integer, NodeAgent, Platform, Program } from 'cdk8s-gala';
import { CONCERNS } from '../../../constructs/concerns.ts';

/** ServiceAccount, ClusterRole, ClusterRoleBinding, ConfigMap, DaemonSet. */
const AGENT_OBJECTS = 5;
/** The same with a Deployment, and a PodDisruptionBudget, and Role and RoleBinding for its Lease. */
const PROGRAM_OBJECTS = 8;
const FIVE = 4 * AGENT_OBJECTS + PROGRAM_OBJECTS;

export const filler = defineConcern({
  name: 'filler',
  // After all others: it counts what is there.
  requires: CONCERNS.flatMap(({ name, optIn }) => (optIn ? [] : [name])),
  options: { objects: integer({ doc: 'How many objects the cluster has in the end.', min: 100, max: 100_000, example: 500 }) },
  render(scope, { objects }) {
    let left = objects - Platform.of(scope).objects.length;
    for (let five = 0; left >= FIVE; five++, left -= FIVE) {
      for (let agent = 0; agent < 4; agent++) new NodeAgent(scope, `agent-${five}-${agent}`, workload(`agent-${five}-${agent}`));
      new Program(scope, `program-${five}`, workload(`program-${five}`));
    }
    for (let file = 0; file < left; file++)
      add(scope, 'ops', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `file-${file}`, namespace: 'gala-system' },
        data: { 'settings.conf': settings(`file-${file}`) },
      } as never);
  },
});

const workload = (name: string) =>
  ({
    image: `harbor.bj.intra/sre/${name}:1.2.${name.length}`,
    memory: '64Mi',
    env: { NODE_NAME: { fieldPath: 'spec.nodeName' } },
    config: { 'settings.conf': settings(name) },
    may: [
      { verbs: ['get', 'watch'], on: { group: '', resource: 'pods' }, because: 'it follows the pods of its node' },
      { verbs: ['patch'], on: { group: '', resource: 'nodes' }, subresource: 'status', because: 'it reports what it found' },
    ],
  }) as const;

/** Twenty lines, as a small file has. */
const settings = (name: string): string => Array.from({ length: 20 }, (_, line) => `${name}.key-${line} = value of ${line}\n`).join('');
