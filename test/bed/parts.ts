/**
 * The bed's parts: what each is, what it takes to have it, and where this machine has it.
 * Looking is quick and touches no network, so that a test file can ask while it is loaded; getting is fetch.ts.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export const KUBERNETES = '1.37.2';

export interface Part {
  readonly name: string;
  readonly version: string;
  readonly doc: string;
  /** A program that carries this part among others; it is told by its first argument which one to run (go/kube/main.go). */
  readonly carrier?: 'kube';
  /** What a part that this machine brings itself is known by: a program on the PATH, or a file. It is named as its Debian package. */
  readonly program?: string;
  /** What a part that pip installs is asked for by: a file of requirements, all pinned (venv.ts). */
  readonly requirements?: string;
  /** Debian packages that it takes beside its own. */
  readonly beside?: readonly string[];
}

const KUBE = { version: KUBERNETES, carrier: 'kube' } as const;
const CONTAINERD = '2.4.2';
/** Any version will do; Debian's, from 12 on, is known to. */
const DEBIAN = { version: 'any' } as const;
const strict = (minor: string, version: string) =>
  ({ name: `kubelet-types-${minor}`, version, doc: `the ${minor} kubelet's and scheduler's own types, decoding strictly` }) as const;

export const PARTS = [
  { ...KUBE, name: 'etcd', version: '3.7.0', doc: 'keeps what the API server stores' },
  { ...KUBE, name: 'kube-apiserver', doc: 'the real API server' },
  { ...KUBE, name: 'kube-controller-manager', doc: 'the real controllers' },
  { ...KUBE, name: 'kube-scheduler', doc: 'the real scheduler' },
  { ...KUBE, name: 'kubelet', doc: 'runs pods on nodes, and validates its configurations' },
  { ...KUBE, name: 'kubectl', doc: "what a person types in the docs' examples" },
  { name: 'kwok', version: '0.8.0', doc: 'simulates hosts' },
  { name: 'containerd', version: CONTAINERD, doc: 'runs the containers of nodes' },
  { name: 'containerd-shim-runc-v2', version: CONTAINERD, doc: "containerd's process beside each pod" },
  { name: 'ctr', version: CONTAINERD, doc: 'brings images into nodes' },
  { name: 'coredns', version: '1.14.7', doc: "cluster DNS, and the nodes' cache of it" },
  { name: 'moto', version: '5.2.5', requirements: 'ec2/requirements.txt', doc: "keeps what the bed's EC2 keeps" },
  strict('1.35', '0.35.10'),
  strict('1.36', '0.36.6'),
  strict('1.37', '0.37.2'),
  { ...DEBIAN, name: 'user-mode-linux', program: 'linux.uml', doc: 'the kernel of nodes' },
  { ...DEBIAN, name: 'uml-utilities', program: 'uml_mconsole', doc: 'plugs NICs into running nodes' },
  { ...DEBIAN, name: 'iproute2', program: 'ip', doc: 'the network that nodes are plugged into' },
  { ...DEBIAN, name: 'runc', program: 'runc', doc: "starts containers, as containerd's shim asks" },
  { ...DEBIAN, name: 'busybox-static', program: 'busybox', doc: "nodes' init, and images without a registry" },
  { ...DEBIAN, name: 'gcc', program: 'gcc', beside: ['libc6-dev'], doc: 'compiles what nodes run first and pods pause on' },
  { ...DEBIAN, name: 'xfsprogs', program: 'mkfs.xfs', doc: "nodes' disks" },
  {
    ...DEBIAN,
    name: 'containernetworking-plugins',
    program: '/usr/lib/cni/macvlan',
    doc: "the network that stands in for Gala's own, and is compared with it",
  },
] as const satisfies readonly Part[];

export type PartName = (typeof PARTS)[number]['name'];

/** Parts that tests ask for in one word. */
export const GROUPS = {
  'control-plane': ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
  /** A real kubelet on a machine of its own (nodes.ts); beside `control-plane`. */
  nodes: [
    ...(['kubelet', 'containerd', 'containerd-shim-runc-v2', 'ctr', 'user-mode-linux', 'uml-utilities'] as const),
    ...(['iproute2', 'runc', 'busybox-static', 'gcc', 'xfsprogs'] as const),
  ],
  'kubelet-types': ['kubelet-types-1.35', 'kubelet-types-1.36', 'kubelet-types-1.37'],
} as const satisfies Record<string, readonly PartName[]>;

export type Need = PartName | keyof typeof GROUPS;

export const partNamed = (name: PartName): Part => PARTS.find((part) => part.name === name) as Part;

export const partsOf = (needs: readonly Need[]): PartName[] => [
  ...new Set(needs.flatMap((need): readonly PartName[] => (need in GROUPS ? GROUPS[need as keyof typeof GROUPS] : [need as PartName]))),
];

/** Where the bed keeps what it got (by version) and what runs (in `run`). */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gala', 'bed');

/** The folder of a part's version in the cache: filling it by hand is as good as `npm run bed -- fetch`. */
export const folderOf = (part: Pick<Part, 'version'>): string => join(cacheFolder(), part.version);

export interface Found {
  /** What to run, before the part's own arguments. */
  readonly command: readonly [string, ...string[]];
  readonly from: 'GALA_BED_BIN' | 'cache' | 'this machine';
}

/** Where this machine has a part, or undefined. `GALA_BED_BIN` comes before the cache, a program of its own before the carrier. */
export function find(name: PartName): Found | undefined {
  const part = partNamed(name);
  if (part.program !== undefined) return onThisMachine(part.program);
  const given = process.env.GALA_BED_BIN;
  const places: [Found['from'], string, string][] = [
    ...(given ? [['GALA_BED_BIN', given, given] as [Found['from'], string, string]] : []),
    ['cache', folderOf(part), folderOf({ version: KUBERNETES })],
  ];
  for (const [from, folder, carrierFolder] of places) {
    const own = join(folder, name);
    if (runs(own)) return { command: [own], from };
    if (!part.carrier) continue;
    const carrier = join(carrierFolder, part.carrier);
    if (runs(carrier)) return { command: [carrier, name], from };
  }
  return undefined;
}

function onThisMachine(program: string): Found | undefined {
  const folders = program.startsWith('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, program)).find(runs);
  return found === undefined ? undefined : { command: [found], from: 'this machine' };
}

/** What to run for a part that must be here. */
export function command(name: PartName): Found['command'] {
  const found = find(name);
  if (found) return found.command;
  throw new Error(`the bed's part ${name} ${partNamed(name).version} is not on this machine. ${remedy([name])}`);
}

/** For parts that are no Debian packages. */
export const REMEDY = 'Get it with `npm run bed -- fetch`, or set GALA_BED_BIN to a folder that holds it.';

/** How to get parts that are missing. */
export function remedy(missing: readonly PartName[]): string {
  const parts = missing.map(partNamed);
  const packages = parts.flatMap(({ name, program, beside = [] }) => (program === undefined ? [] : [name, ...beside]));
  return [
    ...(packages.length > 0 ? [`Install with \`apt-get install ${packages.join(' ')}\`.`] : []),
    ...(parts.some(({ program }) => program === undefined) ? [REMEDY] : []),
  ].join(' ');
}

/** Whether missing parts are a failure: `GALA_BED=required`, as CI sets it. */
export const required = (): boolean => process.env.GALA_BED === 'required';

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
