/** `APPLY.md`: how the folder gets onto hosts, and what restarts when it does; short enough to be read before it is done. */
import { type HostFile, renderedFrom } from './host-file.ts';
import { inventoryGroup } from './kubelet-service.ts';
import { neededValues } from './launch-values.ts';
import type { KubeletProfileProps } from './profile.ts';
import { MAKER_UNIT, swapCommands, swapUnits } from './swap-units.ts';

export function applyPage(props: KubeletProfileProps, userData: HostFile | undefined): HostFile {
  const lines = [
    `<!-- ${renderedFrom(props)} -->`,
    `# Hosts of pool ${props.pool}`,
    '',
    ...(userData === undefined ? copied(props) : launched(userData)),
    '',
    ...restarts(props),
    '',
  ];
  return { path: 'APPLY.md', text: lines.join('\n') };
}

function copied(props: KubeletProfileProps): readonly string[] {
  const group = inventoryGroup(props);
  const racks = Object.keys(props.racks ?? {}).length > 0;
  const copy = (from: string) => `  - ansible.builtin.copy: { src: "${from}", dest: /etc/, mode: "0644", directory_mode: "0755" }`;
  return [
    `\`etc/\` is the same on every host${racks ? '; `racks/<rack>/etc/` adds what differs by rack; `inventory.ini` says which host is in which' : ''}.`,
    'cloud-init on bare metal: the same files as `write_files`, the same commands as `runcmd`.',
    '```yaml',
    `- hosts: ${racks ? group : 'all'}`,
    '  serial: 10%',
    '  tasks:',
    copy('etc/'),
    ...(racks ? [copy('racks/{{ gala_rack }}/etc/')] : []),
    `  - ansible.builtin.shell: ${commands(props)}`,
    '```',
  ];
}

function commands(props: KubeletProfileProps): string {
  const steps = [
    'sysctl --system',
    'systemctl daemon-reload',
    ...swapCommands(props).map((words) => words.join(' ')),
    'systemctl restart kubelet',
  ];
  return steps.join(' && ');
}

function launched(userData: HostFile): readonly string[] {
  const values = neededValues(userData.text).join(', ');
  return [
    `\`${userData.path}\` is the user data of every instance of the pool; \`gala cloud\` fills in ${values} at each launch.`,
    'Instances that run already keep what they started with: replace them.',
  ];
}

function restarts(props: KubeletProfileProps): readonly string[] {
  const swap = swapUnits(props);
  const file = swap.some(({ path }) => path.endsWith(MAKER_UNIT));
  return [
    'Restarts: the kubelet only. Running pods stay, with the swap limits they were started with.',
    'Not changed by a restart: labels and taints of a node that has registered (`kubectl label`, `kubectl taint`).',
    'A changed CPU or memory manager policy, or other reserved CPUs: drain, stop the kubelet, remove `/var/lib/kubelet/*_manager_state`, start it.',
    ...(file
      ? [`Another size of swap: \`systemctl restart ${MAKER_UNIT}\` on a drained host; what is swapped out must fit into memory.`]
      : []),
    `Remove from hosts what is no longer in this folder: \`*-gala-*.conf\`${swap.length > 0 ? '' : ', and a swap unit of earlier days (`systemctl disable --now var-lib-gala-swapfile.swap`)'}.`,
  ];
}
