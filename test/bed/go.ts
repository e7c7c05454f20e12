/**
 * Finds a Go that can build the parts. From 1.21 on, Go itself gets the version that a module asks for; an older one, such as
 * Debian 12's, is used once, to get a newer one as the module that Go publishes its toolchains in.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Any that knows toolchains will do: the modules name what they need. */
const BOOTSTRAP = '1.26.8';

let found: string | undefined;

/** The `go` to run. Throws with a remedy when there is none. */
export function goProgram(): string {
  found ??= usable();
  return found;
}

function usable(): string {
  // Debian's versioned packages install beside, not into, the path.
  const beside = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => /^go-1\./.test(name)) : [];
  const programs = ['go', '/usr/local/go/bin/go', ...beside.map((name) => `/usr/lib/${name}/bin/go`)];
  const versions = programs.map((program) => ({ program, minor: minorOf(program) })).filter(({ minor }) => minor > 0);
  const newest = versions.sort((a, b) => b.minor - a.minor)[0];
  if (!newest) throw new Error('there is no Go on this machine. Install it with `apt-get install golang-go`, any version from 1.17 on.');
  return newest.minor >= 21 ? newest.program : toolchain(newest.program);
}

function minorOf(program: string): number {
  try {
    const said = execFileSync(program, ['version'], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, GOTOOLCHAIN: 'local' },
      cwd: '/',
    });
    return Number(/go1\.(\d+)/.exec(said)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function toolchain(old: string): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const module = `golang.org/toolchain@v0.0.1-go${BOOTSTRAP}.linux-${architecture}`;
  const said = execFileSync(old, ['mod', 'download', '-json', module], { encoding: 'utf8', stdio: 'pipe', cwd: '/', timeout: 600_000 });
  const { Dir } = JSON.parse(said);
  // Modules carry no executables; newer Gos mend that themselves.
  execFileSync('chmod', ['-R', 'u+x', join(Dir, 'bin'), join(Dir, 'pkg', 'tool')]);
  return join(Dir, 'bin', 'go');
}
