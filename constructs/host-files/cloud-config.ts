/**
 * EC2 user data of instances that join with a bootstrap token: cloud-init writes the pool's files, asks the instance
 * metadata service (IMDSv2) who this instance is, and starts the kubelet. The machine image brings kubelet, containerd,
 * curl and a kubelet.service; nothing is downloaded at boot.
 */
import { stringify } from 'yaml';
import { LAUNCH_COMMENT, LAUNCH_VALUES } from '../../lib/api/launch-values.ts';
import { CLUSTER_DOMAIN } from '../../lib/api/node-local.ts';
import { containerd } from './containerd.ts';
import { commented, type HostFile, renderedFrom } from './host-file.ts';
import { CONFIG_DIR, type DropIn, dropInFile } from './kubelet-configuration.ts';
import { ENVIRONMENT_FILE, kubeletFlags, service } from './kubelet-service.ts';
import { ZONE_LABEL } from './labels.ts';
import { podEniLines } from './pod-enis.ts';
import type { KubeletProfileProps } from './profile.ts';
import { swapCommands } from './swap-units.ts';
import { SYSCTL_FILE } from './sysctl.ts';

const CA_FILE = '/etc/kubernetes/pki/ca.crt';
const BOOTSTRAP_KUBECONFIG = '/etc/kubernetes/bootstrap-kubelet.conf';
const KUBECONFIG = '/etc/kubernetes/kubelet.conf';
const INSTANCE_SCRIPT = '/usr/local/sbin/gala-instance';

/** Written at boot: only the instance knows who it is. The shell fills in `$zone` and `$id`. */
export function instanceDropIn(): DropIn {
  return { name: '75-gala-instance.conf', because: ['Written at boot by gala-instance.'], config: { providerID: 'aws:///$zone/$id' } };
}

/** What a kubelet without kubeadm needs beside the pool's drop-ins. */
export function joinDropIn(): DropIn {
  return {
    name: '35-gala-join.conf',
    because: [
      'Joined by a bootstrap token: client and serving certificates are asked of the API server, and renewed.',
      'Who may ask the kubelet is said in full: started without a configuration file, it would let anybody (applyLegacyDefaults).',
    ],
    config: {
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: CA_FILE } },
      authorization: { mode: 'Webhook' },
      readOnlyPort: 0,
      rotateCertificates: true,
      serverTLSBootstrap: true,
      clusterDomain: CLUSTER_DOMAIN,
    },
  };
}

/** `user-data/cloud-config.txt`: not `.yaml`, which the cdk8s CLI would take for a manifest. */
export function cloudConfig(props: KubeletProfileProps, files: readonly HostFile[]): HostFile {
  const config = {
    // Not when a link is plugged in: it would configure each pod's ENI (kubernetes/kops issue 17881).
    ...(props.wiredBy === 'gala' ? { updates: { network: { when: ['boot-new-instance'] } } } : {}),
    write_files: [
      ...files.map(asWritten),
      { path: CA_FILE, encoding: 'b64', content: LAUNCH_VALUES.certificateAuthority },
      { path: BOOTSTRAP_KUBECONFIG, permissions: '0600', content: bootstrapKubeconfig(props.apiServer ?? '') },
      { path: INSTANCE_SCRIPT, permissions: '0755', content: instanceScript(props) },
    ],
    runcmd: [
      [INSTANCE_SCRIPT],
      ['sysctl', '-p', SYSCTL_FILE],
      ['systemctl', 'daemon-reload'],
      ...swapCommands(props),
      ...(containerd(props).length === 0 ? [] : [['systemctl', 'restart', 'containerd']]),
      ['systemctl', 'enable', 'kubelet'],
      // Not `enable --now`: an image whose kubelet runs already must read its files anew.
      ['systemctl', 'restart', 'kubelet'],
    ],
  };
  const text = ['#cloud-config', `# ${renderedFrom(props)}`, LAUNCH_COMMENT, stringify(config, { lineWidth: 0 })].join('\n');
  return { path: 'user-data/cloud-config.txt', text };
}

/** What a bootstrapped instance writes to disk: the pool's files, and how its kubelet starts. */
export function bootstrapFiles(props: KubeletProfileProps, dropIns: readonly DropIn[]): readonly HostFile[] {
  const because = ['The certificate asked for with the bootstrap token is kept; the token is deleted when the node has joined.'];
  // A kubelet without --config keeps the defaults of the flags of old (anonymous requests, AlwaysAllow, port 10255), whatever
  // --config-dir holds: cmd/kubelet/app/options, applyLegacyDefaults, 1.37.2. The drop-in serves as the file.
  const flags = `--bootstrap-kubeconfig=${BOOTSTRAP_KUBECONFIG} --kubeconfig=${KUBECONFIG} --config=${CONFIG_DIR}/${joinDropIn().name}`;
  return [...dropIns.map((dropIn) => dropInFile(props, dropIn)), service(props, because, flags)];
}

export function asWritten({ path, text }: HostFile): { readonly path: string; readonly permissions: string; readonly content: string } {
  return { path: `/${path}`, permissions: '0644', content: text };
}

function bootstrapKubeconfig(server: string): string {
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'gala', cluster: { server, 'certificate-authority': CA_FILE } }],
      users: [{ name: 'bootstrap', user: { token: LAUNCH_VALUES.bootstrapToken } }],
      contexts: [{ name: 'bootstrap', context: { cluster: 'gala', user: 'bootstrap' } }],
      'current-context': 'bootstrap',
    },
    { lineWidth: 0 },
  );
}

/**
 * The node is named after its instance, so that a CSR's name can be looked up in the instance list. `--retry`: the
 * metadata service answers late on some first boots.
 */
function instanceScript(props: KubeletProfileProps): string {
  const labels = [`${ZONE_LABEL}=$zone`, 'topology.kubernetes.io/region=$region', 'node.kubernetes.io/instance-type=$type'].join(',');
  const { path, text } = dropInFile(props, instanceDropIn());
  const lines = [
    'set -eu',
    'imds=http://169.254.169.254/latest',
    `token=$(curl -sSf --retry 20 --retry-connrefused -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/api/token")`,
    `fact() { curl -sSf --retry 20 -H "X-aws-ec2-metadata-token: $token" "$imds/meta-data/$1"; }`,
    'id=$(fact instance-id)',
    'type=$(fact instance-type)',
    'zone=$(fact placement/availability-zone)',
    'region=$(fact placement/region)',
    `cat > /${path} <<END`,
    `${text}END`,
    `cat > ${ENVIRONMENT_FILE} <<END`,
    `GALA_KUBELET_ARGS="${kubeletFlags(props)},${labels} --hostname-override=$id"`,
    'END',
    ...podEniLines(props),
  ];
  return ['#!/bin/sh', commented(props, [], lines)].join('\n');
}
