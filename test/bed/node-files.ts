/**
 * What a site would have put on a host before Gala: containerd's configuration, the kubelet's base configuration, and the
 * credentials by which it joins. What Gala renders for the host comes as drop-ins over it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Bed } from './control-plane.ts';
import { MOUNTED, PAUSE } from './images.ts';
import { command } from './parts.ts';

const CLIENT_CA = '/etc/kubernetes/pki/ca.crt';
const NO_NAME_SERVER = '/etc/kubernetes/resolv.conf';
const BASE_SPEC = '/etc/containerd/base.json';
const CONTAINERD_SOCKET = 'unix:///run/containerd/containerd.sock';

/** Files of a node by path, without what is Gala's. */
export async function siteFiles(bed: Bed, name: string): Promise<Record<string, string>> {
  if (!bed.authority) throw new Error(`${name} cannot join: this bed knows no nodes. Start it with startControlPlane({ nodes: true })`);
  // As the Node authorizer wants it (kubernetes.io/docs/reference/access-authn-authz/node).
  const { cert, key } = await bed.authority.signClient(`CN=system:node:${name}, O=system:nodes`);
  return {
    'etc/kubernetes/kubelet.conf': kubeconfig(bed, cert, key),
    [CLIENT_CA.slice(1)]: bed.authority.cert,
    [NO_NAME_SERVER.slice(1)]: '# The bed asks nobody outside: nobody answers there.\nnameserver 127.0.0.1\n',
    'var/lib/kubelet/config.yaml': stringify(KUBELET),
    'etc/containerd/config.toml': CONTAINERD,
    [BASE_SPEC.slice(1)]: baseSpec(),
    // The node is a machine of its own, and after a reboot the same one.
    'etc/machine-id': `${createHash('sha256').update(`${bed.folder} ${name}`).digest('hex').slice(0, 32)}\n`,
  };
}

/**
 * As kubeadm writes it, but for what User-Mode Linux lacks. There is no systemd, hence cgroupfs. There is neither a cpuset
 * controller nor a second CPU, no PSI and no hugetlb: the static CPU and memory managers have nothing to hand out, and pods with
 * `hostUsers: false` do not start, since tmpfs takes no idmapped mounts there. The kubelet says
 * FailedNodeAllocatableEnforcement for cpuset, and goes on.
 */
const KUBELET = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: CLIENT_CA } },
  authorization: { mode: 'Webhook' },
  cgroupDriver: 'cgroupfs',
  containerRuntimeEndpoint: CONTAINERD_SOCKET,
  resolvConf: NO_NAME_SERVER,
};

/** What every container has: containerd's default, and this machine's programs where images have large ones of their own. */
function baseSpec(): string {
  const [ctr, ...first] = command('ctr');
  const spec = JSON.parse(execFileSync(ctr, [...first, 'oci', 'spec'], { encoding: 'utf8' }));
  const mounts = Object.entries(MOUNTED).map(([destination, program]) => {
    return { destination, type: 'bind', source: realpathSync(program()), options: ['bind', 'ro'] };
  });
  return JSON.stringify({ ...spec, mounts: [...spec.mounts, ...mounts] });
}

/** Gala's CNI goes to the usual place; Debian's reference plugins, for comparison, are in the other. */
const CONTAINERD = `version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${PAUSE}'
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/opt/cni/bin', '/usr/lib/cni']
  conf_dir = '/etc/cni/net.d'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
  base_runtime_spec = '${BASE_SPEC}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = false
`;

function kubeconfig(bed: Bed, cert: string, key: string): string {
  const { clusters } = JSON.parse(readFileSync(bed.kubeconfig, 'utf8'));
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters,
      users: [{ name: 'kubelet', user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
      contexts: [{ name: 'bed', context: { cluster: 'bed', user: 'kubelet' } }],
      'current-context': 'bed',
    },
    undefined,
    2,
  );
}
