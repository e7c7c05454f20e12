/**
 * Parts built from Go modules: what a machine without the release pages, but with a Go module proxy, gets them from.
 * Everything is verified by Go's check sum database. The whole Kubernetes program takes about 20 minutes on two cores.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goProgram } from './go.ts';
import { KUBERNETES, type Part, partNamed } from './parts.ts';

export interface Build {
  /** What is built: the part itself, or the program that carries it. */
  readonly program: string;
  readonly version: string;
  readonly minutes: number;
  /** Time limit in minutes; two cores and a cold cache need a third of it. */
  readonly limit: number;
  /** Leaves a go.mod and whatever `go build` needs in `folder`; answers the package to build and the linker's settings. */
  prepare(folder: string): Promise<{ target: string; settings?: string }>;
}

export function buildOf(part: Part): Build {
  if (part.carrier) return kube;
  if (part.name === 'kwok')
    return itself(part, { module: 'sigs.k8s.io/kwok', minutes: 3, settings: `-X sigs.k8s.io/kwok/pkg/consts.Version=v${part.version}` });
  if (CONTAINERD.includes(part.name))
    return itself(part, {
      module: 'github.com/containerd/containerd/v2',
      minutes: 2,
      settings: `-X github.com/containerd/containerd/v2/version.Version=v${part.version}`,
    });
  if (part.name === 'coredns') return coredns(part);
  return strict(part);
}

const SOURCES = fileURLToPath(new URL('go', import.meta.url));

/** Etcd and everything of Kubernetes in one program: go/kube/main.go. */
const kube: Build = {
  program: 'kube',
  version: KUBERNETES,
  minutes: 20,
  limit: 60,
  prepare: async (folder) => {
    cpSync(join(SOURCES, 'kube'), folder, { recursive: true });
    const { GoMod } = await goJson(['mod', 'download', '-json', `k8s.io/kubernetes@v${KUBERNETES}`]);
    const upstream = await goJson(['mod', 'edit', '-json', GoMod]);
    // Kubernetes' go.mod points at ./staging/…, which its module does not carry: each is published as v0.MINOR.PATCH.
    const published = `v0.${KUBERNETES.split('.').slice(1).join('.')}`;
    const staged = upstream.Replace.filter((replace: GoReplace) => replace.New.Path.startsWith('./staging/'));
    writeFileSync(
      join(folder, 'go.mod'),
      [
        'module gala.internal/bed/kube',
        `go ${upstream.Go}`,
        ...(upstream.GoDebug ?? []).map((setting: GoDebug) => `godebug ${setting.Key}=${setting.Value}`),
        `require k8s.io/kubernetes v${KUBERNETES}`,
        `require go.etcd.io/etcd/server/v3 v${partNamed('etcd').version}`,
        ...staged.map((replace: GoReplace) => `replace ${replace.Old.Path} => ${replace.Old.Path} ${published}`),
      ].join('\n'),
    );
    return { target: '.', settings: `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES}` };
  },
};

const CONTAINERD = ['containerd', 'containerd-shim-runc-v2', 'ctr'];

interface OwnModule {
  readonly module: string;
  readonly minutes: number;
  readonly settings: string;
}

/** `cmd/<name>` of a module, built as its own main module, so that the versions are those its authors chose. */
const itself = ({ name, version }: Part, { module, minutes, settings }: OwnModule): Build => ({
  ...{ program: name, version, minutes, limit: 20 },
  prepare: async (folder) => {
    const { Dir } = await goJson(['mod', 'download', '-json', `${module}@v${version}`]);
    cpSync(Dir, folder, { recursive: true });
    execFileSync('chmod', ['-R', 'u+w', folder]);
    return { target: `./cmd/${name}`, settings };
  },
});

/** With the plugins that are asked for here: go/coredns/main.go. */
const coredns = ({ name, version }: Part): Build => ({
  ...{ program: name, version, minutes: 3, limit: 20 },
  prepare: async (folder) => {
    cpSync(join(SOURCES, 'coredns'), folder, { recursive: true });
    const module = `github.com/coredns/coredns@v${version}`;
    const { GoMod } = await goJson(['mod', 'download', '-json', module]);
    const { Go } = await goJson(['mod', 'edit', '-json', GoMod]);
    writeFileSync(join(folder, 'go.mod'), `module gala.internal/bed/coredns\ngo ${Go}\nrequire ${module.replace('@', ' ')}\n`);
    return { target: '.' };
  },
});

/** One Kubernetes minor's own types, decoding strictly: go/strict/main.go. */
const strict = ({ name, version }: Part): Build => ({
  ...{ program: name, version, minutes: 1, limit: 15 },
  prepare: async (folder) => {
    cpSync(join(SOURCES, 'strict'), folder, { recursive: true });
    const modules = ['k8s.io/apimachinery', 'k8s.io/kubelet', 'k8s.io/kube-scheduler'];
    const { GoMod } = await goJson(['mod', 'download', '-json', `k8s.io/kubelet@v${version}`]);
    const { Go } = await goJson(['mod', 'edit', '-json', GoMod]);
    const lines = ['module gala.internal/bed/strict', `go ${Go}`, ...modules.map((module) => `require ${module} v${version}`)];
    writeFileSync(join(folder, 'go.mod'), lines.join('\n'));
    return { target: '.' };
  },
});

/** Builds into `target`, whole or not at all. Rejects with a sentence that says why not. */
export async function build(what: Build, target: string, say: (line: string) => void): Promise<void> {
  const work = mkdtempSync(join(dirname(target), '.build-'));
  try {
    const source = join(work, 'source');
    mkdirSync(source);
    const { target: pkg, settings = '' } = await what.prepare(source);
    const out = join(work, what.program);
    say(`building ${what.program} ${what.version} from Go modules: about ${what.minutes} min on two cores`);
    const flags = ['-mod=mod', '-trimpath', '-buildvcs=false', `-ldflags=-s -w ${settings}`];
    let packages = 0;
    const begun = Date.now();
    const minutes = () => `${Math.round((Date.now() - begun) / 6_000) / 10} min`;
    const progress = setInterval(() => say(`building ${what.program}: ${packages} packages in ${minutes()}`), 30_000);
    try {
      await go(['build', '-v', ...flags, '-o', out, pkg], { cwd: source, minutes: what.limit, line: () => packages++ });
    } finally {
      clearInterval(progress);
    }
    renameSync(out, target);
    say(`built ${what.program} ${what.version} in ${minutes()}`);
  } finally {
    // Go's module files are read-only; a copy of them is too.
    rmSync(work, { recursive: true, force: true });
  }
}

interface GoReplace {
  readonly Old: { readonly Path: string };
  readonly New: { readonly Path: string };
}
interface GoDebug {
  readonly Key: string;
  readonly Value: string;
}

// biome-ignore lint/suspicious/noExplicitAny: what `go mod … -json` prints depends on the command
async function goJson(args: string[]): Promise<any> {
  return JSON.parse(await go(args, { cwd: '/', minutes: 10 }));
}

interface GoRun {
  readonly cwd: string;
  readonly minutes: number;
  readonly line?: () => void;
}

/** Runs `go`, at low priority; its whole process group ends when the time is over. */
function go(args: string[], { cwd, minutes, line }: GoRun): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'nice', goProgram(), ...args], {
      ...{ cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
      // GOTOOLCHAIN=auto: a Go older than the module asks for gets the right one through the module proxy, as a module.
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'auto' },
    });
    const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), minutes * 60_000);
    let said = '';
    let complaints = '';
    child.stdout?.on('data', (data) => {
      said += data;
    });
    child.stderr?.on('data', (data) => {
      complaints = (complaints + data).slice(-20_000);
      if (line) for (const _ of String(data).matchAll(/\n/g)) line();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(said);
      const how = signal ? `was ended after ${minutes} min` : `failed: ${complaints.trim().split('\n').slice(-4).join(' · ')}`;
      reject(new Error(`go ${args.slice(0, 2).join(' ')} ${how}`));
    });
  });
}
