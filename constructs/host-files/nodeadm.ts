/**
 * EC2 user data of instances that join EKS: nodeadm's NodeConfig and, beside it, a cloud-config part for what nodeadm
 * does not do (sysctl, swap). nodeadm starts the kubelet after cloud-init has ended (nodeadm-run.service: After=cloud-final).
 * Facts: awslabs/amazon-eks-ami, nodeadm/internal/api/validation.go (all four of `cluster` are compulsory) and
 * nodeadm/internal/kubelet/config.go (`kubelet.config` becomes the drop-in 40-nodeadm.conf, providerID and node name are nodeadm's).
 */
import { stringify } from 'yaml';
import { LAUNCH_COMMENT, LAUNCH_VALUES } from '../../lib/api/launch-values.ts';
import { asWritten } from './cloud-config.ts';
import { type HostFile, renderedFrom } from './host-file.ts';
import { type DropIn, mergedConfig } from './kubelet-configuration.ts';
import { nodeLabels, nodeLabelsFlag } from './labels.ts';
import type { KubeletProfileProps } from './profile.ts';
import { swapCommands } from './swap-units.ts';
import { SYSCTL_FILE } from './sysctl.ts';

const BOUNDARY = 'GALA';

/** `user-data/nodeadm.txt`, MIME multi-part. */
export function nodeadm(props: KubeletProfileProps, files: readonly HostFile[], dropIns: readonly DropIn[]): HostFile {
  const nodeConfig = {
    apiVersion: 'node.eks.aws/v1alpha1',
    kind: 'NodeConfig',
    spec: {
      cluster: {
        name: props.join?.eks ?? '',
        apiServerEndpoint: props.apiServer ?? '',
        certificateAuthority: LAUNCH_VALUES.certificateAuthority,
        cidr: LAUNCH_VALUES.serviceCidr,
      },
      kubelet: { config: mergedConfig(dropIns), flags: [`--node-labels=${nodeLabelsFlag(nodeLabels(props))}`] },
    },
  };
  const cloudConfig = {
    write_files: files.map(asWritten),
    runcmd: [['sysctl', '-p', SYSCTL_FILE], ['systemctl', 'daemon-reload'], ...swapCommands(props)],
  };
  const text = [
    'MIME-Version: 1.0',
    `X-Gala: ${renderedFrom(props)}`,
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}"`,
    '',
    ...part('application/node.eks.aws', [`# ${renderedFrom(props)}`, LAUNCH_COMMENT, stringify(nodeConfig, { lineWidth: 0 })]),
    ...part('text/cloud-config; charset="us-ascii"', ['#cloud-config', stringify(cloudConfig, { lineWidth: 0 })]),
    `--${BOUNDARY}--`,
    '',
  ].join('\n');
  return { path: 'user-data/nodeadm.txt', text };
}

function part(contentType: string, lines: readonly string[]): readonly string[] {
  return [`--${BOUNDARY}`, `Content-Type: ${contentType}`, '', ...lines];
}
