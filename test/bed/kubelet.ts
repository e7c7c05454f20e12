/** What the real kubelet makes of its configuration at start-up, without a node to run on. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './parts.ts';

export interface KubeletReading {
  /** What its validation refuses; none when it would go on and start. */
  readonly problems: readonly string[];
  /** The configuration as it took effect: files merged, defaults filled in; YAML. */
  readonly effective: string;
}

/** The kubelet's own words for "valid, but told to stop here": the first thing it checks after its configuration (cmd/kubelet/app/server.go). */
const VALID = 'cannot exit on lock file contention: no lock file specified';

/**
 * Lets the real kubelet read a configuration and its drop-ins, in the order of their names.
 * @param config the file for `--config`
 * @param dropIns the files in `--config-dir`, by name; only those that end in `.conf` are read
 */
export async function kubeletReads(config: string, dropIns: Readonly<Record<string, string>> = {}): Promise<KubeletReading> {
  const folder = mkdtempSync(join(tmpdir(), 'gala-kubelet-'));
  try {
    writeFileSync(join(folder, 'kubelet.yaml'), config);
    mkdirSync(join(folder, 'kubelet.conf.d'));
    for (const [name, text] of Object.entries(dropIns)) writeFileSync(join(folder, 'kubelet.conf.d', name), text);
    // The last flag concerns the machine that the test runs on, not the one the files are for.
    const flags = ['--config=kubelet.yaml', '--config-dir=kubelet.conf.d', '--exit-on-lock-contention', '--fail-cgroupv1=false'];
    const said = await run(folder, flags);
    const failure = /"command failed" err=("(?:[^"\\]|\\.)*")/.exec(said)?.[1];
    if (!failure) throw new Error(`the kubelet ended without saying why:\n${said.slice(-2000)}`);
    const effective = /"Effective KubeletConfiguration" config=<\n([\s\S]*?)\n >/.exec(said)?.[1] ?? '';
    return { problems: problemsIn(JSON.parse(failure)), effective: effective.replace(/^\t/gm, '') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Why the real kubelet would refuse to start with these files; none when it would start. */
export async function kubeletValidates(config: string, dropIns: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  return (await kubeletReads(config, dropIns)).problems;
}

function problemsIn(failure: string): string[] {
  if (failure.includes(VALID)) return [];
  // `failed to validate kubelet configuration, error: [one, two], path: &TypeMeta{…}`
  const list = /^failed to validate kubelet configuration, error: (.*), path: &TypeMeta/s.exec(failure)?.[1];
  if (list === undefined) return [failure];
  const inner = list.startsWith('[') ? list.slice(1, -1) : list;
  return inner.split(/, (?=invalid configuration: )/).map((problem) => problem.replace(/^invalid configuration: /, ''));
}

function run(folder: string, flags: readonly string[]): Promise<string> {
  const [program, ...first] = command('kubelet');
  const limits = { cwd: folder, timeout: 30_000, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve) => {
    execFile(program, [...first, ...flags], limits, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}
