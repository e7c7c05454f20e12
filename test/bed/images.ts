/**
 * Container images without a registry or an engine: folders, put together from this machine's files, as archives of the OCI
 * image layout, which `ctr images import` takes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { compile } from './compile.ts';
import { command } from './parts.ts';

/** What a container runs of an image, in the words of the OCI image configuration. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

export interface Image {
  /** As pods name it: `bed.local/pause:1`. */
  readonly name: string;
  readonly archive: string;
}

/** A registry that nobody has, and tags other than latest: what was imported is never pulled. */
export const REGISTRY = 'bed.local';
export const PAUSE = `${REGISTRY}/pause:1`;
export const BUSINESS = `${REGISTRY}/business:1`;
export const GALA = `${REGISTRY}/gala:1`;
/**
 * Programs that images have on their own, and that containers on nodes find mounted there instead (node-files.ts): importing their
 * 280 MB would take each node most of a minute of CPU.
 */
export const MOUNTED = {
  '/usr/local/bin/node': () => process.execPath,
  // One program carries all of Kubernetes, and tells by its name which part to be.
  '/usr/local/bin/kube-scheduler': () => command('kube-scheduler')[0],
  '/usr/local/bin/kubectl': () => command('kubectl')[0],
} as const;
/** Where the business image answers. */
export const BUSINESS_PORT = 8080;

/** What holds a pod's namespaces; every node needs it. */
export function pauseImage(folder: string): Image {
  return anImage(folder, PAUSE, { Entrypoint: ['/pause'] }, (root) => compile('pause', join(root, 'pause')));
}

/** Stands for a business program: it answers HTTP with the name of its pod, and logs that name once. */
export function businessImage(folder: string): Image {
  const serve = `hostname > /www/index.html && echo "serving as $(hostname)" && exec httpd -f -p ${BUSINESS_PORT} -h /www`;
  return anImage(folder, BUSINESS, { Entrypoint: ['/bin/sh', '-c', serve], Env: ['PATH=/bin'] }, (root) => {
    busybox(root);
    mkdirSync(join(root, 'www'));
  });
}

/** Gala's own, as its Dockerfile describes it; what its base brings, and the tools that nodes' programs call, are this machine's. */
export async function galaImage(folder: string, name = GALA): Promise<Image> {
  // With a bundler in it, which nobody else here needs.
  const { environment, imageRoot, instructions } = await import('../tools/image-root.ts');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.gala-'));
  try {
    const root = join(work, 'root');
    await imageRoot(root);
    // Of the last stage: what comes before is not in the image.
    const only = (name: string) => instructions().findLast((each) => each.name === name)?.rest;
    const config = {
      Entrypoint: JSON.parse(only('ENTRYPOINT') ?? '[]'),
      Env: Object.entries(environment()).map(([name, value]) => `${name}=${value}`),
      User: only('USER') ?? '0:0',
      WorkingDir: only('WORKDIR') ?? '/',
    };
    return anImage(folder, name, config, (made) => {
      cpSync(root, made, { recursive: true });
      busybox(made);
      symlinkSync('/bin/busybox', join(made, 'usr/bin/env'));
      copyLibraries(process.execPath, made);
      // As Debian has it: containerd says /var/run/netns.
      mkdirSync(join(made, 'var'), { recursive: true });
      symlinkSync('../run', join(made, 'var/run'));
      // The base's shell: busybox's own runs its applets in place of iproute2, wherever that is on the PATH.
      rmSync(join(made, 'bin/sh'));
      copyFileSync(realpathSync('/bin/sh'), join(made, 'bin/sh'));
      copyLibraries('/bin/sh', made);
      for (const name of ['ip', 'tc', 'nsenter']) {
        const program = execFileSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim();
        copyFileSync(realpathSync(program), join(made, 'usr/sbin', name));
        copyLibraries(program, made);
      }
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Upstream's, which has nothing but the program. */
export function kubeSchedulerImage(folder: string, name: string): Image {
  return anImage(folder, name, { Entrypoint: ['/usr/local/bin/kube-scheduler'], Env: ['PATH=/usr/local/bin'] }, () => {});
}

/** Upstream's, likewise. */
export function coreDnsImage(folder: string, name: string): Image {
  return anImage(folder, name, { Entrypoint: ['/coredns'] }, (root) => copyFileSync(command('coredns')[0], join(root, 'coredns')));
}

/** Makes `<folder>/<name>.tar` of what `fill` puts into a folder. */
export function anImage(folder: string, name: string, config: ImageConfig, fill: (root: string) => void): Image {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.image-'));
  try {
    const root = join(work, 'root');
    for (const each of ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr/bin', 'usr/sbin', 'usr/local/bin'])
      mkdirSync(join(root, each), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    fill(root);
    const archive = join(folder, `${name.replaceAll(/[/:]/g, '-')}.tar`);
    writeArchive({ work, root, name, config }, archive);
    return { name, archive };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Parts {
  readonly work: string;
  readonly root: string;
  readonly name: string;
  readonly config: ImageConfig;
}

/** OCI image layout 1.0: blobs by digest, and an index that names the manifest. */
function writeArchive({ work, root, name, config }: Parts, archive: string): void {
  const layout = join(work, 'layout');
  const blobs = join(layout, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const blob = (mediaType: string, content: Buffer) => {
    const digest = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(blobs, digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  };
  const json = (type: string, content: object) => blob(`application/vnd.oci.image.${type}.v1+json`, Buffer.from(JSON.stringify(content)));

  const tar = join(work, 'layer.tar');
  pack(root, tar);
  const layer = blob('application/vnd.oci.image.layer.v1.tar', readFileSync(tar));
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  // User-Mode Linux is x86 only.
  const configuration = json('config', { architecture: 'amd64', os: 'linux', config, rootfs });
  const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: configuration, layers: [layer] };
  const described = { ...json('manifest', manifest), annotations: { 'io.containerd.image.name': name } };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [described] }));
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  pack(layout, archive);
}

/** Everything in `folder`, as root's and without times: the same files, the same bytes. */
function pack(folder: string, archive: string): void {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  execFileSync('tar', ['--create', '--file', archive, ...same, '--directory', folder, '.']);
}

/** A shell and what goes with it; links to one static program. */
function busybox(root: string): void {
  copyFileSync(command('busybox-static')[0], join(root, 'bin/busybox'));
  for (const applet of ['sh', 'cat', 'hostname', 'httpd', 'ip', 'ls', 'ping', 'sleep', 'wget'])
    symlinkSync('busybox', join(root, 'bin', applet));
}

/** The shared libraries that a program of this machine names, to where it looks for them. */
function copyLibraries(program: string, root: string): void {
  for (const [, library = ''] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
}
