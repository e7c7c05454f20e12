/** Controller: `gala controller`, which keeps NodeNetworks and the status of intranet HostPools. */
import { Construct } from 'constructs';
import { HostPool, IPLock, NodeNetwork } from '../lib/api/kinds.ts';
import { CONTROLLER_PORT } from '../lib/api/scheduling.ts';
import type { Permission } from './permission.ts';
import { Program } from './program.ts';

const MAY: readonly Permission[] = [
  { verbs: ['get', 'list', 'watch'], on: { group: '', resource: 'nodes' }, because: "a Node's pool, rack and machine are what it follows" },
  { verbs: ['get', 'list', 'watch'], on: HostPool, because: 'it counts hosts and addresses by what a pool says' },
  { verbs: ['update'], on: HostPool, subresource: 'status', because: 'it says which hosts are there and which addresses are taken' },
  { verbs: ['list', 'watch'], on: IPLock, because: 'they are the addresses that are taken' },
  {
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    on: NodeNetwork,
    because: 'it keeps one for each Node that has addresses from Gala',
  },
  {
    verbs: ['create', 'patch'],
    on: { group: 'events.k8s.io', resource: 'events' },
    because: "what is wrong with a Node's labels is told in its events",
  },
];

export interface ControllerProps {
  /** One leads, the others wait. @default 2 */
  readonly replicas?: number;
  /** @default '256Mi' */
  readonly memory?: string;
}

/** @example new Controller(scope, 'controller') */
export class Controller extends Construct {
  readonly program: Program;

  constructor(scope: Construct, id: string, props: ControllerProps = {}) {
    super(scope, id);
    const probe = { port: CONTROLLER_PORT };
    this.program = new Program(this, 'program', {
      program: 'controller',
      replicas: props.replicas,
      memory: props.memory ?? '256Mi',
      may: MAY,
      needs: [
        {
          hostPort: CONTROLLER_PORT,
          hostIP: '127.0.0.1',
          because: 'the kubelet probes it and a collector on the same host reads its metrics',
        },
      ],
      livenessProbe: { httpGet: '/livez', ...probe, timeoutSeconds: 5 },
      // A replica that waits for the Lease has read everything too, and is ready.
      readinessProbe: { httpGet: '/readyz', ...probe, timeoutSeconds: 5 },
      startupProbe: { httpGet: '/livez', ...probe, timeoutSeconds: 5, failureThreshold: 24 },
    });
  }
}
