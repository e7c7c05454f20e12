/** `APPLY.md`: how the folder gets onto hosts, and what restarts when it does; short enough to be read before it is done. */

import { neededValues } from '../../lib/api/launch-values.ts';
import { POOL_LABEL } from '../../lib/api/model.ts';
import { containerd } from './containerd.ts';
import { type HostFile, renderedFrom } from './host-file.ts';
import { rackNames } from './kubelet-service.ts';
import { leftOut } from './network.ts';
import { play } from './play.ts';
import type { KubeletProfileProps } from './profile.ts';
import { MAKER_UNIT, swapUnits } from './swap-units.ts';

/** `files`: what the pool's hosts have on disk. */
export function applyPage(props: KubeletProfileProps, files: readonly HostFile[], userData: HostFile | undefined): HostFile {
  const without = leftOut(props);
  const lines = [
    `<!-- ${renderedFrom(props)} -->`,
    `# Hosts of pool ${props.pool}`,
    '',
    ...(userData === undefined ? [...copied(props, files), '', ...restarts(props)] : launched(userData)),
    ...(without.length === 0 ? [] : ['', ...without]),
    '',
  ];
  return { path: 'APPLY.md', text: lines.join('\n') };
}

function copied(props: KubeletProfileProps, files: readonly HostFile[]): readonly string[] {
  const racks = rackNames(props).length > 0;
  return [
    `\`etc/\` is the same on every host${racks ? '; `racks/<rack>/etc/` adds what differs by rack; `inventory.ini` says which host is in which' : ''}.`,
    'The play stops at the first host whose kubelet does not come back. It removes what is no longer rendered, by name, and nothing else.',
    'A host that has not joined yet: all tasks before the restart, then `kubeadm join`.',
    'cloud-init on bare metal: the same files as `write_files`, the same commands as `runcmd`.',
    '```yaml',
    play(props, files),
    '```',
  ];
}

function launched(userData: HostFile): readonly string[] {
  const values = neededValues(userData.text).join(', ');
  return [
    `\`${userData.path}\` is the user data of every instance of the pool; \`gala cloud\` fills in ${values} at each launch.`,
    'Instances that run already keep what they started with: replace them.',
  ];
}

function restarts(props: KubeletProfileProps): readonly string[] {
  const file = swapUnits(props).some(({ path }) => path.endsWith(MAKER_UNIT));
  const who =
    containerd(props).length === 0
      ? 'Restarts: the kubelet only. It admits'
      : 'Restarts: the kubelet, and containerd where its file is new or has changed; containers run on.\nThe kubelet admits';
  return [
    `${who} the pods that run on the host once more: one that no longer fits (OutOfpods, OutOfcpu,`,
    'OutOfmemory), or whose node selector or affinity the labels no longer match (NodeAffinity), is failed and ends. The others stay, with',
    'the swap limits they were started with.',
    '',
    'Drain first (`kubectl drain`), then run the play on that host alone (`--limit`); `gala diff` names these changes:',
    '- a lower `maxPods`, more reserved, a higher eviction threshold: running pods may be failed or evicted;',
    '- another CPU, memory or topology manager policy, other reserved CPUs or NUMA memory: after the drain also `systemctl stop kubelet` and',
    '  `rm /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state`, or the kubelet does not start;',
    '- swap that goes, or comes in another size: what is swapped out must fit into memory.',
    ...(file ? [`  Another size: \`systemctl restart ${MAKER_UNIT}\` on the drained host.`] : []),
    '',
    ...(containerd(props).length === 0 ? [] : [WAY_BACK, '']),
    'Not changed by a restart: labels and taints of a node that has registered (`kubectl label`, `kubectl taint`).',
    ...(props.locks === 'enforced' ? taintingByHand(props) : []),
  ];
}

const WAY_BACK =
  'Once Gala wires this pool no more, the play removes the file and leaves containerd running: `systemctl restart containerd` makes it read what is left.';

/** A taint in a drop-in counts at registration; by hand it may come when the pods that belong there can tolerate it. */
function taintingByHand({ pool }: KubeletProfileProps): readonly string[] {
  return [
    'Hosts that have joined get the taint of the pool when gala-scheduler runs; pods that are there stay, others come with a slot:',
    `\`kubectl taint node -l ${POOL_LABEL}=${pool} ${POOL_LABEL}=${pool}:NoSchedule\``,
  ];
}
