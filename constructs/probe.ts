/** Probes: how the kubelet asks a container whether it lives. On the host's network they go to loopback, never to the LAN. */
import type { V1Probe } from '@kubernetes/client-node';
import type { Manifest } from '../lib/api/manifest.ts';
import type { Need } from './need.ts';
import type { Nonsense } from './nonsense.ts';

interface ProbeTiming {
  /** @default 10 */
  readonly periodSeconds?: number;
  /** @default 1 */
  readonly timeoutSeconds?: number;
  /** How often in a row it may fail. @default 3 */
  readonly failureThreshold?: number;
  /** @default 0 */
  readonly initialDelaySeconds?: number;
}
export interface ExecProbe extends ProbeTiming {
  /** A command in the container; success is exit 0. */
  readonly exec: readonly string[];
}
export interface HttpProbe extends ProbeTiming {
  /** Path; success is 200 to 399. */
  readonly httpGet: string;
  /** On the host's network also among the needs, as a `hostPort`. */
  readonly port: number;
  /** @default 'HTTP' */
  readonly scheme?: 'HTTP' | 'HTTPS';
}
export type Probe = ExecProbe | HttpProbe;

export function probe(probe: Probe | undefined, onHostNetwork: boolean): Manifest<V1Probe> | undefined {
  if (probe === undefined) return undefined;
  if ('exec' in probe) {
    const { exec, ...timing } = probe;
    return { ...timing, exec: { command: exec } };
  }
  const { httpGet: path, port, scheme, ...timing } = probe;
  return { ...timing, httpGet: { path, port, scheme, host: onHostNetwork ? '127.0.0.1' : undefined } };
}

/** A probe that would ask somebody else's port, or nobody's. */
export function nonsenseOfProbe(path: string, probe: Probe | undefined, needs: readonly Need[]): Nonsense[] {
  if (probe === undefined) return [];
  if ('exec' in probe)
    return probe.exec.length > 0
      ? []
      : [
          {
            path: `${path}.exec`,
            what: 'is empty',
            got: probe.exec,
            allowed: 'a command and its arguments',
            remedy: 'Name the command, or leave the probe out.',
          },
        ];
  const found: Nonsense[] = [];
  if (!probe.httpGet.startsWith('/'))
    found.push({
      path: `${path}.httpGet`,
      what: `is '${probe.httpGet}'`,
      got: probe.httpGet,
      allowed: 'a path that starts with /',
      remedy: 'Write /healthz, for example.',
    });
  const ports = needs.flatMap((need) => ('hostPort' in need ? [need.hostPort] : []));
  if (needs.some((need) => 'hostNetwork' in need) && !ports.includes(probe.port))
    found.push({
      path: `${path}.port`,
      what: `is ${probe.port}`,
      got: probe.port,
      allowed: ports.length === 0 ? 'a hostPort of its needs, of which there is none' : `a hostPort of its needs: ${ports.join(', ')}`,
      remedy: `On the host's network it listens on the host: add { hostPort: ${probe.port}, hostIP: '127.0.0.1', because: … } to needs.`,
    });
  return found;
}
