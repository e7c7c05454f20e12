/** Host ports: what a pod holds of its host's addresses as long as it runs, and whether two of them are in each other's way. */
import type { Pod } from './pod.ts';
import { items, text } from './shape.ts';

export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  /** The address of the host that it listens on. */
  readonly ip: string;
  /** Into the object: `spec.template.spec.containers[0].ports[0]`. */
  readonly path: string;
}

/** Every address of the host. */
export const ANY = '0.0.0.0';

/** What a pod asks of its host's ports; on the host's network every declared port is one. */
export function hostPorts(pod: Pod): HostPort[] {
  return pod.containers.flatMap(({ spec, path, role }) =>
    role === 'init'
      ? []
      : items(spec.ports).flatMap(({ item, index }) => {
          const port = item.hostPort ?? (pod.hostNetwork ? item.containerPort : undefined);
          if (typeof port !== 'number' || port === 0) return [];
          return [{ port, protocol: text(item.protocol) ?? 'TCP', ip: text(item.hostIP) ?? ANY, path: `${path}.ports[${index}]` }];
        }),
  );
}

/** Whether only one of the two can listen on a host. */
export function clashes(a: Omit<HostPort, 'path'>, b: Omit<HostPort, 'path'>): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);
}
