/**
 * Installs the shim and the conflist on the host, each as a whole or not at all (rename), and says what stands in their way. The
 * runtime takes the first file of its folder in the order of their names (containerd, max_conf_num 1), so whatever else is there
 * may stay: it is the way back.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface InstallOptions {
  /** The shim in the image. */
  readonly shim: string;
  /** The host's folder of plugins. */
  readonly binDir: string;
  /** The host's folder of network configurations. */
  readonly confDir: string;
  readonly socket: string;
}

/** Before what others call theirs: `10-calico.conflist`, `10-flannel.conflist`, `10-aws.conflist`. */
export const CONFLIST = '05-gala.conflist';
export const PLUGIN = 'gala';

/** @returns what was put there: `shim`, `conflist`; nothing where both were right */
export function install(options: InstallOptions): string[] {
  const done = [installShim(options), installConflist(options)];
  return done.filter((one) => one !== undefined);
}

function installShim({ shim, binDir }: InstallOptions): string | undefined {
  mkdirSync(binDir, { recursive: true, mode: 0o755 });
  const to = join(binDir, PLUGIN);
  if (same(shim, to)) return undefined;
  // Never written over: a shim that runs has its file, and one that starts finds the old or the new.
  const part = `${to}.part`;
  rmSync(part, { force: true });
  copyFileSync(shim, part);
  chmodSync(part, 0o755);
  renameSync(part, to);
  return 'shim';
}

function installConflist({ confDir, socket }: InstallOptions): string | undefined {
  mkdirSync(confDir, { recursive: true, mode: 0o755 });
  const to = join(confDir, CONFLIST);
  const text = `${JSON.stringify({ cniVersion: '1.1.0', name: 'gala', plugins: [{ type: PLUGIN, socket }] }, undefined, 2)}\n`;
  if (text === read(to)?.toString()) return undefined;
  writeFileSync(`${to}.part`, text, { mode: 0o644 });
  renameSync(`${to}.part`, to);
  return 'conflist';
}

/** What the runtime would take in place of Gala's; undefined: nothing. */
export function foreignConflist(confDir: string): string | undefined {
  const all = listed(confDir).filter((name) => /\.(conf|conflist|json)$/.test(name));
  const first = all.toSorted()[0];
  return first === undefined || first >= CONFLIST ? undefined : first;
}

/** The way back: the runtime goes on with what is there beside it. The shim stays, for the DELs of pods that still go. */
export function uninstall({ confDir }: Pick<InstallOptions, 'confDir'>): void {
  rmSync(join(confDir, CONFLIST), { force: true });
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function same(a: string, b: string): boolean {
  const there = read(b);
  return there !== undefined && readFileSync(a).equals(there);
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
