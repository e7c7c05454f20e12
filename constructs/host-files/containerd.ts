/**
 * `etc/containerd/conf.d/40-gala-network.toml`: where containerd finds Gala's plugin, and that it takes no second network. These are
 * its own defaults; a distribution's configuration may say otherwise (Debian's: plugins in /usr/lib/cni).
 *
 * containerd reads it where its main file, of version 3 or above, imports the folder. Sections of plugins are merged key by key since
 * 2.0 (containerd/containerd#9982), so nothing else of the runtime's configuration changes. `bin_dirs` since 2.1 (#11311); a main file
 * with `bin_dir` beside it is taken at its word there, which the play finds out before it restarts anything.
 */
import { commented, type HostFile } from './host-file.ts';
import type { KubeletProfileProps } from './profile.ts';

export const CONTAINERD_FILE = '/etc/containerd/conf.d/40-gala-network.toml';

const BIN_DIR = '/opt/cni/bin';
const CONF_DIR = '/etc/cni/net.d';
const SECTION = "[plugins.'io.containerd.cri.v1.runtime'.cni]";

/** None where others wire the pods, and on EKS, where nodeadm writes all of containerd's configuration. */
export function containerd(props: KubeletProfileProps): readonly HostFile[] {
  if (props.wiredBy !== 'gala' || props.join?.eks !== undefined) return [];
  const because = [
    'gala-cni puts its plugin and its network configuration there; the first configuration by name counts, and no other.',
    "Read where containerd's main file has version = 3 and imports = ['/etc/containerd/conf.d/*.toml'].",
  ];
  const lines = ['version = 3', SECTION, `  bin_dirs = ['${BIN_DIR}']`, `  conf_dir = '${CONF_DIR}'`, '  max_conf_num = 1'];
  return [{ path: CONTAINERD_FILE.slice(1), text: commented(props, because, lines) }];
}

/**
 * A shell command that fails unless containerd, as it is configured now, would look for plugins and networks where Gala puts them: asked
 * before it is restarted, since one that does not start leaves the host without pods.
 */
export function containerdCheck(): string {
  const cni = `containerd config dump | sed -n "/'io.containerd.cri.v1.runtime'.cni\\]/,/^$/p"`;
  const wrong = (key: string, path: string) => `! echo "$cni" | grep '${key}' | grep -qv '${path}'`;
  return [`cni=$(${cni})`, `echo "$cni" | grep -q ${BIN_DIR}`, wrong('bin_dir', BIN_DIR), wrong('conf_dir', CONF_DIR)].join(' && ');
}
