/**
 * KubeletProfile: what a pool's hosts need on disk, from the pool's facts. Pure, no cdk8s: files for configuration
 * management and EC2 user data, never objects for the API server. Every concern is one drop-in under host-files/.
 */
import assert from 'node:assert';
import { launchedBytes, MAX_USER_DATA_BYTES } from '../lib/api/launch-values.ts';
import type { Problem } from '../lib/api/problem.ts';
import { applyPage } from './host-files/apply.ts';
import { base } from './host-files/base.ts';
import { bootstrapFiles, cloudConfig, instanceDropIn, joinDropIn } from './host-files/cloud-config.ts';
import { containerd } from './host-files/containerd.ts';
import type { HostFile } from './host-files/host-file.ts';
import { type DropIn, dropInFile, setTwice } from './host-files/kubelet-configuration.ts';
import { environmentFiles, inventory, kubeadmService } from './host-files/kubelet-service.ts';
import { byKey, checkLabels } from './host-files/labels.ts';
import { managers } from './host-files/managers.ts';
import { network, rackNetworkFiles } from './host-files/network.ts';
import { nodeadm } from './host-files/nodeadm.ts';
import { type KubeletProfileProps, type Part, problemOf, withMachine } from './host-files/profile.ts';
import { reservations } from './host-files/reservations.ts';
import { swap } from './host-files/swap.ts';
import { swapUnits } from './host-files/swap-units.ts';
import { sysctl } from './host-files/sysctl.ts';

export { defaultReservation } from '../lib/api/allocatable.ts';
export { fillUserData, LAUNCH_VALUES } from '../lib/api/launch-values.ts';
export type { HostFile } from './host-files/host-file.ts';
export type { Taint } from './host-files/kubelet-configuration.ts';
export type { KubeletOptions } from './host-files/kubelet-options.ts';
export type { Join, KubeletProfileProps, ProfileMachine } from './host-files/profile.ts';

export interface KubeletProfile {
  /** By path. Of no use while a problem is an error: the kubelet would not start on them. */
  readonly files: readonly HostFile[];
  readonly problems: readonly Problem[];
}

/**
 * The host files of a pool: kubelet drop-ins, flags and labels, sysctl, swap units, user data, and how to apply them.
 * @returns files relative to `dist/<cluster>/hosts/<pool>/`, and everything that is wrong, paths from the definition's root
 * @example kubeletProfile({ kubernetes: '1.37', cluster: 'hello', pool: 'web', shape: 'intranet', services: 'none', maxPods: 80 }).files
 */
export function kubeletProfile(given: KubeletProfileProps): KubeletProfile {
  const props = withMachine(given);
  const parts: readonly Part[] = [base(props), network(props), reservations(props), managers(props), swap(props)];
  const dropIns = parts.map((part) => part.dropIn);
  assertSetOnce(props, dropIns);
  const hostFiles = onDisk(props, dropIns);
  const userData = userDataOf(props, hostFiles, dropIns);
  const files = [...hostFiles, ...(userData === undefined ? [] : [userData]), applyPage(props, hostFiles, userData)];
  const problems = [...parts.flatMap((part) => part.problems), ...checkLabels(props), ...checkUserData(props, userData)];
  return { files: files.sort((a, b) => byKey(a.path, b.path)), problems };
}

/** A bug if not: the later file would silently win. What only an instance at boot completes counts too. */
function assertSetOnce(props: KubeletProfileProps, dropIns: readonly DropIn[]): void {
  const joining = props.join?.bootstrap === true ? [joinDropIn(), instanceDropIn()] : [];
  assert.deepEqual(setTwice([...dropIns, ...joining]), [], 'two drop-ins set one key');
}

function onDisk(props: KubeletProfileProps, dropIns: readonly DropIn[]): readonly HostFile[] {
  const host = [sysctl(props), ...containerd(props), ...swapUnits(props)];
  // nodeadm writes the kubelet's files itself, from the user data.
  if (props.join?.eks !== undefined) return host;
  if (props.join?.bootstrap === true) return [...host, ...bootstrapFiles(props, [...dropIns, joinDropIn()])];
  const configured = dropIns.map((dropIn) => dropInFile(props, dropIn));
  return [...host, ...configured, ...rackNetworkFiles(props), kubeadmService(props), ...environmentFiles(props), ...inventory(props)];
}

function userDataOf(props: KubeletProfileProps, files: readonly HostFile[], dropIns: readonly DropIn[]): HostFile | undefined {
  if (props.shape !== 'ec2' || props.join === undefined) return undefined;
  return props.join.eks === undefined ? cloudConfig(props, files) : nodeadm(props, files, dropIns);
}

function checkUserData(props: KubeletProfileProps, userData: HostFile | undefined): readonly Problem[] {
  const problem = problemOf(props.pool);
  const problems: Problem[] = [];
  const { join } = props;
  if (join !== undefined && (join.eks === undefined) === (join.bootstrap !== true))
    problems.push(problem('join', join, `join is ${JSON.stringify(join)}`, 'either {eks: <cluster>} or {bootstrap: true}', 'Choose one.'));
  if (join !== undefined && props.shape !== 'ec2')
    problems.push(problem('join', join, 'racked hosts are joined by their own means', 'join on ec2 pools only', 'Leave it out.'));
  if (userData !== undefined && props.apiServer === undefined)
    problems.push(
      problem(
        'join',
        join,
        'user data names the API server, and none is given',
        'the URL that hosts reach it by',
        "Set the definition's apiServer.",
      ),
    );
  const bytes = userData === undefined ? 0 : launchedBytes(userData.text);
  if (bytes > MAX_USER_DATA_BYTES)
    problems.push(
      problem(
        'join',
        bytes,
        `user data comes to ${bytes} bytes`,
        `EC2 takes ${MAX_USER_DATA_BYTES}`,
        'Take labels, taints or options away.',
      ),
    );
  return problems;
}
