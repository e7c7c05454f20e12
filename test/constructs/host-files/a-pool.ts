/** Builders: a pool of hosts that is right, and what its rendered files say. */
import { parse } from 'yaml';
import type { KubeletConfiguration } from '../../../constructs/host-files/kubelet-configuration.ts';
import { type HostFile, type KubeletProfileProps, kubeletProfile } from '../../../constructs/kubelet-profile.ts';

export const GiB = 2 ** 30;
export const MiB = 2 ** 20;

/** An intranet pool of 64-core hosts without swap; `over` says what matters to the test. */
export function aPool(over: Partial<KubeletProfileProps> = {}): KubeletProfileProps {
  return {
    kubernetes: '1.37',
    cluster: 'bj-a',
    pool: 'web',
    shape: 'intranet',
    services: 'none',
    maxPods: 80,
    machine: { cpu: 64, memoryBytes: 256 * GiB, reserved: { cpu: 2, memoryBytes: 8 * GiB } },
    ...over,
  };
}

/** A pool of instances that join with a bootstrap token. */
export function anEc2Pool(over: Partial<KubeletProfileProps> = {}): KubeletProfileProps {
  return aPool({
    pool: 'burst',
    shape: 'ec2',
    maxPods: 20,
    machine: { cpu: 16, memoryBytes: 32 * GiB },
    join: { bootstrap: true },
    apiServer: 'https://10.8.2.10:6443',
    ...over,
  });
}

/** The text of one file; throws with the paths there are. */
export function textOf(props: KubeletProfileProps, path: string): string {
  const { files } = kubeletProfile(props);
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) throw new Error(`no file ${path} among ${files.map((each) => each.path).join(', ')}`);
  return file.text;
}

export function dropInsOf(files: readonly HostFile[]): readonly { readonly name: string; readonly config: KubeletConfiguration }[] {
  const dropIns = files.filter(({ path }) => path.startsWith('etc/kubernetes/kubelet.conf.d/'));
  return dropIns.map(({ path, text }) => {
    const { apiVersion, kind, ...config } = parse(text);
    if (apiVersion !== 'kubelet.config.k8s.io/v1beta1' || kind !== 'KubeletConfiguration')
      throw new Error(`${path} is no KubeletConfiguration`);
    return { name: path.slice(path.lastIndexOf('/') + 1), config };
  });
}

/** One concern's configuration: `configOf(props, 'swap')`. */
export function configOf(props: KubeletProfileProps, concern: string): KubeletConfiguration {
  const dropIn = dropInsOf(kubeletProfile(props).files).find(({ name }) => name.endsWith(`-gala-${concern}.conf`));
  if (dropIn === undefined) throw new Error(`no drop-in of ${concern}`);
  return dropIn.config;
}

/** Problems as `severity path: what`, for comparing. */
export function problemsOf(props: KubeletProfileProps): readonly string[] {
  return kubeletProfile(props).problems.map(({ severity, path, what }) => `${severity} ${path}: ${what}`);
}
