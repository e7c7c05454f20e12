/**
 * The Ansible play of `APPLY.md`: a pool's files onto its hosts, one host first, and no further than the first kubelet that
 * does not come back. Stale files of ours go, swap that is no longer wanted goes off, before the kubelet restarts.
 */
import { stringify } from 'yaml';
import { CONTAINERD_FILE, containerdCheck } from './containerd.ts';
import type { HostFile } from './host-file.ts';
import { CONFIG_DIR } from './kubelet-configuration.ts';
import { inventoryGroup, rackNames } from './kubelet-service.ts';
import type { KubeletProfileProps } from './profile.ts';
import { swapCommands, swapFiles, swapOffScripts } from './swap-units.ts';
import { SYSCTL_FILE } from './sysctl.ts';

/**
 * Files that synth renders for some pools and not for others. By name, never by pattern: boot writes files that look like
 * ours (75-gala-instance.conf), and what always is rendered can't be stale.
 */
const MAY_COME_AND_GO = [`${CONFIG_DIR}/41-gala-rack.conf`, CONTAINERD_FILE, ...swapFiles()];

/** Those of them that a pool's hosts must not have. */
export function staleFiles(files: readonly HostFile[]): readonly string[] {
  const rendered = new Set(files.map(({ path }) => `/${path.replace(/^racks\/[^/]+\//, '')}`));
  return MAY_COME_AND_GO.filter((path) => !rendered.has(path));
}

export function play(props: KubeletProfileProps, files: readonly HostFile[]): string {
  const racked = rackNames(props).length > 0;
  const runtime = files.some(({ path }) => `/${path}` === CONTAINERD_FILE);
  const stale = staleFiles(files);
  const tasks = [
    // Before the files go: systemd stops what it still knows.
    ...swapOffScripts(props).map((script) => shell(script)),
    ...(stale.length === 0 ? [] : [{ 'ansible.builtin.file': { path: '{{ item }}', state: 'absent' }, loop: stale }]),
    // By itself first, to know whether it changed.
    ...(runtime ? [{ ...copy('etc/containerd/', '/etc/containerd/'), register: 'containerd' }] : []),
    copy('etc/'),
    ...(racked ? [copy('racks/{{ gala_rack }}/etc/')] : []),
    command(['sysctl', '-p', SYSCTL_FILE]),
    command(['systemctl', 'daemon-reload']),
    ...swapCommands(props).map(command),
    // With failSwapOn a kubelet beside any swap, ours or not, does not start: better found out while the old one runs.
    ...((props.machine?.swapBytes ?? 0) > 0 ? [] : [shell('test -z "$(swapon --show --noheadings)"')]),
    ...(runtime ? [shell(containerdCheck()), { ...command(['systemctl', 'restart', 'containerd']), when: 'containerd is changed' }] : []),
    command(['systemctl', 'restart', 'kubelet']),
    healthy(),
    // healthz answers before the managers have started (pkg/kubelet/kubelet.go, initializeRuntimeDependentModules exits on
    // "Failed to start ContainerManager"): still the same process a while later, or it is restarting in a loop.
    shell(`pid=$(${MAIN_PID}) && sleep 20 && test "$pid" != 0 && test "$pid" = "$(${MAIN_PID})"`),
    healthy(),
  ];
  // One host, then a tenth at a time; any failure ends the play (0 per cent may fail).
  const plays = [{ hosts: racked ? inventoryGroup(props) : 'all', serial: [1, '10%'], max_fail_percentage: 0, tasks }];
  return stringify(plays, { lineWidth: 0 }).trimEnd();
}

const MAIN_PID = 'systemctl show -p MainPID --value kubelet';

const shell = (script: string) => ({ 'ansible.builtin.shell': script });
const command = (argv: readonly string[]) => ({ 'ansible.builtin.command': argv.join(' ') });
const copy = (src: string, dest = '/etc/') => ({ 'ansible.builtin.copy': { src, dest, mode: '0644', directory_mode: '0755' } });

/** 10248 is the kubelet's healthzPort unless a base configuration says otherwise; a minute for it to answer. */
function healthy() {
  return {
    'ansible.builtin.uri': { url: 'http://127.0.0.1:10248/healthz' },
    register: 'health',
    until: 'health.status == 200',
    retries: 30,
    delay: 2,
  };
}
