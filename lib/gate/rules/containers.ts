/** Inside a pod: names, ports, volumes and mounts that must be unique or must exist. */
import type { Container, Pod } from '../pod.ts';
import { type Found, family } from '../rule.ts';
import { fields, items, shown, text, within } from '../shape.ts';

export const containerRules = family({
  name: 'containers',
  rules: {
    'duplicate-in-pod': {
      severity: 'error',
      server: 'either',
      reason:
        'Containers, ports, volumes, mount paths and env entries are told apart by name: the API server refuses two. It only warns of two containers that want one port of the host, and the second cannot listen.',
      remedy: 'Rename or remove one of them.',
    },
    'mount-without-volume': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a pod that mounts a volume it does not declare.',
      remedy: 'Declare the volume in the pod, or correct the name.',
    },
    'probe-port-missing': {
      severity: 'error',
      server: 'accepts',
      reason: 'A probe or hook that names a port its container does not declare fails for ever.',
      remedy: "Use a port name of the same container, or the port's number.",
    },
    'host-port-mismatch': {
      severity: 'error',
      server: 'refuses',
      reason: "On the host's network a port is the host's own port: the API server refuses a different hostPort.",
      remedy: 'Leave hostPort out.',
    },
    'no-containers': {
      severity: 'error',
      server: 'refuses',
      reason: 'The API server refuses a pod without containers.',
      remedy: 'Add one.',
    },
  },
  object({ kind, ...object }, _cluster, found) {
    // What has a template and nothing in it makes no pod that could be looked at.
    const { containers } = within(object, 'spec', 'template', 'spec');
    if (WITH_TEMPLATE.has(kind) && containers === undefined)
      found('no-containers', 'spec.template.spec.containers', 'containers is missing');
  },
  pod(pod, _cluster, found) {
    if (Array.isArray(pod.spec.containers) && pod.spec.containers.length === 0)
      found('no-containers', `${pod.path}.containers`, 'containers is empty');
    // A container without a name is a missing field, not a duplicate.
    twice(
      pod.containers.map(({ name, path }) => [name, `${path}.name`]),
      'container',
      found,
    );
    twice(
      pod.volumes.map(({ name, path }) => [name, `${path}.name`]),
      'volume',
      found,
    );
    for (const container of pod.containers) {
      ports(container, pod, found);
      mounts(container, pod, found);
      probes(container, found);
      twice(
        items(container.spec.env).map(({ item, index }) => [text(item.name) ?? '', `${container.path}.env[${index}].name`]),
        'env',
        found,
      );
    }
    hostPorts(pod, found);
  },
});

const WITH_TEMPLATE: ReadonlySet<string> = new Set(['DaemonSet', 'Deployment', 'StatefulSet', 'ReplicaSet', 'Job']);

type ContainerRule = 'duplicate-in-pod' | 'mount-without-volume' | 'probe-port-missing' | 'host-port-mismatch' | 'no-containers';

function twice(named: readonly (readonly [string, string])[], what: string, found: Found<ContainerRule>): void {
  const seen = new Set<string>();
  for (const [name, path] of named) {
    if (name !== '' && seen.has(name)) found('duplicate-in-pod', path, `${what} ${shown(name)} stands here twice`);
    seen.add(name);
  }
}

function ports({ spec, path }: Container, pod: Pod, found: Found<ContainerRule>): void {
  const list = items(spec.ports);
  twice(
    list.map(({ item, index }) => [text(item.name) ?? '', `${path}.ports[${index}].name`]),
    'port',
    found,
  );
  // Server-side apply tells ports apart by containerPort and protocol.
  twice(
    list.flatMap(({ item, index }) =>
      item.containerPort === undefined ? [] : [[`${item.containerPort}/${item.protocol ?? 'TCP'}`, `${path}.ports[${index}]`] as const],
    ),
    'port',
    found,
  );
  if (!pod.hostNetwork) return;
  for (const { item, index } of list) {
    if (typeof item.hostPort === 'number' && item.hostPort !== 0 && item.hostPort !== item.containerPort) {
      found(
        'host-port-mismatch',
        `${path}.ports[${index}].hostPort`,
        `hostPort is ${item.hostPort} and containerPort ${shown(item.containerPort)}; with hostNetwork they must be equal`,
      );
    }
  }
}

/** Two containers of a pod that ask for the same port of the host; on the host's network every declared port is one. */
function hostPorts(pod: Pod, found: Found<ContainerRule>): void {
  const seen = new Map<string, string>();
  for (const { spec, path, role, name } of pod.containers) {
    if (role === 'init') continue;
    for (const { item, index } of items(spec.ports)) {
      const port = item.hostPort ?? (pod.hostNetwork ? item.containerPort : undefined);
      if (typeof port !== 'number' || port === 0) continue;
      const key = `${port}/${item.protocol ?? 'TCP'} on ${item.hostIP ?? '*'}`;
      const other = seen.get(key);
      if (other !== undefined && other !== path)
        found(
          'duplicate-in-pod',
          `${path}.ports[${index}]`,
          `host port ${key} is taken by another container of this pod; ${name} can't have it too`,
        );
      seen.set(key, path);
    }
  }
}

function mounts({ spec, path }: Container, pod: Pod, found: Found<ContainerRule>): void {
  const volumes = new Set(pod.volumes.map((volume) => volume.name));
  for (const { item } of items(within(pod.owner, 'spec').volumeClaimTemplates)) volumes.add(text(fields(item.metadata).name) ?? '');
  for (const list of ['volumeMounts', 'volumeDevices']) {
    for (const { item, index } of items(spec[list])) {
      const name = text(item.name);
      if (name !== undefined && !volumes.has(name))
        found('mount-without-volume', `${path}.${list}[${index}].name`, `mounts volume ${shown(name)}; the pod has ${shown([...volumes])}`);
    }
  }
  twice(
    items(spec.volumeMounts).map(({ item, index }) => [text(item.mountPath) ?? '', `${path}.volumeMounts[${index}].mountPath`]),
    'mount path',
    found,
  );
}

function probes({ spec, path }: Container, found: Found<ContainerRule>): void {
  const declared = items(spec.ports).map(({ item }) => item.name);
  const lifecycle = fields(spec.lifecycle);
  const hooks: [string, unknown][] = [
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((key): [string, unknown] => [key, spec[key]]),
    ...['postStart', 'preStop'].map((key): [string, unknown] => [`lifecycle.${key}`, lifecycle[key]]),
  ];
  for (const [key, hook] of hooks) {
    for (const handler of ['httpGet', 'tcpSocket']) {
      const port = text(within(hook, handler).port);
      if (port !== undefined && !declared.includes(port))
        found(
          'probe-port-missing',
          `${path}.${key}.${handler}.port`,
          `port is ${shown(port)}; the container declares ${shown(declared.filter(Boolean))}`,
        );
    }
  }
}
