/**
 * The swap itself: a swap file with its systemd units, or a zram device by zram-generator. The kubelet's side is swap.ts.
 * Rendered where the machine has swap, whether or not containers may use it.
 */
import { bytesAsQuantity } from './as-quantity.ts';
import { commented, type HostFile } from './host-file.ts';
import type { KubeletProfileProps } from './profile.ts';

const SWAP_FILE = '/var/lib/gala/swapfile';
/** systemd wants a swap unit named after its path (systemd.swap(5)). */
const SWAP_UNIT = 'var-lib-gala-swapfile.swap';
/** Where zram-generator's first device ends up. */
const ZRAM_UNIT = 'dev-zram0.swap';
export const MAKER_UNIT = 'gala-swapfile.service';

/** The swap unit of a pool's hosts; none without swap. */
export function swapUnitOf(props: KubeletProfileProps): string | undefined {
  if ((props.machine?.swapBytes ?? 0) <= 0) return undefined;
  return props.swapOn === 'zram' ? ZRAM_UNIT : SWAP_UNIT;
}

/** What turns the swap on after `daemon-reload`, now and at each boot. */
export function swapCommands(props: KubeletProfileProps): readonly (readonly string[])[] {
  const unit = swapUnitOf(props);
  if (unit === undefined) return [];
  // A generated unit can't be enabled and need not be: the generator wants it at every boot.
  return [unit === ZRAM_UNIT ? ['systemctl', 'start', unit] : ['systemctl', 'enable', '--now', unit]];
}

const ZRAM_FILE = 'etc/systemd/zram-generator.conf.d/50-gala.conf';
const SWAP_UNIT_FILE = `etc/systemd/system/${SWAP_UNIT}`;
const MAKER_UNIT_FILE = `etc/systemd/system/${MAKER_UNIT}`;

/** All files that a pool's swap can consist of, as they lie on a host. */
export function swapFiles(): readonly string[] {
  return [SWAP_UNIT_FILE, MAKER_UNIT_FILE, ZRAM_FILE].map((path) => `/${path}`);
}

/**
 * Shell scripts that turn off the swap of earlier days which the pool no longer has; they do nothing where there is none.
 * Each fails, and so stops the roll-out, while what is swapped out does not fit into memory.
 */
export function swapOffScripts(props: KubeletProfileProps): readonly string[] {
  const unit = swapUnitOf(props);
  // Stopped by its state, not its file: somebody may have removed the file while the swap was on.
  const file = [
    `if systemctl is-active -q ${SWAP_UNIT}; then systemctl stop ${SWAP_UNIT}; fi`,
    `if test -e /${SWAP_UNIT_FILE}; then systemctl disable --now ${SWAP_UNIT}; fi`,
    `if systemctl is-active -q ${MAKER_UNIT}; then systemctl stop ${MAKER_UNIT}; fi`,
    `rm -f ${SWAP_FILE} ${SWAP_FILE}.new`,
  ];
  // Only beside our own file: the device may be somebody else's.
  const zram = [`if test -e /${ZRAM_FILE} && systemctl is-active -q ${ZRAM_UNIT}; then systemctl stop ${ZRAM_UNIT}; fi`];
  return [...(unit === SWAP_UNIT ? [] : [file]), ...(unit === ZRAM_UNIT ? [] : [zram])].map((lines) => ['set -e', ...lines].join('; '));
}

export function swapUnits(props: KubeletProfileProps): readonly HostFile[] {
  const bytes = props.machine?.swapBytes ?? 0;
  if (bytes <= 0) return [];
  const wholeMiB = Math.floor(bytes / 2 ** 20);
  return props.swapOn === 'zram' ? [zram(props, wholeMiB)] : [maker(props, wholeMiB), unit(props, wholeMiB)];
}

function zram(props: KubeletProfileProps, sizeMiB: number): HostFile {
  // zram-generator.conf(5): zram-size in MiB of uncompressed data; a device of type swap is the default.
  const lines = ['[zram0]', `zram-size = ${sizeMiB}`, 'compression-algorithm = zstd', 'swap-priority = 100'];
  const because = ['Read by zram-generator (packages zram-generator, systemd-zram-generator) at boot.'];
  return { path: ZRAM_FILE, text: commented(props, because, lines) };
}

function maker(props: KubeletProfileProps, sizeMiB: number): HostFile {
  const bytes = sizeMiB * 2 ** 20;
  // Restarting this unit stops the swap unit first (Requires=), so a file of another size is no longer in use here.
  const script = [
    `test "$(stat -c %%s ${SWAP_FILE} 2>/dev/null)" = ${bytes} && exit 0`,
    `rm -f ${SWAP_FILE} ${SWAP_FILE}.new`,
    `fallocate -l ${bytes} ${SWAP_FILE}.new && chmod 600 ${SWAP_FILE}.new && mkswap ${SWAP_FILE}.new && mv ${SWAP_FILE}.new ${SWAP_FILE}`,
  ].join('; ');
  const lines = [
    '[Unit]',
    `Description=Swap file of ${bytesAsQuantity(bytes)} for the pods of this host`,
    // Without these, the unit would wait for sysinit.target, which waits for swap.target: a cycle.
    'DefaultDependencies=no',
    'RequiresMountsFor=/var/lib',
    'After=systemd-remount-fs.service',
    `Before=${SWAP_UNIT}`,
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    'UMask=0077',
    'ExecStart=/bin/mkdir -p /var/lib/gala',
    `ExecStart=/bin/sh -c '${script.replaceAll('$', () => '$$')}'`,
  ];
  const because = ['Makes the swap file once, on ext4 or XFS; a crash in between leaves a .new file, which the next start replaces.'];
  return { path: MAKER_UNIT_FILE, text: commented(props, because, lines) };
}

function unit(props: KubeletProfileProps, sizeMiB: number): HostFile {
  const lines = [
    '[Unit]',
    `Description=Swap of ${bytesAsQuantity(sizeMiB * 2 ** 20)}`,
    `Requires=${MAKER_UNIT}`,
    `After=${MAKER_UNIT}`,
    '',
    '[Swap]',
    `What=${SWAP_FILE}`,
    '',
    '[Install]',
    'WantedBy=swap.target',
  ];
  return { path: SWAP_UNIT_FILE, text: commented(props, [], lines) };
}
